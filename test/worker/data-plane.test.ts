import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { LOG_DEFAULTS } from '../../src/config/default.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { delivered } from '../http1/loopback.ts'
import { echo, Origin, type Script, type Told } from '../support/origin.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { bearer, CLAIMS, FAR_S, tenantToken, token } from '../support/token.ts'
import { until } from '../support/until.ts'
import { PlaneStage, planeConfig, upstreamConfig } from './open-plane.ts'

/** Config of tracing that keeps every trace. */
const KEEPS_ALL = { endpoint: 'http://127.0.0.1:9/v1/traces', sample: 1, headers: [], serviceName: 'test' }

/** Of the exchanges whose spans it has written. */
function tracedPaths({ spans }: PlaneStage): (string | undefined)[] {
  return spans.map((line) => /"url\.path","value":{"stringValue":"([^"]*)"/.exec(line)?.[1])
}

async function staged(
  own: Partial<Config>,
  use: (plane: PlaneStage, origin: Origin) => Promise<void>,
  parts: { readonly script?: Script; readonly clock?: Clock } = {},
): Promise<void> {
  await using origin = await Origin.start(parts.script ?? echo)
  await using plane = await PlaneStage.open(planeConfig(origin.url, own), parts.clock)
  await use(plane, origin)
}

describe('a data plane', () => {
  test('forwards the verified tenant, and writes a line for each exchange', () =>
    staged({}, async (plane, origin) => {
      using client = await plane.connect()
      const fields = [bearer(tenantToken('acme')), ['X-Company-ID', 'evil'] as const]
      const got = await client.ask(request('GET', '/orders/1', fields))
      assert.equal(got.status, 200)
      assert.deepEqual(origin.last.all('x-company-id'), ['acme'])
      const record = await plane.access('/orders/1')
      assert.deepEqual([record.status_code, record.bytes_out], [200, got.body.length])
      assert.equal(plane.lines.length, 1)
    }))

  test('believes a token by its own clock, to the second it expires', async () => {
    let wallMs = (FAR_S - 1) * 1_000
    const clock: Clock = { wallMs: () => wallMs, monotonicMs: () => performance.now() }
    const ask = request('GET', '/orders/1', [bearer(token({ ...CLAIMS, exp: FAR_S }))])
    await staged(
      {},
      async (plane) => {
        using client = await plane.connect()
        assert.equal((await client.ask(ask)).status, 200)
        wallMs = FAR_S * 1_000 - 1
        assert.equal((await client.ask(ask)).status, 200)
        wallMs = FAR_S * 1_000
        assert.equal((await client.ask(ask)).status, 401)
        wallMs = FAR_S * 1_000 - 1
        assert.equal((await client.ask(ask)).status, 200)
      },
      { clock },
    )
  })

  test('writes no line that its level, or its config, does not want', async () => {
    await staged({ log: { ...LOG_DEFAULTS, level: 'info', access: false } }, async (plane) => {
      using client = await plane.connect()
      await client.ask(request('GET', '/open/x'))
      await client.ask(request('GET', '/nowhere'))
      assert.deepEqual(plane.lines, [])
    })
    await staged({ log: { ...LOG_DEFAULTS, level: 'warning', access: true } }, async (plane) => {
      using client = await plane.connect()
      await client.ask(request('GET', '/open/x'))
      await client.ask(request('GET', '/nowhere'))
      assert.deepEqual(
        plane.lines.map((line) => (JSON.parse(line) as { path: string }).path),
        ['/nowhere'],
      )
    })
  })

  test('takes its part of the connections that are allowed, and closes those beyond', () => {
    const { listen } = planeConfig('http://127.0.0.1:9')
    return staged({ listen: { ...listen, maxConnections: 2 } }, async (plane) => {
      const clients = [await plane.connect(), await plane.connect()]
      for (const client of clients) assert.equal((await client.ask(request('GET', '/'))).status, 200)
      using beyond = await plane.connect()
      assert.equal((await beyond.closed()).length, 0)
      clients[0]?.leave()
      await until('a place', async () => {
        using client = await plane.connect()
        await client.send(request('GET', '/'))
        return (await client.tryRead()) !== null
      })
      clients[1]?.leave()
    })
  })

  test('refuses names that do not exist, and waits for those that are still being resolved', async () => {
    const url = 'http://orders.invalid:9'
    await using origin = await Origin.start(echo)
    await using plane = await PlaneStage.open(
      planeConfig(url, { upstreams: [upstreamConfig(`http://orders.invalid:${origin.port}`)] }),
    )
    using client = await plane.connect()
    const waiting = client.ask(request('GET', '/open/x'))
    await until('the request', () => origin.accepted === 0)
    await delivered()
    plane.plane.setEndpoints('other', 'unknown')
    const host = 'orders.invalid'
    const { port } = origin
    const found = { slot: 0, address: '127.0.0.1', family: 4, port, tls: false, host } as const
    plane.plane.setEndpoints('orders', [
      { ...found, authority: `${host}:${port}`, target: `${host}:${port}` },
    ])
    assert.equal((await waiting).json<Told>().target, '/open/x')
    assert.equal(origin.last.get('host'), `orders.invalid:${origin.port}`)
  })

  // The fault: the clock that limits are set by stood still since the start, so the first client after a quiet while
  // was closed as idle for that long.
  test('gives its first client the whole idle limit, however long nobody came', async () => {
    let quietMs = 0
    const clock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() + quietMs }
    await staged(
      {},
      async (plane) => {
        quietMs = 3_600_000
        using client = await plane.connect()
        // The wheel turns every 50 ms: whatever was due has ended by the third time.
        const startMs = performance.now()
        await until('three ticks', () => performance.now() - startMs > 150)
        assert.equal((await client.ask(request('GET', '/'))).status, 200)
      },
      { clock },
    )
  })
})

