import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyLimitPolicy } from '../../src/policies/body-limit.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'
import { parsedRequest } from '../proxy/parsed-head.ts'

/** The code a request with these lines is refused with under a limit of ten bytes; null if it is not. */
function refusal(...lines: readonly string[]): string | null {
  const verdict = bodyLimitPolicy(10).admit(exchangeOf(parsedRequest('POST / HTTP/1.1', 'Host: a', ...lines)))
  assert.ok(!(verdict instanceof Promise))
  return verdict?.kind === 'failure' ? `${verdict.status} ${verdict.code}` : null
}

test('a body announced to be larger than the limit is refused before it is read', () => {
  assert.equal(refusal('Content-Length: 11'), '413 body_too_large')
  assert.equal(refusal('Content-Length: 10'), null)
  assert.equal(refusal('Content-Length: 010'), null)
  assert.equal(refusal('Content-Length: 99999999999999'), '413 body_too_large')
})

test('a body that does not say how large it is, and none, are for those who read it to measure', () => {
  assert.equal(refusal('Transfer-Encoding: chunked'), null)
  assert.equal(refusal(), null)
})
