import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Config, StreamsConfig } from '../../src/config/config.ts'
import { echo, Origin, type Script } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { until } from '../support/until.ts'
import { PlaneStage } from '../worker/open-plane.ts'
import { asked, HandClock, trafficConfig } from './traffic-part.ts'

const SLOT = 0
const AT_CAPACITY = 'Upstream service orders is at capacity.'
const EVENTS = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'

/** By path: a tunnel, events, a body that goes on and on, or an echo. */
const script: Script = async (seen, reply) => {
  const { target } = seen
  if (seen.get('upgrade') !== null) {
    reply.take()
    await reply.write(SWITCHED)
    await reply.gone
    return reply.end()
  }
  if (target.endsWith('/events')) {
    await reply.write(`${EVENTS}data: 1\n\n`)
    return reply.gone
  }
  if (target.endsWith('/long')) {
    await reply.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegin')
    return reply.gone
  }
  return echo(seen, reply)
}

interface Scene {
  readonly plane: PlaneStage
  readonly origin: Origin
  readonly clock: HandClock
  /** Begins something that stays open, and waits for its first bytes. */
  readonly open: (tenant: string, what: 'socket' | 'events' | 'long') => Promise<RawClient>
  readonly inUse: () => number
}

async function staged(
  streams: StreamsConfig | null,
  use: (scene: Scene) => Promise<void>,
  concurrency: number | null = 1,
  own: Partial<Config> = {},
): Promise<void> {
  await using origin = await Origin.start(script)
  const clock = new HandClock()
  const admission = concurrency === null ? null : { concurrency, queue: 5, timeoutMs: 60_000 }
  await using plane = await PlaneStage.open(
    trafficConfig(origin.url, { upstream: { streams, admission }, own }),
    clock,
  )
  const clients: RawClient[] = []
  const open: Scene['open'] = async (tenant, what) => {
    const client = await RawClient.connect(plane.port)
    clients.push(client)
    await client.send(what === 'socket' ? upgrade(tenant) : asked(tenant, `/orders/${what}`))
    await client.source.head()
    return client
  }
  try {
    await use({ plane, origin, clock, open, inUse: () => plane.desk.stateOf(SLOT)?.inUse ?? -1 })
  } finally {
    for (const client of clients) client.leave()
  }
}

function upgrade(tenant: string): Buffer {
  return request('GET', '/orders/socket', [
    bearer(tenantToken(tenant)),
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
  ])
}

async function statusOf(plane: PlaneStage, bytes: Buffer): Promise<number> {
  using client = await plane.connect()
  await client.send(bytes)
  const head = await client.source.head()
  return Number(head?.slice(9, 12))
}

const MANY = { max: 100, perTenant: 100, endAtExpiry: true }

describe('an upstream with one place', () => {
  for (const what of ['socket', 'events'] as const) {
    test(`gets its place back from ${what} as soon as they have begun`, () =>
      staged(null, async ({ plane, open, inUse }) => {
        await open('a', what)
        await open('a', what)
        assert.equal(inUse(), 0)
        assert.equal(await statusOf(plane, asked('b')), 200)
      }))
  }

  test('gets it back from a response that has been open for ten seconds, and not before', () =>
    staged(
      MANY,
      async ({ open, inUse, clock }) => {
        await open('a', 'long')
        clock.nowMs += 5_000
        await open('b', 'long')
        clock.nowMs += 4_000
        await open('c', 'long')
        assert.equal(inUse(), 3)
        clock.nowMs += 1_000
        await until('the first to give it back', () => inUse() < 3)
        assert.equal(inUse(), 2)
        clock.nowMs += 5_000
        await until('the second to give it back', () => inUse() < 2)
        assert.equal(inUse(), 1)
      },
      5,
    ))
})

describe('streams of an upstream', () => {
  for (const what of ['socket', 'events'] as const) {
    test(`are as many as may be at once: one of ${what} too many is refused before its head`, () =>
      staged({ ...MANY, max: 2 }, async ({ plane, open }) => {
        const first = await open('a', what)
        await open('b', what)
        using client = await plane.connect()
        const refused = await client.ask(what === 'socket' ? upgrade('c') : asked('c', '/orders/events'))
        assertProblem(refused, 503, 'upstream_saturated', AT_CAPACITY)
        assert.equal(refused.get('retry-after'), '1')
        assert.equal(await statusOf(plane, asked('c')), 200, 'what is no stream is not counted')
        first.reset()
        await until('room for another', async () => {
          const status = await statusOf(
            plane,
            what === 'socket' ? upgrade('c') : asked('c', '/orders/events'),
          )
          return status !== 503
        })
      }))
  }

  test('are as many for each tenant', () =>
    staged({ ...MANY, perTenant: 1 }, async ({ plane, open }) => {
      await open('a', 'events')
      assert.equal(await statusOf(plane, upgrade('a')), 503)
      assert.equal(await statusOf(plane, upgrade('b')), 101)
    }))

  test('are counted where there are no places to give back', () =>
    staged(
      { ...MANY, max: 1 },
      async ({ plane, open }) => {
        await open('a', 'socket')
        assert.equal(await statusOf(plane, upgrade('b')), 503)
      },
      null,
    ))

  test('cost an upstream nothing when a tunnel is refused', () =>
    staged({ ...MANY, max: 1 }, async ({ plane, open, origin, inUse }) => {
      await open('a', 'socket')
      assert.equal(await statusOf(plane, upgrade('b')), 503)
      assert.deepEqual([origin.seen.length, inUse()], [1, 0])
    }))

  test('include a response that grew long, which is never cut for being one too many', () =>
    staged(
      { ...MANY, max: 1 },
      async ({ plane, open, clock, inUse }) => {
        const events = await open('a', 'events')
        const long = await open('b', 'long')
        clock.nowMs += 10_000
        await until('it to be long', () => inUse() === 0)
        events.reset()
        await plane.access('/orders/events')
        assert.equal(await statusOf(plane, upgrade('c')), 503)
        assert.equal(long.socket.readableEnded, false)
      },
      5,
    ))

  test('give their places back when they end, however they end', () =>
    staged({ ...MANY, max: 3, perTenant: 1 }, async ({ plane, open, origin }) => {
      const [socket, events] = [await open('a', 'socket'), await open('b', 'events')]
      socket.finish()
      events.reset()
      await until('a to have room', async () => (await statusOf(plane, upgrade('a'))) === 101)
      await until('b to have room', async () => (await statusOf(plane, upgrade('b'))) === 101)
      assert.deepEqual(origin.violations, [])
    }))
})
