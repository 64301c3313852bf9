import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { echo, Origin, response, type Script } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import { askOnce, RawClient, request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

/** Patience of two seconds; the query upstream is down, the auth one accepts and never reads. */
let stage: Stage
let deaf: Origin

before(async () => {
  deaf = await Origin.start(undefined, { deaf: 'deaf' })
  stage = await openStage(
    {
      GATEWAY_HTTP_CLIENT_TIMEOUT: '2',
      GATEWAY_QUERY_SERVICE_URL: `http://127.0.0.1:${await freePort()}`,
      GATEWAY_AUTH_SERVICE_URL: deaf.url,
    },
    nonsenseOrEcho,
  )
})
after(async () => {
  await stage[Symbol.asyncDispose]()
  await deaf[Symbol.asyncDispose]()
})

const NONSENSE = [
  'this is not HTTP\r\n\r\n',
  '',
  'HTTP/1.1 200 OK\r\nContent-Le',
  'HTTP/1.1 20 OK\r\n\r\n',
  'HTTP/2.0 200 OK\r\n\r\n',
]

const nonsenseOrEcho: Script = async (seen, reply) => {
  const [, index] = /\/nonsense\/(\d)$/.exec(seen.target) ?? []
  if (index === undefined) return echo(seen, reply)
  await seen.body
  reply.end(NONSENSE[Number(index)])
}

/** Refused before any route, and not trusted with another request. */
async function refusesAndCloses(bytes: string, status: number, code: string): Promise<void> {
  using client = await RawClient.connect(stage.port)
  const got = await client.ask(bytes)
  assertProblem(got, status, code)
  assert.equal(got.get('connection'), 'close')
  assert.equal((await client.closed()).length, 0)
  assert.ok(!stage.ingest.seen.some((seen) => seen.target.includes('/refused')))
}

const HEAD = `GET /api/v1/ingest/refused HTTP/1.1\r\nHost: gw.test\r\n${ACME.join(': ')}\r\n`

describe('a request is refused', { concurrency: true }, () => {
  test('that is no HTTP: 400 request_malformed', async () => {
    const bad = [
      'NOT-HTTP\r\n\r\n',
      'GET /api/v1/ingest/a b HTTP/1.1\r\nHost: gw.test\r\n\r\n',
      'GET /api/v1/ingest/refused HTTP/1.1\r\n\r\n',
      'GET /api/v1/ingest/refused HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
      'GET /api/v1/ingest/refused HTTP/1.1\r\nHost: a b\r\n\r\n',
      'GET /api/v1/ingest/refused HTTP/1.1\nHost: gw.test\n\n',
      `${HEAD}X-Fold: a\r\n b\r\n\r\n`,
      `${HEAD}X-Space : a\r\n\r\n`,
      `${HEAD}X-Control: a\u0001\r\n\r\n`,
      `${HEAD}no colon\r\n\r\n`,
    ]
    for (const bytes of bad) await refusesAndCloses(bytes, 400, 'request_malformed')
  })

  test('with a version that is not spoken: 505 version_unsupported', async () => {
    for (const version of ['HTTP/2.0', 'HTTP/0.9', 'HTTP/3.0', 'HTTP/9.9'])
      await refusesAndCloses(`GET / ${version}\r\nHost: gw.test\r\n\r\n`, 505, 'version_unsupported')
  })

  test('with a coding that is not known: 501 transfer_coding_unknown', async () => {
    for (const coding of ['gzip, chunked', 'identity', 'gzip'])
      await refusesAndCloses(
        `${HEAD}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n`,
        501,
        'transfer_coding_unknown',
      )
  })

  test('with a target over 16 KiB: 414 target_too_long', async () => {
    await refusesAndCloses(
      `GET /${'x'.repeat(16_384)} HTTP/1.1\r\nHost: gw.test\r\n\r\n`,
      414,
      'target_too_long',
    )
    const longest = `/api/v1/ingest/${'x'.repeat(16_384 - 15)}`
    assert.equal((await stage.askAs('GET', longest)).status, 200)
  })

  test('with a head over 32 KiB, endless ones too: 431 head_too_large', async () => {
    await refusesAndCloses(`${HEAD}X-Big: ${'x'.repeat(32_768)}\r\n\r\n`, 431, 'head_too_large')
    await refusesAndCloses(`${HEAD}${'X: y\r\n'.repeat(6_000)}\r\n`, 431, 'head_too_large')
    await refusesAndCloses(`${HEAD}X-Endless: ${'x'.repeat(40_000)}`, 431, 'head_too_large')
    const start = HEAD.replace('/refused', '/longest')
    const rest = 32_768 - start.length - 'X-Big: \r\n\r\n'.length
    using client = await stage.connect()
    assert.equal((await client.ask(`${start}X-Big: ${'x'.repeat(rest)}\r\n\r\n`)).status, 200)
  })

  test('that expects something else than 100-continue: 417 expectation_failed', async () => {
    const got = await stage.askAs('POST', '/api/v1/ingest/x', [['Expect', '200-maybe']], 'x')
    assertProblem(got, 417, 'expectation_failed')
  })

  test('with an unsafe path: 400 path_unsafe', async () => {
    for (const path of ['/api/v1/ingest/../x', '/api/v1/ingest/%2e%2E/x', '/api/v1/ingest/a%00'])
      assertProblem(await stage.askAs('GET', path), 400, 'path_unsafe')
  })

  test('of a method the route has not: 405 with those it has', async () => {
    for (const method of ['TRACE', 'PROPFIND', 'get', 'OPTIONS', 'M-SEARCH']) {
      const got = await stage.ask(method, '/api/v1/ingest/x')
      assertProblem(got, 405, 'method_not_allowed', 'Method Not Allowed')
      const allowed = (got.get('allow') ?? '').split(', ')
      for (const name of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'])
        assert.ok(allowed.includes(name), method)
    }
  })

  test('whose head is too slow: 408 request_timeout', async () => {
    using client = await RawClient.connect(stage.port, { patienceMs: 20_000 })
    const got = await client.ask('GET /api/v1/ingest/x HTTP/1.1\r\nHost: gw.t')
    assertProblem(got, 408, 'request_timeout')
    assert.equal(got.get('connection'), 'close')
    await client.closed()
  })

  test('whose body is too slow: 408 request_timeout, and its upstream request ends', async () => {
    using client = await stage.connect()
    const got = await client.ask(
      request('POST', '/api/v1/ingest/slow-body', [ACME, ['Content-Length', '10']], 'half'),
      'POST',
    )
    assertProblem(got, 408, 'request_timeout')
    await client.closed()
    assert.equal((await (await stage.ingest.sees('/slow-body')).body).complete, false)
  })
})

describe('an upstream', () => {
  test('that refuses connections: 503 connect_failed', async () => {
    const got = await stage.askAs('GET', '/api/v1/query/x')
    assertProblem(got, 503, 'connect_failed', 'Upstream service query is unavailable.')
  })

  test('whose name nobody knows: 503 connect_failed', async () => {
    await using other = await openStage({ GATEWAY_INGEST_SERVICE_URL: 'http://nope.invalid' })
    const got = await other.askAs('POST', '/api/v1/ingest/x', [], 'body')
    assertProblem(got, 503, 'connect_failed', 'Upstream service ingest is unavailable.')
  })

  test('that answers nonsense or nothing: 502 upstream_invalid, without a word of its own', async () => {
    for (const index of NONSENSE.keys()) {
      const got = await stage.askAs('POST', `/api/v1/ingest/nonsense/${index}`, [], 'b')
      const { detail } = assertProblem(got, 502, 'upstream_invalid')
      assert.match(detail, /^Error communicating with upstream service: [A-Za-z][\w ,'’./-]*$/)
      assert.ok(
        !detail.includes(String(stage.ingest.port)) &&
          !detail.includes('127.0.0.1') &&
          !detail.includes('not HTTP'),
      )
    }
  })
})

describe('a slow upstream', { concurrency: true }, () => {
  test('that does not answer: 504 upstream_timeout', async () => {
    const got = await stage.ask('GET', '/api/auth/x')
    assertProblem(got, 504, 'upstream_timeout', 'Upstream service auth timed out.')
    assert.ok(Number(got.get('x-process-time')) >= 1.9)
  })

  test('that stops taking the body before it answers: 504 upstream_timeout', async () => {
    using client = await stage.connect()
    const got = await client.ask(request('POST', '/api/auth/x', [], Buffer.alloc(32 << 20)), 'POST')
    assertProblem(got, 504, 'upstream_timeout', 'Upstream service auth timed out.')
  })

  test('that never ends its TLS handshake: 504 upstream_timeout', async () => {
    await using other = await openStage({
      GATEWAY_INGEST_SERVICE_URL: deaf.url.replace('http:', 'https:'),
      GATEWAY_HTTP_CLIENT_CONNECT_TIMEOUT: '0.5',
    })
    const got = await other.askAs('GET', '/api/v1/ingest/x')
    assertProblem(got, 504, 'upstream_timeout', 'Upstream service ingest timed out.')
  })

  test('that stalls within its body breaks the client’s connection', async () => {
    await using other = await openStage({ GATEWAY_HTTP_CLIENT_TIMEOUT: '2' }, async (_, reply) => {
      await reply.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npart')
      await reply.gone
    })
    const got = await other.askAs('GET', '/api/v1/ingest/x')
    assert.deepEqual([got.status, got.text, got.body.complete], [200, 'part', false])
  })

  test('that is slow but moving is not timed out', async () => {
    await using other = await openStage({ GATEWAY_HTTP_CLIENT_TIMEOUT: '2' }, async (_, reply) => {
      await reply.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n')
      for (const letter of 'slow') {
        await new Promise((resolve) => setTimeout(resolve, 700))
        await reply.write(letter)
      }
    })
    const got = await other.askAs('GET', '/api/v1/ingest/x')
    assert.deepEqual([got.text, got.body.complete], ['slow', true])
  })

  test('with all its connections in use: 503 upstream_saturated with Retry-After', async () => {
    const held: (() => void)[] = []
    const settings = { GATEWAY_HTTP_CLIENT_MAX_CONNECTIONS: '2', GATEWAY_HTTP_CLIENT_CONNECT_TIMEOUT: '1' }
    await using other = await openStage(settings, async (_, reply) => {
      await new Promise<void>((resolve) => void held.push(resolve))
      await reply.write(response('200 OK', [], 'late'))
    })
    const ask = request('GET', '/api/v1/ingest/x', [ACME])
    const first = [askOnce(other.port, ask), askOnce(other.port, ask)]
    await until('both connections to be in use', () => held.length === 2)
    const got = await askOnce(other.port, ask)
    assertProblem(got, 503, 'upstream_saturated', 'Upstream service ingest is at capacity.')
    assert.match(got.get('retry-after') ?? '', /^\d+$/)
    for (const go of held) go()
    for (const each of await Promise.all(first)) assert.equal(each.text, 'late')
    assert.equal(other.ingest.accepted, 2)
    other.ingest.script = (_, reply) => reply.write(response('200 OK', [], 'again'))
    assert.equal((await askOnce(other.port, ask)).text, 'again', 'the places are free again')
  })
})

describe('a failure', () => {
  test('has no body but all its fields in answer to HEAD', async () => {
    const got = await stage.askAs('HEAD', '/api/v1/query/x')
    assert.equal(got.status, 503)
    assert.equal(got.get('content-type'), 'application/problem+json')
    assert.ok(Number(got.get('content-length')) > 0)
  })

  test('before the body is read leaves no part of the body to be taken for a request', async () => {
    using client = await stage.connect()
    const inner = request('GET', '/health')
    await client.send(request('POST', '/api/v1/ingest/x', [['Content-Length', String(inner.length)]]))
    assertProblem(await client.read('POST'), 401, 'token_missing')
    void client.send(Buffer.concat([inner, request('GET', '/')]))
    const next = await client.tryRead()
    if (next !== null) assert.match(next.text, /is running/)
  })
})
