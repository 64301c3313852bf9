import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Field } from '../support/message.ts'
import { echo, response, type Script } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import { request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { within } from '../support/until.ts'

const HANDSHAKE: Field[] = [
  ['Connection', 'keep-alive, Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
]
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'

let stage: Stage

before(async () => {
  stage = await openStage({ GATEWAY_HTTP_CLIENT_TIMEOUT: '2' })
})
after(() => stage[Symbol.asyncDispose]())

/** Switches, then says back in capitals whatever it is told, until told the end. */
const capitals: Script = async (_, reply) => {
  const source = reply.take()
  await reply.write(SWITCHED)
  await source.take(Number.MAX_SAFE_INTEGER, (chunk) => reply.write(chunk.toString('latin1').toUpperCase()))
  reply.end('BYE')
}

describe('a WebSocket through a proxied route', () => {
  test('is a tunnel after the upstream’s 101, bytes both ways', async () => {
    stage.ingest.script = capitals
    using client = await stage.connect()
    const got = await client.ask(request('GET', '/api/v1/ingest/ws?x=1', [ACME, ...HANDSHAKE]))
    assert.equal(got.status, 101)
    assert.equal(got.get('upgrade'), 'websocket')
    assert.match(got.get('connection') ?? '', /upgrade/i)
    assert.equal(got.get('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    assert.notEqual(got.get('x-request-id'), null)
    for (const word of [
      'hello',
      'GET /api/v1/ingest/x HTTP/1.1\r\nHost: a\r\n\r\n',
      '\r\n\r\n',
      '\u00e9\u0000',
    ]) {
      await client.send(word)
      assert.equal(await client.source.text(word.length), word.toUpperCase())
    }
    const seen = stage.ingest.last
    assert.equal(seen.target, '/api/v1/ingest/ws?x=1')
    assert.deepEqual(seen.all('upgrade'), ['websocket'])
    assert.match(seen.get('connection') ?? '', /^upgrade$/i)
    assert.deepEqual(seen.all('sec-websocket-key'), ['dGhlIHNhbXBsZSBub25jZQ=='])
    assert.deepEqual(seen.all('x-company-id'), ['acme'])
    client.finish()
    assert.equal(
      (await client.closed()).toString(),
      'BYE',
      'a half-closed tunnel still carries the other way',
    )
  })

  test('asks for the token first', async () => {
    const { length } = stage.ingest.seen
    const got = await stage.ask('GET', '/api/v1/ingest/ws', [['Authorization', 'Bearer bad'], ...HANDSHAKE])
    assertProblem(got, 401, 'token_invalid')
    assert.equal(stage.ingest.seen.length, length)
  })

  test('ends on one side when the other ends, and its line says how much went through', async () => {
    stage.ingest.script = async (_, reply) => {
      reply.take()
      reply.end(`${SWITCHED}12345`)
    }
    using client = await stage.connect()
    const got = await client.ask(
      request('GET', '/api/v1/ingest/ws', [ACME, ['X-Request-ID', 'tunnel-1'], ...HANDSHAKE]),
    )
    assert.equal(got.status, 101)
    assert.equal((await client.closed()).toString(), '12345')
    client.finish()
    const line = await stage.gateway.access('tunnel-1')
    assert.deepEqual([line.status_code, line.bytes_out], [101, 5])
  })

  test('ends at the upstream when the client goes', async () => {
    let gone: Promise<void> = Promise.resolve()
    stage.ingest.script = async (_, reply) => {
      reply.take()
      gone = reply.gone
      await reply.write(SWITCHED)
      await reply.source.rest()
      reply.end()
    }
    const client = await stage.connect()
    await client.ask(request('GET', '/api/v1/ingest/ws', [ACME, ...HANDSHAKE]))
    client.reset()
    await within('the upstream’s side to end', gone, 1_500)
  })

  test('is ended when nothing moves for the idle limit', async () => {
    stage.ingest.script = capitals
    using client = await stage.connect()
    await client.ask(request('GET', '/api/v1/ingest/ws', [ACME, ...HANDSHAKE]))
    await client.send('x')
    assert.equal(await client.source.text(1), 'X')
    await client.closed()
  })

  test('is no tunnel when the upstream answers as usual: HTTP goes on', async () => {
    stage.ingest.script = (_, reply) => reply.write(response('200 OK', [], 'plain'))
    using client = await stage.connect()
    for (let round = 0; round < 2; round++) {
      const got = await client.ask(request('GET', '/api/v1/ingest/ws', [ACME, ...HANDSHAKE]))
      assert.deepEqual([got.status, got.text], [200, 'plain'])
    }
    stage.ingest.script = (_, reply) => reply.write(response('403 Forbidden', [['X-Why', 'no']], 'not you'))
    assert.equal(
      (await client.ask(request('GET', '/api/v1/ingest/ws', [ACME, ...HANDSHAKE]))).text,
      'not you',
    )
    stage.ingest.script = echo
    assert.equal((await client.ask(request('GET', '/api/v1/ingest/x', [ACME]))).status, 200)
  })
})
