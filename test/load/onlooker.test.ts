import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { Collector } from '../support/collector.ts'
import { freePort } from '../support/free-port.ts'
import { Gateway, startGateway } from '../support/gateway.ts'
import { Origin } from '../support/origin.ts'
import { askOnce, request } from '../support/raw-client.ts'
import { SECRET, tenantToken } from '../support/token.ts'
import { until } from '../support/until.ts'
import { offer, quantile } from '../traffic/offer.ts'

// Whoever looks on, or takes what the gateway tells, may hang, vanish or crowd: traffic does not notice.

const MIB = 1 << 20
/** What a request may take on a machine that runs other tests; a thread that waits for an onlooker takes longer. */
const WORST_MS = 2_000
/** What nine of ten must come in under, however calm it was before. */
const USUAL_MS = 250
const PER_SECOND = 200
const ORDERS = request('GET', '/orders/1', [['Authorization', `Bearer ${tenantToken('acme')}`]])

function settings(origin: Origin, own: object = {}): Parameters<typeof startGateway> {
  const config = {
    identity: { jwt: [{ name: 'own', secret: SECRET, algorithms: ['HS256'] }] },
    upstreams: { orders: { endpoints: [origin.url] } },
    routes: [{ name: 'orders', match: { path: '/orders/*' }, upstream: 'orders' }],
    ...own,
  }
  return [{ GATEWAY_CONFIG: 'nyro.json' }, { files: { 'nyro.json': JSON.stringify(config) } }]
}

/** Milliseconds below which nine of ten requests were answered, all of them with what they asked for. */
async function traffic(port: number, forMs = 1_000): Promise<number> {
  const offered = await offer({ ports: [port], bytes: ORDERS, connections: 8, perSecond: PER_SECOND, forMs })
  const failed = offered.filter(({ status }) => status !== 200)
  assert.deepEqual(failed, [])
  assert.ok(offered.length >= (PER_SECOND * forMs) / 2_000, `${offered.length} requests`)
  const durations = offered.map(({ sentMs, answeredMs }) => answeredMs - sentMs)
  assert.ok(Math.max(...durations) < WORST_MS, `one took ${Math.max(...durations)} ms`)
  return quantile(durations, 0.9)
}

/** What `trouble` begins goes on while traffic is compared with what it was before. */
async function unaffected(port: number, trouble: () => unknown): Promise<void> {
  const calm = await traffic(port)
  await trouble()
  const troubled = await traffic(port, 2_000)
  assert.ok(troubled < Math.max(USUAL_MS, 5 * calm), `${troubled} ms, ${calm} before`)
}

/** So many connections that send `text` and read nothing. */
function crowd(
  port: number,
  count: number,
  text: string,
): Disposable & { readonly sockets: readonly Socket[] } {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.pause()
    socket.write(text)
    return socket
  })
  return {
    sockets,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function scrape(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
}

describe('traffic is not affected by', { concurrency: true }, () => {
  test('scrapes that hang, and those that never end their request', async () => {
    await using origin = await Origin.start()
    await using gateway = await startGateway(...settings(origin))
    const { port, adminPort } = gateway
    const before = gateway.residentBytes
    {
      using hanging = crowd(adminPort, 60, 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
      using half = crowd(adminPort, 60, 'GET /metrics HTTP/1.1\r\nHost: localh')
      await unaffected(port, () => assert.equal(hanging.sockets.length + half.sockets.length, 120))
      assert.ok(gateway.residentBytes < before + 64 * MIB)
    }
    await until('a scrape is answered', async () =>
      (await scrape(adminPort).catch(() => '')).includes('nyro_threads 1'),
    )
    assert.equal((await gateway.stop()).code, 0)
  })

  test('a thousand event streams that nobody reads', async () => {
    await using origin = await Origin.start()
    await using gateway = await startGateway(...settings(origin))
    const { port, adminPort } = gateway
    const before = gateway.residentBytes
    {
      using streams = crowd(adminPort, 1_000, 'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
      await unaffected(port, () => assert.equal(streams.sockets.length, 1_000))
      assert.ok(gateway.residentBytes < before + 64 * MIB)
    }
    const stream = await until('a place among the streams', async () => {
      const response = await fetch(`http://127.0.0.1:${adminPort}/events`).catch(() => null)
      return response?.status === 200 ? response : null
    })
    assert.equal(stream.headers.get('content-type'), 'text/event-stream')
    await stream.body?.cancel()
    assert.equal((await gateway.stop()).code, 0)
  })

  test('a collector that hangs, and then is gone', async () => {
    await using origin = await Origin.start()
    const collector = await Collector.start()
    collector.answer = () => {}
    const tracing = { endpoint: collector.url, sample: '100%' }
    await using gateway = await startGateway(...settings(origin, { tracing }))
    const { port, adminPort } = gateway
    await unaffected(port, () => until('an export hangs', () => collector.requests.length > 0))
    await collector[Symbol.asyncDispose]()
    await traffic(port, 2_000)
    await until('the exchanges whose traces were lost are counted', async () =>
      /^nyro_trace_exchanges_dropped_total [1-9]/m.test(await scrape(adminPort)),
    )
    await using again = await Collector.start(Number(new URL(tracing.endpoint).port))
    await until(
      'spans arrive again',
      async () => {
        await askOnce(port, ORDERS)
        return again.spans.length > 0
      },
      30_000,
    )
    assert.equal((await gateway.stop()).code, 0)
  })

  test('a log file that takes nothing', async () => {
    await using origin = await Origin.start()
    const port = await freePort()
    const [env, files] = settings(origin, { log: { output: { file: '/dev/full' } } })
    // Where nothing can be written, nothing says on which port it listens.
    await using gateway = new Gateway({ ...env, GATEWAY_PORT: `${port}` }, files)
    await until('the gateway to listen', () => askOnce(port, ORDERS).catch(() => null), 30_000)
    await traffic(port, 2_000)
    assert.equal((await gateway.stop()).code, 0)
  })

  test('a standard output that nobody reads', async () => {
    await using origin = await Origin.start()
    await using gateway = await startGateway(...settings(origin))
    const { port } = gateway
    // Paths that fill the pipe, the memory behind it and the ring before it.
    const long = request('GET', `/orders/${'x'.repeat(15_000)}`, [
      ['Authorization', `Bearer ${tenantToken('acme')}`],
    ])
    await unaffected(port, async () => {
      gateway.holdOutput()
      await offer({ ports: [port], bytes: long, connections: 8, perSecond: 800, forMs: 1_500 })
    })
    gateway.releaseOutput()
    const dropped = await gateway.line('what was lost', ({ event }) => event === 'Log lines dropped')
    assert.ok((dropped.count ?? 0) > 0)
    assert.equal((await gateway.stop()).code, 0)
  })
})
