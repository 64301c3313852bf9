import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fold, REQUEST_OWNED, RESPONSE_OWNED } from '../../../src/config/file/field-check.ts'
import { foldName } from '../../../src/http1/field-name.ts'
import { GATEWAY_REQUEST_FIELDS, HOP_BY_HOP, PEER_FIELDS } from '../../../src/proxy/head-plan.ts'

// Configuration may import nothing of the data plane, so that what it refuses stands there twice.
test('every field that the data plane owns is refused in a configuration', () => {
  const missing = [...HOP_BY_HOP, ...GATEWAY_REQUEST_FIELDS, ...PEER_FIELDS].filter(
    (name) => !REQUEST_OWNED.has(name),
  )
  assert.deepEqual(missing, [])
  assert.deepEqual(
    HOP_BY_HOP.filter((name) => !RESPONSE_OWNED.has(name)),
    [],
  )
})

test('names fold as the data plane folds them', () => {
  for (const name of ['X-Company-ID', 'x_company.id', 'X__A..B', 'plain'])
    assert.equal(fold(name), foldName(name))
})
