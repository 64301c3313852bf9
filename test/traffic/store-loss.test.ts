import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LOG_DEFAULTS } from '../../src/config/default.ts'
import type { StoreErrorRule } from '../../src/limits/rule.ts'
import { echo, Origin } from '../support/origin.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { RedisProxy } from '../support/redis-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { excess, type Offered, offer, quantile } from './offer.ts'
import { ThreadStage } from './thread-stage.ts'
import { asked, trafficConfig } from './traffic-part.ts'

const RATE = 20
const BURST = 20
const WORKERS = 2
/** Less than waiting for the store would take, each time anew. */
const ADDED_MS = 20
/** One in which the machine did nothing else is enough. */
const WINDOWS = 5
const BACK_MS = 5_000

const LOSSES = {
  killed: {
    begin: (redis: RedisServer) => redis.kill(),
    end: (redis: RedisServer) => redis.restart(),
  },
  frozen: {
    begin: async (redis: RedisServer) => redis.signal('SIGSTOP'),
    end: async (redis: RedisServer) => redis.signal('SIGCONT'),
  },
  'black-holed': {
    begin: async (_redis: RedisServer, proxy: RedisProxy) => {
      proxy.mode = 'black hole'
    },
    end: async (_redis: RedisServer, proxy: RedisProxy) => {
      proxy.mode = { delayMs: 0 }
      // What the network swallowed, no connection gets over.
      proxy.reset()
    },
  },
} as const

/** What each rule makes of requests that come while there is no store. */
const RULES: Readonly<Record<StoreErrorRule, (during: readonly Offered[]) => void>> = {
  local: (during) => {
    assert.ok(excess(during, RATE, BURST) <= 1, 'this process holds to the limit by itself')
    assert.ok(during.some(({ status }) => status === 429))
  },
  open: (during) => assert.deepEqual(new Set(during.map(({ status }) => status)), new Set([200])),
  closed: (during) => assert.deepEqual(new Set(during.map(({ status }) => status)), new Set([503])),
}

function latencies(offered: readonly Offered[]): readonly number[] {
  return offered.map(({ sentMs, answeredMs }) => answeredMs - sentMs)
}

for (const [loss, { begin, end }] of Object.entries(LOSSES)) {
  describe(`a Redis that is ${loss} under load`, () => {
    for (const [rule, assertRule] of Object.entries(RULES)) {
      test(`leaves limits to ${rule}, with no 500 and no queue, and is back by itself`, async (t) => {
        await using redis = await RedisServer.start()
        await using proxy = await RedisProxy.start(redis.port)
        await using origin = await Origin.start(echo)
        const limit = {
          per: 'tenant',
          // The keys of RULES.
          onStoreError: rule as StoreErrorRule,
          rate: { count: RATE, periodMs: 1_000, burst: BURST },
        } as const
        await using stage = await ThreadStage.start(
          trafficConfig(origin.url, {
            redis: proxy.url,
            orders: { limit },
            own: { workers: WORKERS, log: { ...LOG_DEFAULTS, level: 'info', access: false } },
          }),
        )
        const linked = (): number => stage.lines('Store of limits answers').length
        const lost = (): number => stage.lines('Store of limits lost, routes go by onStoreError').length
        await until('all links', () => linked() === WORKERS)
        const load = { ports: [stage.port], bytes: asked('acme'), connections: 8, perSecond: 200 }
        const before = await offer({ ...load, forMs: 600 })
        const losing = offer({ ...load, forMs: 1_000 })
        await begin(redis, proxy)
        const atOnce = await losing
        await until('all threads to know', async () => {
          await offer({ ...load, forMs: 100 })
          return lost() >= WORKERS
        })
        const during: Offered[] = []
        let added = Number.POSITIVE_INFINITY
        for (let window = 0; window < WINDOWS && added >= ADDED_MS; window++) {
          const [limited, free] = await Promise.all([
            offer({ ...load, forMs: 1_000 }),
            offer({ ...load, bytes: request('GET', '/open/1'), forMs: 1_000 }),
          ])
          during.push(...limited)
          added = Math.min(added, quantile(latencies(limited), 0.99) - quantile(latencies(free), 0.99))
        }
        t.diagnostic(`p99 ${added.toFixed(1)} ms above that of a route without limits`)
        assert.ok(added < ADDED_MS, `${added} ms more at p99`)
        await end(redis, proxy)
        const beganMs = performance.now()
        const known = linked()
        const after = offer({ ...load, forMs: 1_000 })
        await until('all links again', () => linked() >= known + WORKERS, BACK_MS)
        t.diagnostic(`back after ${Math.round(performance.now() - beganMs)} ms`)
        for (const { status } of [...before, ...atOnce, ...during, ...(await after)]) {
          assert.ok([200, 429, ...(rule === 'closed' ? [503] : [])].includes(status), `${status}`)
        }
        assertRule(during)
        using client = await RawClient.connect(stage.port)
        // One thread may have linked twice before another did once.
        await until(
          'limits again',
          async () => (await client.ask(asked('other'))).get('ratelimit') !== null,
          BACK_MS,
        )
      })
    }
  })
}
