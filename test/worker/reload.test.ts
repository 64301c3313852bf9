import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { LOG_DEFAULTS, ownIssuer } from '../../src/config/default.ts'
import { routeTo } from '../support/config-part.ts'
import { liveUpstreams } from '../support/live-upstream.ts'
import { echo, Origin, response, type Script } from '../support/origin.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { until } from '../support/until.ts'
import { PlaneStage, planeConfig, upstreamConfig } from './open-plane.ts'

const OTHER_SECRET = 'another-secret-0123456789abcdef0123456789abcdef0123456789abcdef0123456789'

async function staged(
  own: Partial<Config>,
  use: (plane: PlaneStage, origin: Origin, reload: (own: Partial<Config>) => Promise<void>) => Promise<void>,
  script: Script = echo,
): Promise<void> {
  await using origin = await Origin.start(script)
  const first = planeConfig(origin.url, own)
  await using plane = await PlaneStage.open(first)
  let version = 0
  await use(plane, origin, async (changed) => {
    const config = { ...first, ...changed }
    const upstreams = liveUpstreams(config)
    const bare = { ...config, routes: [] }
    version++
    const using = config.routes
    const prepare = { kind: 'prepare', version, config: bare, upstreams, using, claims: [] } as const
    const preparation = await plane.plane.prepare(prepare)
    preparation.add(JSON.stringify(config.routes))
    preparation.finish()
    plane.plane.putInForce(preparation, upstreams)
  })
}

describe('a data plane with another config put in force', () => {
  test('routes by it on connections that are open already', () =>
    staged({}, async (plane, _, reload) => {
      using client = await plane.connect()
      assert.equal((await client.ask(request('GET', '/new/x'))).status, 404)
      await reload({ routes: [routeTo('orders', '/new/*', 'none')] })
      assert.equal((await client.ask(request('GET', '/new/x'))).status, 200)
      assert.equal((await client.ask(request('GET', '/open/x'))).status, 404)
    }))

  test('tells of every kept trace, whatever the config says that follows', () => {
    const tracing = { endpoint: 'http://127.0.0.1:9/v1/traces', sample: 1, headers: [], serviceName: 'test' }
    return staged({ tracing }, async (plane, _, reload) => {
      using client = await plane.connect()
      await client.ask(request('GET', '/open/x'))
      await plane.access('/open/x')
      await reload({ tracing: null })
      assert.equal(plane.spans.length, 1)
      await reload({ tracing })
      await client.ask(request('GET', '/open/y'))
      await plane.access('/open/y')
      assert.match(plane.spans[1] ?? '', /"name":"GET \/open\/\*".*"key":"http.route"/)
    })
  })

  test('lets an exchange end as it began', async () => {
    let answer = (): void => {}
    const slow: Script = async (_, reply) => {
      await new Promise<void>((resolve) => {
        answer = resolve
      })
      await reply.write(response('200 OK', [], 'ok'))
    }
    await staged(
      {},
      async (plane, origin, reload) => {
        using client = await plane.connect()
        const asked = client.ask(request('GET', '/open/x'))
        await until('the request', () => origin.seen.length === 1)
        await reload({ routes: [], upstreams: [] })
        answer()
        assert.equal((await asked).text, 'ok')
        await until('the end of what nobody uses', () => origin.open === 0)
      },
      slow,
    )
  })

  test('believes no token any more that only the former key signed', () =>
    staged({}, async (plane, _, reload) => {
      using client = await plane.connect()
      const ask = request('GET', '/orders/1', [bearer(tenantToken('acme'))])
      assert.equal((await client.ask(ask)).status, 200)
      await reload({ name: 'same key' })
      assert.equal((await client.ask(ask)).status, 200)
      await reload({
        identity: {
          issuers: [ownIssuer({ key: OTHER_SECRET, algorithm: 'HS256', clockSkewS: 0 })],
          apiKeys: null,
        },
      })
      assert.equal((await client.ask(ask)).status, 401)
    }))

  test('believes the forwarding fields of those it is told to trust now, on open connections too', () =>
    staged({}, async (plane, origin, reload) => {
      using client = await plane.connect()
      const ask = request('GET', '/open/x', [['X-Forwarded-For', '203.0.113.9']])
      await client.ask(ask)
      assert.equal(origin.last.get('x-forwarded-for'), '127.0.0.1')
      await reload({ trustedProxies: ['127.0.0.0/8'] })
      await client.ask(ask)
      assert.equal(origin.last.get('x-forwarded-for'), '203.0.113.9, 127.0.0.1')
      await reload({ trustedProxies: [] })
      await client.ask(ask)
      assert.equal(origin.last.get('x-forwarded-for'), '127.0.0.1')
    }))

  test('logs by it, and traces by it', () =>
    staged({ log: { ...LOG_DEFAULTS, level: 'info', access: false } }, async (plane, _, reload) => {
      using client = await plane.connect()
      await client.ask(request('GET', '/open/a'))
      await reload({ log: { ...LOG_DEFAULTS, level: 'debug', access: true } })
      await client.ask(request('GET', '/open/b'))
      await plane.access('/open/b')
      assert.ok(plane.lines.some((line) => line.includes('Request received')))
      assert.ok(!plane.lines.some((line) => line.includes('/open/a')))
      await reload({ log: { ...LOG_DEFAULTS, level: 'info', access: false } })
      const before = plane.lines.length
      await client.ask(request('GET', '/open/c'))
      assert.equal(plane.lines.length, before)
    }))

  test('takes as many connections as it allows now, and lets them idle as long', () =>
    staged({}, async (plane, _, reload) => {
      const { listen } = planeConfig('http://127.0.0.1:9')
      using open = await plane.connect()
      await open.ask(request('GET', '/open/x'))
      await reload({
        listen: { ...listen, maxConnections: 1, timeouts: { ...listen.timeouts, idleMs: 100 } },
      })
      using second = await RawClient.connect(plane.port)
      assert.equal(await second.tryRead(), null)
      await open.ask(request('GET', '/open/y'))
      await until('the idle limit', () => open.socket.readableEnded || open.socket.destroyed)
    }))

  test('keeps its connections to an upstream that stays', () =>
    staged({}, async (plane, origin, reload) => {
      using client = await plane.connect()
      for (const name of ['a', 'b', 'c']) {
        assert.equal((await client.ask(request('GET', '/open/x'))).status, 200)
        await reload({ name, upstreams: [upstreamConfig(origin.url, { slowStartMs: name.charCodeAt(0) })] })
      }
      assert.equal((await client.ask(request('GET', '/open/x'))).status, 200)
      assert.equal(origin.accepted, 1)
    }))

  test('cannot be had where a policy of the operator’s cannot, and serves on', () =>
    staged({}, async (plane, _, reload) => {
      using client = await plane.connect()
      const policies = [{ use: '/nowhere/sign.ts', with: null }]
      await assert.rejects(
        reload({ routes: [routeTo('orders', '/new/*', 'none', { policies })] }),
        /sign\.ts/,
      )
      assert.equal((await client.ask(request('GET', '/open/x'))).status, 200)
    }))
})
