import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Field } from '../support/message.ts'
import { echo, Origin, type Script } from '../support/origin.ts'
import { askOnce, chunked, request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'

let stage: Stage

before(async () => {
  stage = await openStage()
})
after(async () => {
  assert.deepEqual(stage.ingest.violations, [], 'the upstream was never sent anything but HTTP/1.1')
  await stage[Symbol.asyncDispose]()
})

/** Fields the gateway writes itself (contract section 5): everything else is the client's. */
const OWNED = [
  'host',
  'x-company-id',
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'via',
]

function clientFields(fields: readonly Field[]): Field[] {
  return fields.filter(([name]) => !OWNED.includes(name.toLowerCase()))
}

describe('the upstream receives', () => {
  test('the method and the target verbatim', async () => {
    const targets = [
      '/api/v1/ingest/a%2Fb/%20/caf%C3%A9/caf%c3%a9/%FF/%zz/a%2520b/a+b',
      '/api/v1/ingest//a//b/',
      '/api/v1/ingest/x?a=1&a=2&&b=%2e%2E/../&flag&q=a+b;c?d={"e":[1]}|^`\\',
      '/api/v1/ingest/x?',
      '/api/v1/ingest?',
      '/api/v1/ingest',
      '/api/v1/ingest/',
      `/api/v1/ingest/x?${'q'.repeat(16_000)}`,
    ]
    for (const target of targets)
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD']) {
        assert.equal((await stage.askAs(method, target)).status, 200, `${method} ${target}`)
        assert.deepEqual([stage.ingest.last.method, stage.ingest.last.target], [method, target])
      }
  })

  test('every field with its case, order, duplicates, emptiness and bytes', async () => {
    const fields: Field[] = [
      ['zEta', '1'],
      ACME,
      ['Cookie', 'a=1'],
      ['X-Same', 'first'],
      ['Accept', 'text/html;q=0.9, */*'],
      ['x-same', 'second'],
      ['X-Empty', ''],
      ['X-Latin', 'Se\u00f1or \u00ff'],
      ['X-Tab', 'a\tb'],
      ['Cookie', 'b=2'],
      ["!#$%&'*+-.^_`|~1", 'token characters'],
      ['Accept-Encoding', 'gzip'],
      ['X-Long', 'v'.repeat(20_000)],
    ]
    assert.equal((await stage.ask('GET', '/api/v1/ingest/x', fields)).status, 200)
    assert.deepEqual(clientFields(stage.ingest.last.fields), fields)
  })

  test('no field that nobody sent', async () => {
    assert.equal((await stage.ask('GET', '/api/auth/x')).status, 200)
    assert.deepEqual(clientFields(stage.auth.last.fields), [])
  })

  test('no body with a bodyless request of any method', async () => {
    for (const method of ['GET', 'HEAD', 'DELETE', 'POST', 'PUT', 'PATCH']) {
      assert.equal((await stage.askAs(method, '/api/v1/ingest/x')).status, 200)
      assert.equal(stage.ingest.last.framing, 'none', method)
    }
  })

  test('Content-Length as Content-Length, zero included', async () => {
    for (const method of ['POST', 'GET', 'DELETE', 'HEAD'])
      for (const body of ['', 'x', 'y'.repeat(100_000)]) {
        assert.equal((await stage.askAs(method, '/api/v1/ingest/x', [], body)).status, 200)
        assert.deepEqual(stage.ingest.last.all('content-length'), [String(body.length)])
        assert.equal((await stage.ingest.last.body).length, body.length)
      }
  })

  test('chunked as chunked, with its trailers, owned and framing fields dropped from them', async () => {
    const trailers: Field[] = [
      ['X-Checksum', 'abc'],
      ['X-Company-ID', 'evil'],
      ['x_company_id', 'evil'],
      ['Content-Length', '5'],
      ['Transfer-Encoding', 'chunked'],
      ['Host', 'evil'],
      ['X-Request-ID', 'evil'],
      ['X-checksum', 'def'],
    ]
    const fields: Field[] = [
      ['Transfer-Encoding', 'chunked'],
      ['Trailer', 'X-Checksum'],
    ]
    const response = await stage.askAs('POST', '/api/v1/ingest/x', fields, chunked(['he', 'llo'], trailers))
    assert.equal(response.status, 200)
    const seen = stage.ingest.last
    assert.equal(seen.framing, 'chunked')
    assert.equal(seen.get('x-checksum'), null, 'a trailer never becomes a header field')
    const body = await seen.body
    assert.equal(body.bytes.toString(), 'hello')
    assert.deepEqual(body.trailers, [
      ['X-Checksum', 'abc'],
      ['X-checksum', 'def'],
    ])
  })

  test('chunk extensions dropped', async () => {
    const coded = Buffer.from('5;name=value;q="a;b\\""\r\nhello\r\n0;last\r\n\r\n')
    const response = await stage.askAs('POST', '/api/v1/ingest/x', [['Transfer-Encoding', 'chunked']], coded)
    assert.equal(response.status, 200, response.text)
    // The origin's reader takes no extension for a chunk size: it would have failed.
    assert.equal((await stage.ingest.last.body).bytes.toString(), 'hello')
  })

  test('a body as it arrives, not when it is whole', async () => {
    using client = await stage.connect()
    await client.send(request('POST', '/api/v1/ingest/streamed', [ACME, ['Content-Length', '10']]))
    const seen = await stage.ingest.sees('/streamed')
    assert.equal(seen.framing, 'content-length')
    await client.send('01234')
    await client.send('56789')
    assert.equal((await client.read('POST')).status, 200)
  })

  test('Expect: 100-continue, whose answer is the upstream’s', async () => {
    const script: Script = async (seen, reply) => {
      await reply.write('HTTP/1.1 100 Continue\r\nX-Go: on\r\n\r\n')
      await echo(seen, reply)
    }
    stage.ingest.script = script
    try {
      using client = await stage.connect()
      const fields: Field[] = [ACME, ['Expect', '100-continue'], ['Content-Length', '8']]
      await client.send(request('POST', '/api/v1/ingest/expected', fields))
      await stage.ingest.sees('/expected')
      await client.send('expected')
      const response = await client.read('POST')
      assert.deepEqual(response.interim, [{ status: 100, fields: [['X-Go', 'on']] }])
      assert.equal(response.status, 200)
      assert.equal(stage.ingest.last.get('expect'), '100-continue')
    } finally {
      stage.ingest.script = echo
    }
  })

  test('nothing but the path of an absolute-form target, whose authority counts', async () => {
    const target = 'http://other.test:81/api/v1/ingest/abs?x=1'
    assert.equal((await stage.askAs('GET', target)).status, 200)
    assert.equal(stage.ingest.last.target, '/api/v1/ingest/abs?x=1')
    assert.equal(stage.ingest.last.get('x-forwarded-host'), 'other.test:81')
  })

  test('pipelined requests in order, each with its own answer', async () => {
    using client = await stage.connect()
    const count = 20
    const requests = Array.from({ length: count }, (_, index) =>
      request('POST', `/api/v1/ingest/p${index}`, [ACME], 'b'.repeat(index)),
    )
    await client.send(Buffer.concat(requests))
    for (let index = 0; index < count; index++) {
      const told = (await client.read('POST')).json<{ target: string; length: number }>()
      assert.deepEqual([told.target, told.length], [`/api/v1/ingest/p${index}`, index])
    }
  })

  test('the same whatever pieces it arrives in', async () => {
    const bytes = request(
      'POST',
      '/api/v1/ingest/pieces?q',
      [ACME, ['Transfer-Encoding', 'chunked']],
      chunked(['he', 'llo'], [['X-T', '1']]),
    )
    using client = await stage.connect()
    await client.sendPieces([...bytes].map((byte) => Buffer.of(byte)))
    assert.equal((await client.read('POST')).status, 200)
    const body = await stage.ingest.last.body
    assert.deepEqual([body.bytes.toString(), body.trailers], ['hello', [['X-T', '1']]])
  })

  test('the base path of its URL before the path, and no cookie of another exchange', async () => {
    await using origin = await Origin.start(async (seen, reply) => {
      if (seen.target.endsWith('/set'))
        await reply.write('HTTP/1.1 204 No Content\r\nSet-Cookie: s=1; Path=/\r\n\r\n')
      else await echo(seen, reply)
    })
    await using other = await openStage({
      GATEWAY_INGEST_SERVICE_URL: `${origin.url}/base/`,
      GATEWAY_QUERY_SERVICE_URL: `${origin.url}/`,
      GATEWAY_AUTH_SERVICE_URL: `${origin.url}/deep/er`,
    })
    const sent: [string, string][] = [
      ['/api/v1/ingest/x?a=1', '/base/api/v1/ingest/x?a=1'],
      ['/api/v1/query/x', '/api/v1/query/x'],
      ['/api/auth/set', '/deep/er/api/auth/set'],
      ['/api/auth', '/deep/er/api/auth'],
    ]
    for (const [target, expected] of sent) {
      await askOnce(other.port, request('GET', target, [ACME]))
      assert.equal(origin.last.target, expected)
      assert.deepEqual(origin.last.all('cookie'), [])
      assert.equal(origin.last.get('host'), `127.0.0.1:${origin.port}`)
    }
  })
})
