import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LOG_DEFAULTS } from '../../src/config/default.ts'
import { echo, Origin } from '../support/origin.ts'
import { RawClient } from '../support/raw-client.ts'
import { RedisServer } from '../support/redis-server.ts'
import { ReloadStage } from '../support/reload-stage.ts'
import { until } from '../support/until.ts'
import { excess, type Offered, offer, shortfall } from './offer.ts'
import { ThreadStage } from './thread-stage.ts'
import { asked, planOf, SlowOrigin, trafficConfig } from './traffic-part.ts'

const RATE = 40
const BURST = 20
const LIMIT = { count: RATE, periodMs: 1_000, burst: BURST }
const QUIET = { ...LOG_DEFAULTS, level: 'info', access: false } as const

function assertExact(offered: readonly Offered[]): void {
  const statuses = new Set(offered.map(({ status }) => status))
  assert.deepEqual(
    [...statuses].filter((status) => status !== 200 && status !== 429 && status !== 0),
    [],
  )
  assert.ok(excess(offered, RATE, BURST) <= 1, `${excess(offered, RATE, BURST)} too many in a window`)
  assert.ok(shortfall(offered, RATE, BURST) <= 1, `${shortfall(offered, RATE, BURST)} too few`)
}

describe('a limit is one limit', () => {
  test('of four data threads, one of which is killed and replaced meanwhile', async () => {
    await using origin = await Origin.start(echo)
    await using stage = await ThreadStage.start(
      trafficConfig(origin.url, {
        plans: [planOf('free', { rate: LIMIT })],
        own: { workers: 4, log: QUIET },
      }),
    )
    const offering = offer({
      ports: [stage.port],
      bytes: asked('acme'),
      connections: 32,
      perSecond: RATE * 10,
      forMs: 3_000,
    })
    await until('the load to be there', () => origin.seen.length > BURST)
    await stage.replace(1)
    assertExact(await offering)
  })

  test('of three processes that share a Redis', async () => {
    await using redis = await RedisServer.start()
    await using origin = await Origin.start(echo)
    // `closed`: an answer that comes too late on a loaded machine is a refusal then, and not a decision of one process.
    const limit = { per: 'tenant', rate: LIMIT, onStoreError: 'closed' } as const
    const config = trafficConfig(origin.url, {
      redis: redis.url,
      orders: { limit },
      own: { workers: 1, log: QUIET },
    })
    const stages = await Promise.all([config, config, config].map((each) => ReloadStage.start(each)))
    try {
      for (const stage of stages) {
        await until('the store to be linked', () => stage.find('Store of limits answers'))
      }
      const offered = await offer({
        ports: stages.map(({ port }) => port),
        bytes: asked('acme'),
        connections: 24,
        perSecond: RATE * 10,
        forMs: 3_000,
      })
      // What came too late may have been charged.
      assertExact(offered.map((one) => (one.status === 503 ? { ...one, status: 0 } : one)))
    } finally {
      await Promise.all(stages.map((stage) => stage[Symbol.asyncDispose]()))
    }
  })
})

describe('places that a dead data thread held', () => {
  test('are free for others: of tenants, and of upstreams', async () => {
    await using origin = await Origin.start(echo)
    const slow = new SlowOrigin(origin)
    await using stage = await ThreadStage.start(
      trafficConfig(origin.url, {
        plans: [planOf('free', { concurrency: 6 })],
        upstream: { admission: { concurrency: 6, queue: 50, timeoutMs: 60_000 } },
        own: { workers: 2, log: QUIET },
      }),
    )
    const clients = await Promise.all(Array.from({ length: 12 }, () => RawClient.connect(stage.port)))
    const first = clients.slice(0, 6).map((client) => client.ask(asked('acme')).catch(() => null))
    await until('six to be in', () => slow.waiting === 6)
    assert.equal((await clients[6]?.ask(asked('acme')))?.status, 429)
    const waiting = clients.slice(7).map((client) => client.ask(asked('globex')).catch(() => null))
    await stage.replace(0)
    await stage.replace(1)
    assert.deepEqual(
      await Promise.all([...first, ...waiting]),
      Array.from({ length: 11 }, () => null),
    )
    const probe = await until('somebody to listen', () => RawClient.connect(stage.port).catch(() => null))
    probe.leave()
    const again = await Promise.all(Array.from({ length: 6 }, () => RawClient.connect(stage.port)))
    const before = slow.waiting
    const answers = again.map((client) => client.ask(asked('acme')))
    await until('six to be in again', () => slow.waiting === before + 6)
    slow.answer(before + 6)
    assert.deepEqual(
      (await Promise.all(answers)).map((answer) => answer.status),
      [200, 200, 200, 200, 200, 200],
    )
    for (const client of [...clients, ...again]) client.leave()
  })
})
