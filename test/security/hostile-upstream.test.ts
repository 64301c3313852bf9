import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { echo, type Origin, response, type Script, type Told } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import { chunked, type RawResponse, request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

// The attack comes from behind: an upstream, taken over or just broken, answers so that the gateway and a client, or the
// gateway and its own next exchange, disagree on where the answer ends.

let stage: Stage
let origin: Origin

before(async () => {
  stage = await openStage({ GATEWAY_HTTP_CLIENT_TIMEOUT: '8' })
  origin = stage.ingest
})
after(() => stage[Symbol.asyncDispose]())

const ASK = request('POST', '/api/v1/ingest/x', [ACME], 'b')

/** The answer to a POST, which nobody may repeat, and the proof that its connection is not used again. */
async function answered(script: Script): Promise<RawResponse> {
  origin.script = script
  using client = await stage.connect()
  const got = await client.ask(ASK, 'POST')
  const { connection } = origin.last
  origin.script = echo
  using another = await stage.connect()
  const next = await another.ask(request('GET', '/api/v1/ingest/next', [ACME]))
  assert.equal(next.json<Told>().target, '/api/v1/ingest/next')
  assert.notEqual(origin.last.connection, connection, 'the connection was used again')
  return got
}

describe('an upstream’s head is 502 upstream_invalid', () => {
  const HEADS: Readonly<Record<string, string>> = {
    'with two Content-Lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'with a list of Content-Lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab',
    'with a signed Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na',
    'with Content-Length and Transfer-Encoding':
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'with an unknown coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'with chunked twice':
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'with a space before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na',
    'with a folded line': 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n',
    'with a NUL in a field': 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n',
    'with a bare CR in a field': 'HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: evil=1\r\nContent-Length: 0\r\n\r\n',
    'with bare LFs': 'HTTP/1.1 200 OK\nContent-Length: 0\n\n',
    'with a status of two digits': 'HTTP/1.1 99 Low\r\nContent-Length: 0\r\n\r\n',
    'with a status beyond the classes': 'HTTP/1.1 999 High\r\nContent-Length: 0\r\n\r\n',
    'with another protocol': 'ICY 200 OK\r\n\r\n',
    'without a status line': '\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
    'that is a request': 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'that is TLS': '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  }
  for (const [name, bytes] of Object.entries(HEADS))
    test(name, async () => {
      assertProblem(await answered((_, reply) => reply.end(bytes)), 502, 'upstream_invalid')
    })

  test('without an end', async () => {
    const got = await answered(async (_, reply) => {
      await reply.write('HTTP/1.1 200 OK\r\n')
      const line = `X-Endless: ${'x'.repeat(8_000)}\r\n`
      for (let sent = 0; sent < 400 && !reply.socket.destroyed && reply.socket.writable; sent++) {
        reply.socket.write(line)
        await new Promise(setImmediate)
      }
      await reply.gone
    })
    assertProblem(got, 502, 'upstream_invalid')
  })

  test('behind a flood of 1xx', async () => {
    const interim = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(100)
    const got = await answered(async (_, reply) => {
      for (let sent = 0; sent < 2_000 && reply.socket.writable; sent++) {
        reply.socket.write(interim)
        await new Promise(setImmediate)
      }
      await reply.gone
    })
    assertProblem(got, 502, 'upstream_invalid')
    assert.ok(got.interim.length < 10_000, `${got.interim.length} were passed on`)
  })
})

describe('an upstream’s body', () => {
  test('with a bad chunk breaks the client’s connection', async () => {
    const bad = [
      '5;\nx\r\nhello\r\n0\r\n\r\n',
      '+5\r\nhello\r\n0\r\n\r\n',
      '5\nhello\r\n0\r\n\r\n',
      '5\r\nhello0\r\n\r\n',
      'ffffffffffffffffff\r\nhello',
      '5\r\nhello\r\n0\r\nno trailer\r\n\r\n',
      '5\r\nhello\r\nG\r\n',
    ]
    for (const body of bad) {
      const got = await answered((_, reply) =>
        reply.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`),
      )
      if (got.status === 502) assertProblem(got, 502, 'upstream_invalid')
      else assert.deepEqual([got.status, got.body.complete], [200, false], body)
    }
  })

  test('with chunk extensions is relayed without them', async () => {
    origin.script = (_, reply) =>
      reply.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0;c\r\n\r\n')
    const got = await stage.askAs('GET', '/api/v1/ingest/x')
    assert.deepEqual([got.text, got.body.complete], ['hello', true])
  })

  test('behind a 204 or 304 is no body, and its connection is not used again', async () => {
    for (const start of ['204 No Content', '304 Not Modified'])
      for (const rest of [
        '\r\nevil',
        'Transfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n',
        'Content-Length: 4\r\n\r\nevil',
      ]) {
        origin.script = (_, reply) => reply.write(`HTTP/1.1 ${start}\r\n${rest}`)
        using client = await stage.connect()
        const got = await client.ask(request('POST', '/api/v1/ingest/x', [ACME], 'b'), 'POST')
        if (got.status === 502) assertProblem(got, 502, 'upstream_invalid')
        else assert.equal(got.statusLine, `HTTP/1.1 ${start}`)
        const { connection } = origin.last
        origin.script = echo
        const next = await client.ask(request('GET', '/api/v1/ingest/next', [ACME]))
        assert.equal(next.json<Told>().target, '/api/v1/ingest/next', `${start} ${JSON.stringify(rest)}`)
        assert.notEqual(origin.last.connection, connection)
      }
  })

  test('in answer to HEAD is no body, and its connection is not used again', async () => {
    origin.script = (_, reply) => reply.write(response('200 OK', [], 'evil'))
    using client = await stage.connect()
    assert.equal(
      (await client.ask(request('HEAD', '/api/v1/ingest/x', [ACME]), 'HEAD')).get('content-length'),
      '4',
    )
    const { connection } = origin.last
    origin.script = echo
    const next = await client.ask(request('GET', '/api/v1/ingest/next', [ACME]))
    assert.equal(next.json<Told>().target, '/api/v1/ingest/next')
    assert.notEqual(origin.last.connection, connection)
  })
})

describe('an upstream’s answer', () => {
  test('split at every byte is relayed exactly', async () => {
    const whole = Buffer.concat([
      Buffer.from(
        'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 Fine\r\nX-A: 1\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nTransfer-Encoding: chunked\r\n\r\n',
      ),
      chunked(['he', 'llo'], [['X-T', '1']]),
    ])
    // Each in its own segment, and each cut in two.
    const scripts: Script[] = [
      async (_, reply) => {
        for (const byte of whole) {
          await reply.write(Buffer.of(byte))
          await new Promise(setImmediate)
        }
      },
      ...Array.from(
        { length: whole.length - 1 },
        (_, index): Script =>
          async (_seen, reply) => {
            await reply.write(whole.subarray(0, index + 1))
            await new Promise(setImmediate)
            await reply.write(whole.subarray(index + 1))
          },
      ),
    ]
    using client = await stage.connect()
    for (const script of scripts) {
      origin.script = script
      const got = await client.ask(request('GET', '/api/v1/ingest/x', [ACME]))
      assert.deepEqual(
        [
          got.interim.map(({ status }) => status),
          got.statusLine,
          got.get('x-a'),
          got.all('set-cookie'),
          got.text,
          got.body.trailers,
        ],
        [[103], 'HTTP/1.1 200 Fine', '1', ['a', 'b'], 'hello', [['X-T', '1']]],
      )
    }
  })

  test('before the request is not taken for the answer to a later one', async () => {
    await using eager = await openStage()
    eager.ingest.script = (_, reply) => reply.write(response('200 OK', [], 'first'))
    await eager.askAs('GET', '/api/v1/ingest/x')
    const replies: (() => Promise<void>)[] = []
    eager.ingest.script = async (_, reply) => {
      replies.push(() => reply.write(response('200 OK', [], 'evil')))
      await reply.write(response('200 OK', [], 'second'))
    }
    for (let round = 0; round < 5; round++) {
      assert.equal((await eager.askAs('GET', '/api/v1/ingest/x')).text, 'second')
      await replies.at(-1)?.()
      await until('the connection to be given up', () => eager.ingest.open === 0, 2_500)
    }
    assert.equal((await eager.askAs('GET', '/api/v1/ingest/x')).text, 'second')
  })

  test('cannot write a second response into the first', async () => {
    const evil = 'a\u0085Set-Cookie: evil=1\u2028'.slice(0, -1)
    origin.script = (_, reply) => reply.write(response('200 OK', [['X-Odd', evil]], 'x'))
    const got = await stage.askAs('GET', '/api/v1/ingest/x')
    assert.equal(got.get('set-cookie'), null)
  })
})
