import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { ENDPOINT_SLOTS, UpstreamMemory } from '../../src/upstreams/upstream-memory.ts'
import { delivered, Loopback } from '../http1/loopback.ts'
import { upstreamOf } from '../support/config-part.ts'
import { echo, Origin, response, type Script } from '../support/origin.ts'
import { chunked, request } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { PlaneStage, planeConfig, upstreamConfig } from '../worker/open-plane.ts'

const script: Script = async (seen, reply) => {
  const { target, connection } = seen
  if (target.endsWith('/hangs')) return reply.gone
  await seen.body
  if (target.endsWith('/reset')) return reply.reset()
  if (target.endsWith('/cut')) return reply.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nb')
  if (target.endsWith('/nonsense')) return reply.end('nonsense\r\n\r\n')
  if (target.endsWith('/down')) return reply.write(response('503 Unavailable', [], 'down'))
  if (target.endsWith('/once')) {
    return connection % 2 === 1 ? reply.reset() : reply.write(response('200 OK', [], 'then'))
  }
  if (target.endsWith('/switch')) {
    await reply.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
    return reply.end()
  }
  return echo(seen, reply)
}

const WEBSOCKET = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
] as const

const REQUESTS: readonly Buffer[] = [
  request('GET', '/open/x'),
  request('POST', '/open/x', [], 'body'),
  request('PUT', '/open/x', [['Transfer-Encoding', 'chunked']], chunked(['a', 'bc'])),
  ...['reset', 'cut', 'nonsense', 'down', 'once'].flatMap((fault) => [
    request('GET', `/open/${fault}`),
    request('PUT', `/open/${fault}`, [], 'body'),
    request('POST', `/open/${fault}`, [], 'body'),
  ]),
  request('GET', '/open/switch', WEBSOCKET),
  request('POST', '/open/x', [['Transfer-Encoding', 'chunked']], 'no chunk\r\n'),
]

/** What clients leave behind: a head without its body, a request without an answer. */
const ABANDONED: readonly Buffer[] = [
  request('GET', '/open/hangs'),
  request('POST', '/open/x', [['Content-Length', '9']], 'part'),
  request('PUT', '/open/hangs', [], 'body'),
]

// The fault: an exchange that is counted for ever makes its endpoint look busy, or keeps its breaker probing.
test('whatever becomes of exchanges, none is in flight once all are over', async (t) => {
  const { create } = UpstreamMemory
  const made: SharedArrayBuffer[] = []
  mock.method(UpstreamMemory, 'create', (rows: number, originMs: number) => {
    const memory = create.call(UpstreamMemory, rows, originMs)
    made.push(memory)
    return memory
  })
  t.after(() => mock.restoreAll())
  const dead = await Loopback.listen()
  await dead.close()
  await using one = await Origin.start(script)
  await using other = await Origin.start(script)
  const { timeouts } = upstreamConfig(one.url)
  const upstream = upstreamOf('orders', [one.url, other.url, `http://127.0.0.1:${dead.port}`], {
    timeouts,
    retry: { attempts: 2, budget: 1, on: ['connect', 'reset', 502, 503, 504] },
    breaker: { failures: 0.8, windowMs: 1_000, minimum: 5, openMs: 20 },
    connections: { max: 4, idle: 4, idleTimeoutMs: 4_000 },
  })
  await using plane = await PlaneStage.open(planeConfig(one.url, { upstreams: [upstream] }))
  const [memory] = made
  if (memory === undefined) throw new Error('no memory was made')
  const clock = { monotonicMs: () => 0, machineMs: () => 0 }
  const control = new UpstreamMemory(memory, null, clock)
  const run = async (bytes: Buffer): Promise<void> => {
    using client = await plane.connect()
    client.socket.on('error', () => {})
    void client.send(bytes)
    client.finish()
    await client.closed()
  }
  const leave = async (bytes: Buffer): Promise<void> => {
    const client = await plane.connect()
    await client.send(bytes)
    await delivered()
    client.reset()
  }
  for (let round = 0; round < 4; round++) {
    await Promise.all([...REQUESTS.map(run), ...ABANDONED.map(leave)])
  }
  const slots = Array.from({ length: ENDPOINT_SLOTS }, (_, slot) => slot)
  const busy = (): number[] => slots.filter((slot) => control.describeEndpoint(slot).inFlight !== 0)
  // Of those that left, some did before anybody had read what they sent.
  await until('the last to end', () => plane.lines.length >= 4 * REQUESTS.length && busy().length === 0)
  assert.deepEqual(
    slots.filter((slot) => control.describeEndpoint(slot).breaker === 'probing'),
    [],
  )
  const codes = new Set(plane.lines.map((line) => (JSON.parse(line) as { code?: string }).code))
  assert.ok(codes.has('upstream_invalid'), `${[...codes]}`)
})
