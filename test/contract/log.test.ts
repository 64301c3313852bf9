import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { Gateway } from '../support/gateway.ts'
import { echo, response } from '../support/origin.ts'
import { askOnce, RawClient, request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { SECRET, token } from '../support/token.ts'
import { until } from '../support/until.ts'

let stage: Stage

before(async () => {
  stage = await openStage({ GATEWAY_WORKERS: '2', GATEWAY_LOG_LEVEL: 'DEBUG' })
})
after(() => stage[Symbol.asyncDispose]())

/** The access line of one request of tenant acme. */
async function lineOf(id: string, method: string, target: string, body: string | null = null) {
  await stage.askAs(method, target, [['X-Request-ID', id]], body)
  return stage.gateway.access(id)
}

describe('the access line', () => {
  test('tells a proxied exchange', async () => {
    stage.ingest.script = async (seen, reply) => {
      await seen.body
      await reply.write(response('201 Created', [], 'twelve bytes'))
    }
    const line = await lineOf('log-1', 'POST', '/api/v1/ingest/a%2Fb?secret=1', 'hello')
    assert.match(line.timestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/)
    assert.ok(Math.abs(Date.parse(line.timestamp ?? '') - Date.now()) < 60_000)
    assert.equal(line.level, 'info')
    assert.ok(typeof line.logger === 'string' && typeof line.event === 'string')
    const { method, path, status_code, company_id, subject, client_ip, route, upstream, target } = line
    assert.deepEqual(
      { method, path, status_code, company_id, subject, client_ip, route, upstream, target },
      {
        method: 'POST',
        path: '/api/v1/ingest/a%2Fb',
        status_code: 201,
        company_id: 'acme',
        subject: 'user-1',
        client_ip: '127.0.0.1',
        route: 'ingest',
        upstream: 'ingest',
        target: `127.0.0.1:${stage.ingest.port}`,
      },
    )
    assert.ok((line.duration ?? -1) >= 0 && (line.duration ?? 99) < 30)
    assert.deepEqual([line.bytes_in, line.bytes_out], [5, 12])
    assert.ok(line.code === undefined || line.code === null)
    assert.ok(line.aborted === undefined || line.aborted === false)
  })

  test('stands there exactly once, for own endpoints and refusals too', async () => {
    const asks: [string, string, number, string | null][] = [
      ['log-own', '/', 200, null],
      ['log-404', '/nope', 404, 'route_unknown'],
      ['log-400', '/api/v1/ingest/../x', 400, 'path_unsafe'],
    ]
    for (const [id, target, status, code] of asks) {
      const line = await lineOf(id, 'GET', target)
      assert.deepEqual([line.status_code, line.code ?? null], [status, code])
    }
    await lineOf('log-last', 'GET', '/')
    for (const [id] of asks)
      assert.equal(
        stage.gateway.lines.filter((line) => line.request_id === id && line.status_code !== undefined).length,
        1,
      )
  })

  test('is all there is of an exchange at INFO; DEBUG adds its steps', async () => {
    stage.ingest.script = echo
    await lineOf('log-debug', 'GET', '/api/v1/ingest/x')
    const steps = () =>
      stage.gateway.lines.filter(({ request_id, level }) => request_id === 'log-debug' && level === 'debug')
    await until('a step of the exchange', () => steps().length > 0, 2_000)
    await using info = await openStage()
    await info.askAs('GET', '/api/v1/ingest/x', [['X-Request-ID', 'log-info']])
    await info.gateway.access('log-info')
    await info.gateway.stop()
    assert.equal(info.gateway.lines.filter(({ request_id }) => request_id === 'log-info').length, 1)
  })

  test('says that the client left', async () => {
    stage.ingest.script = async (_, reply) => {
      await reply.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart')
      await reply.gone
    }
    using client = await stage.connect()
    await client.send(request('GET', '/api/v1/ingest/x', [ACME, ['X-Request-ID', 'log-left']]))
    await client.source.more()
    client.reset()
    assert.equal((await stage.gateway.access('log-left')).aborted, true)
  })
})

describe('the log', () => {
  test('holds no token, secret, query, cookie or body at any level', async () => {
    stage.ingest.script = echo
    const bad = token({ sub: 'someone', exp: 1 })
    const cookie = 'session-cookie-value'
    await stage.askAs('GET', '/api/v1/ingest/x?access_token=query-value', [
      ['Cookie', cookie],
      ['X-Request-ID', 'log-quiet'],
    ])
    await stage.ask('POST', '/api/v1/ingest/x', [['Authorization', `Bearer ${bad}`]], 'the-body-value')
    await stage.ask('GET', '/api/auth/x', [['Authorization', 'Basic c2VjcmV0LXdvcmQ=']])
    await lineOf('log-sync', 'GET', '/')
    const secrets = [
      ACME[1].slice(7),
      bad,
      SECRET,
      'query-value',
      cookie,
      'the-body-value',
      'c2VjcmV0LXdvcmQ=',
    ]
    for (const secret of secrets) assert.ok(!stage.gateway.output.includes(secret), secret)
    for (const part of [...ACME[1].slice(7).split('.'), ...bad.split('.')].filter((each) => each.length > 20))
      assert.ok(!stage.gateway.output.includes(part), part)
  })

  test('is whole JSON lines with their four keys, one per exchange, however many threads write', async () => {
    stage.ingest.script = (_, reply) => reply.write(response('200 OK', [], 'x'))
    const clients = await Promise.all(Array.from({ length: 16 }, () => stage.connect()))
    const each = 100
    await Promise.all(
      clients.map(async (client, index) => {
        const ids = Array.from({ length: each }, (_, at) => `many-${index}-${at}`)
        const asks = ids.map((id) =>
          request('GET', `/api/v1/ingest/${'p'.repeat(index * 40)}`, [ACME, ['X-Request-ID', id]]),
        )
        void client.send(Buffer.concat(asks))
        for (const _ of ids) assert.equal((await client.read()).status, 200)
        client.leave()
      }),
    )
    const many = () =>
      stage.gateway.lines.filter((line) => line.request_id?.startsWith('many-') && line.status_code === 200)
    await until('an access line each', () => many().length >= 16 * each)
    assert.equal(new Set(many().map((line) => line.request_id)).size, 16 * each)
    assert.equal(many().length, 16 * each)
    for (const line of stage.gateway.lines) {
      assert.equal(line.unparsed, undefined)
      for (const key of ['timestamp', 'level', 'logger', 'event'] as const)
        assert.equal(typeof line[key], 'string')
    }
  })

  test('at WARNING leaves out what went well', async () => {
    // It does not even say where it listens: the port has to be known.
    const port = await freePort()
    const settings = { GATEWAY_JWT_SECRET: SECRET, GATEWAY_LOG_LEVEL: 'WARNING', GATEWAY_PORT: String(port) }
    await using quiet = new Gateway({ ...settings, GATEWAY_INGEST_SERVICE_URL: stage.ingest.url })
    stage.ingest.script = echo
    const ask = request('GET', '/api/v1/ingest/x', [ACME, ['X-Request-ID', 'level-1']])
    await until('it to listen', () => askOnce(port, request('GET', '/')).catch(() => null), 30_000)
    assert.equal((await askOnce(port, ask)).status, 200)
    assert.equal((await quiet.stop()).code, 0)
    assert.deepEqual(
      quiet.lines.filter((line) => line.level !== 'warning' && line.level !== 'error'),
      [],
    )
  })

  test('with an unknown level is INFO, with a warning', async () => {
    await using odd = await openStage({ GATEWAY_LOG_LEVEL: 'CHATTY' })
    await odd.askAs('GET', '/', [['X-Request-ID', 'level-2']])
    await odd.gateway.access('level-2')
    assert.ok(
      odd.gateway.lines.some(
        (line) => line.level === 'warning' && JSON.stringify(line).includes('LOG_LEVEL'),
      ),
    )
  })

  test('that nobody reads does not stop traffic or fill memory; what was lost is counted', async () => {
    await using other = await openStage({}, (_, reply) => reply.write(response('200 OK', [], 'x')))
    const { gateway } = other
    gateway.holdOutput()
    using client = await RawClient.connect(other.port)
    const ask = request('GET', `/api/v1/ingest/${'p'.repeat(14_000)}`, [ACME])
    let resident = 0
    for (let round = 0; round < 16; round++) {
      void client.send(Buffer.concat(Array.from({ length: 200 }, () => ask)))
      for (let at = 0; at < 200; at++) assert.equal((await client.read()).status, 200)
      if (round === 3) resident = gateway.residentBytes
    }
    const grown = gateway.residentBytes - resident
    assert.ok(grown < 24 << 20, `resident memory grew by ${grown} bytes while 33 MB of lines were written`)
    gateway.releaseOutput()
    const lost = await gateway.line('of lost lines', (line) =>
      /lost|dropped/i.test(JSON.stringify([line.event, Object.keys(line)])),
    )
    assert.ok(
      Object.values(lost).some((value) => typeof value === 'number' && value > 0) ||
        /\d/.test(lost.event ?? ''),
    )
  })
})
