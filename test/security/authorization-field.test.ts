import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Field } from '../support/message.ts'
import { assertProblem } from '../support/problem.ts'
import { chunked } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { bearer, tenantToken } from '../support/token.ts'

let stage: Stage

before(async () => {
  stage = await openStage()
})
after(() => stage[Symbol.asyncDispose]())

describe('the Authorization field', () => {
  // The gateway verifies one copy, an upstream reads the other: two fields are two identities.
  test('twice is 400, whatever the copies say', async () => {
    const other = bearer(tenantToken('other'))
    const pairs: (readonly Field[])[] = [
      [ACME, other],
      [other, ACME],
      [ACME, ACME],
      [ACME, ['AUTHORIZATION', 'Basic eA==']],
      [['authorization', ''], ACME],
      [ACME, ['X-Between', '1'], other],
    ]
    for (const pair of pairs)
      assertProblem(await stage.ask('GET', '/api/v1/ingest/x', pair), 400, 'authorization_repeated')
    assert.deepEqual(stage.ingest.seen, [])
  })

  // A trailer arrives after the decision: believing it would let a body vouch for its own head.
  test('as a trailer only is not believed', async () => {
    const fields: Field[] = [
      ['Transfer-Encoding', 'chunked'],
      ['Trailer', 'Authorization'],
    ]
    const body = chunked(['x'], [ACME])
    assertProblem(await stage.ask('POST', '/api/v1/ingest/x', fields, body), 401, 'token_missing')
    assert.deepEqual(stage.ingest.seen, [])
  })

  // A trailer an upstream merges into the head would replace the identity that was verified.
  test('as a trailer behind a good one never becomes the upstream’s', async () => {
    const fields: Field[] = [ACME, ['Transfer-Encoding', 'chunked']]
    const body = chunked(['x'], [bearer(tenantToken('other'))])
    const got = await stage.ask('POST', '/api/v1/ingest/x', fields, body)
    assert.equal(got.status, 200)
    assert.deepEqual(stage.ingest.last.all('authorization'), [ACME[1]])
    assert.deepEqual(stage.ingest.last.all('x-company-id'), ['acme'])
    stage.ingest.seen.length = 0
  })

  test('under another spelling is no credential', async () => {
    for (const name of ['Authorization_', 'X-Authorization', 'Proxy-Authorization', 'Authorisation'])
      assertProblem(await stage.ask('GET', '/api/v1/ingest/x', [[name, ACME[1]]]), 401, 'token_missing')
    assert.deepEqual(stage.ingest.seen, [])
  })

  test('in a query, cookie or body is no credential', async () => {
    const jwt = ACME[1].slice(7)
    const asks = [
      stage.ask('GET', `/api/v1/ingest/x?access_token=${jwt}&token=${jwt}`),
      stage.ask('GET', '/api/v1/ingest/x', [['Cookie', `token=${jwt}`]]),
      stage.ask('POST', '/api/v1/ingest/x', [], `access_token=${jwt}`),
    ]
    for (const ask of asks) assertProblem(await ask, 401, 'token_missing')
    assert.deepEqual(stage.ingest.seen, [])
  })
})
