import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Authority } from '../support/certificate.ts'
import { Origin, response } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import { openStage, type Stage } from '../support/stage.ts'

const authority = new Authority()
let good: Origin
let misnamed: Origin
let stage: Stage

before(async () => {
  good = await Origin.start(undefined, { tls: authority.issue('DNS:localhost', 'IP:127.0.0.1') })
  misnamed = await Origin.start(undefined, { tls: authority.issue('DNS:elsewhere.test') })
  stage = await openStage({
    NODE_EXTRA_CA_CERTS: authority.file,
    GATEWAY_INGEST_SERVICE_URL: `https://localhost:${good.port}`,
    GATEWAY_QUERY_SERVICE_URL: `https://localhost:${misnamed.port}`,
    GATEWAY_AUTH_SERVICE_URL: `https://127.0.0.1:${good.port}/base`,
  })
})
after(async () => {
  await stage[Symbol.asyncDispose]()
  for (const origin of [good, misnamed]) await origin[Symbol.asyncDispose]()
  authority[Symbol.dispose]()
})

describe('an https upstream', () => {
  test('is spoken to by name and by address, and its connections are used again', async () => {
    const body = 'b'.repeat(200_000)
    for (let round = 0; round < 5; round++)
      assert.equal(
        (await stage.askAs('POST', '/api/v1/ingest/x', [], body)).json<{ length: number }>().length,
        body.length,
      )
    assert.equal(good.accepted, 1)
    assert.equal(good.last.get('host'), `localhost:${good.port}`)
    assert.equal((await stage.ask('GET', '/api/auth/x')).status, 200)
    assert.equal(good.last.target, '/base/api/auth/x')
  })

  test('that drops a kept connection is connected to anew', async () => {
    await stage.askAs('GET', '/api/v1/ingest/x')
    good.dropConnections()
    assert.equal((await stage.askAs('GET', '/api/v1/ingest/x')).status, 200)
  })

  test('that ends in the middle of a body breaks the client’s connection', async () => {
    good.script = (_, reply) => reply.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart')
    assert.equal((await stage.askAs('GET', '/api/v1/ingest/x')).body.complete, false)
    good.script = (_, reply) => reply.write(response('200 OK', [], 'whole'))
    assert.equal((await stage.askAs('GET', '/api/v1/ingest/x')).text, 'whole')
  })

  // A machine between gateway and upstream answers with some certificate of its own.
  test('with a certificate for another name, or of an authority nobody trusts, is not believed', async () => {
    const got = await stage.askAs('POST', '/api/v1/query/x', [], 'secret body')
    assertProblem(got, 503, 'connect_failed', 'Upstream service query is unavailable.')
    assert.equal(misnamed.seen.length, 0)
    await using strict = await openStage({ GATEWAY_INGEST_SERVICE_URL: `https://localhost:${good.port}` })
    const { length } = good.seen
    assertProblem(await strict.askAs('GET', '/api/v1/ingest/x'), 503, 'connect_failed')
    assert.equal(good.seen.length, length)
  })
})
