import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { echo, response, type Script } from '../support/origin.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

// The fault: an upstream answers, 413 or 401, while the client is still sending. A proxy that insists on finishing the
// body first, in either direction, waits for ever.

const MIB = 1 << 20
const BODY = Buffer.alloc(16 * MIB, 'u')

let stage: Stage
let descriptors = 0

before(async () => {
  stage = await openStage({ GATEWAY_HTTP_CLIENT_TIMEOUT: '5' })
  await stage.askAs('GET', '/api/v1/ingest/x')
  descriptors = stage.gateway.descriptors
})
after(() => stage[Symbol.asyncDispose]())

const ANSWERS: Readonly<Record<string, Script>> = {
  'and reads on': (_, reply) => reply.write(response('413 Content Too Large', [], 'too large')),
  'and closes': (_, reply) => {
    reply.take() // nothing more is read
    reply.end(response('413 Content Too Large', [['Connection', 'close']], 'too large'))
  },
  'and closes without saying so': (_, reply) => {
    reply.take()
    reply.end(response('413 Content Too Large', [], 'too large'))
  },
  'and stops reading': async (_, reply) => {
    reply.take()
    await reply.write(response('413 Content Too Large', [], 'too large'))
    await reply.gone
  },
}

describe('the client gets an answer that came before its upload ended', () => {
  for (const [name, script] of Object.entries(ANSWERS)) {
    for (const framing of ['sized', 'chunked'] as const)
      test(`when the upstream answers ${name} (${framing})`, async () => {
        stage.ingest.script = script
        using client = await stage.connect()
        const bytes =
          framing === 'sized'
            ? request('POST', '/api/v1/ingest/early', [ACME], BODY)
            : Buffer.concat([
                request('POST', '/api/v1/ingest/early', [ACME, ['Transfer-Encoding', 'chunked']]),
                Buffer.from(`${BODY.length.toString(16)}\r\n`),
                BODY,
                Buffer.from('\r\n0\r\n\r\n'),
              ])
        const got = await client.ask(bytes, 'POST')
        assert.deepEqual([got.status, got.text, got.body.complete], [413, 'too large', true])
      })

    test(`when the upstream answers ${name}, to a client that reads only once it has sent all`, async () => {
      stage.ingest.script = script
      using client = await RawClient.connect(stage.port)
      const over = new Promise<void>((resolve) => client.socket.once('close', () => resolve()))
      await Promise.race([
        client.send(request('POST', '/api/v1/ingest/early', [ACME], BODY.subarray(0, 8 * MIB))),
        over,
      ])
      const got = await client.read('POST')
      assert.deepEqual([got.status, got.text], [413, 'too large'])
    })
  }

  test('and no connection with half a body is left over', async () => {
    stage.ingest.script = echo
    await until('both ends of each to be closed', () => stage.gateway.descriptors <= descriptors, 15_000)
    assert.equal((await stage.askAs('GET', '/api/v1/ingest/x')).status, 200)
  })
})

describe('an answer that streams while the upload does', () => {
  test('goes both ways at once', async () => {
    stage.ingest.script = async (seen, reply) => {
      await reply.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n')
      const { length } = await seen.body
      await reply.write(`${String(length).length.toString(16)}\r\n${length}\r\n0\r\n\r\n`)
    }
    using client = await stage.connect()
    await client.send(request('POST', '/api/v1/ingest/both', [ACME, ['Content-Length', '10']], '01234'))
    let received = ''
    const reading = client.read('POST', (chunk) => {
      received += chunk.toString()
    })
    await until('the first part of the answer', () => received === 'first')
    await client.send('56789')
    assert.equal((await reading).text, 'first10')
  })
})