describe('a draining data plane', () => {
  test('is unready at once and tells every client to close, but serves', () =>
    staged({}, async (plane, origin) => {
      using client = await plane.connect()
      assert.equal((await client.ask(request('GET', '/health'))).status, 200)
      plane.plane.drain()
      using other = await plane.connect()
      const proxied = await client.ask(request('GET', '/open/x'))
      assert.deepEqual([proxied.status, proxied.get('connection')], [200, 'close'])
      const health = await other.ask(request('GET', '/health'))
      assert.deepEqual([health.status, health.get('connection')], [503, 'close'])
      assert.equal(origin.seen.length, 1)
    }))

  test('that was born so is so from its first request', async () => {
    await using origin = await Origin.start(echo)
    await using plane = await PlaneStage.open(planeConfig(origin.url), undefined, 'draining')
    using client = await plane.connect()
    assert.equal((await client.ask(request('GET', '/health/ready'))).status, 503)
  })

  test('once closed takes nobody, ends idle clients and says when the last exchange is over', () => {
    let answer: () => void = () => {}
    const gate = new Promise<void>((resolve) => {
      answer = resolve
    })
    const slow: Script = async (seen, reply) => {
      await gate
      return echo(seen, reply)
    }
    return staged(
      { tracing: KEEPS_ALL },
      async (plane, origin) => {
        using idle = await plane.connect()
        assert.equal((await idle.ask(request('GET', '/'))).status, 200)
        using busy = await plane.connect()
        await busy.send(request('GET', '/open/slow'))
        await origin.sees('/slow')
        const { port } = plane
        plane.plane.close()
        await assert.rejects(RawClient.connect(port))
        assert.equal((await idle.closed()).length, 0)
        assert.equal(plane.drained, 0)
        answer()
        assert.equal((await busy.read()).get('connection'), 'close')
        await until('the word', () => plane.drained > 0)
        assert.deepEqual(tracedPaths(plane), ['/', '/open/slow'])
      },
      { script: slow },
    )
  })
})
