import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RouteConfig } from '../../src/config/config.ts'
import { LOG_DEFAULTS } from '../../src/config/default.ts'
import type { StoreErrorRule } from '../../src/limits/rule.ts'
import { routeTo } from '../support/config-part.ts'
import { echo, Origin } from '../support/origin.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { RedisProxy } from '../support/redis-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { excess, type Offer, type Offered, offer, quantile } from './offer.ts'
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

/** A route of each rule, asked alike at the same time, beside one without limits. */
const RULE_NAMES = Object.keys(RULES) as readonly StoreErrorRule[]

function limitedBy(onStoreError: StoreErrorRule): RouteConfig {
  const rate = { count: RATE, periodMs: 1_000, burst: BURST }
  const limit = { per: 'tenant', onStoreError, rate } as const
  return routeTo('orders', `/${onStoreError}/*`, 'required', { name: onStoreError, limit })
}

type OfRules = Readonly<Record<StoreErrorRule, readonly Offered[]>>

async function offerToRules(load: Omit<Offer, 'bytes'>): Promise<OfRules> {
  const offered = RULE_NAMES.map(async (rule) => {
    return [rule, await offer({ ...load, bytes: asked('acme', `/${rule}/1`) })] as const
  })
  return Object.fromEntries(await Promise.all(offered)) as unknown as OfRules // of every rule
}

for (const [loss, { begin, end }] of Object.entries(LOSSES)) {
  test(`a Redis that is ${loss} under load leaves limits to each route's rule, with no 500 and no queue, and is back by itself`, async (t) => {
    await using redis = await RedisServer.start()
    await using proxy = await RedisProxy.start(redis.port)
    await using origin = await Origin.start(echo)
    await using stage = await ThreadStage.start(
      trafficConfig(origin.url, {
        redis: proxy.url,
        own: {
          workers: WORKERS,
          log: { ...LOG_DEFAULTS, level: 'info', access: false },
          routes: [routeTo('orders', '/free/*', 'none', { name: 'free' }), ...RULE_NAMES.map(limitedBy)],
        },
      }),
    )
    const linked = (): number => stage.lines('Store of limits answers').length
    const lost = (): number => stage.lines('Store of limits lost, routes go by onStoreError').length
    await until('all links', () => linked() === WORKERS)
    const load = { ports: [stage.port], connections: 8, perSecond: 200 }
    const before = await offerToRules({ ...load, forMs: 600 })
    const losing = offerToRules({ ...load, forMs: 1_000 })
    await begin(redis, proxy)
    const atOnce = await losing
    await until('all threads to know', async () => {
      await offerToRules({ ...load, forMs: 100 })
      return lost() >= WORKERS
    })
    const during: OfRules[] = []
    const added = new Map(RULE_NAMES.map((rule) => [rule, Number.POSITIVE_INFINITY]))
    const worst = (): number => Math.max(...added.values())
    for (let window = 0; window < WINDOWS && worst() >= ADDED_MS; window++) {
      const [limited, free] = await Promise.all([
        offerToRules({ ...load, forMs: 1_000 }),
        offer({ ...load, bytes: request('GET', '/free/1'), forMs: 1_000 }),
      ])
      during.push(limited)
      const freeMs = quantile(latencies(free), 0.99)
      for (const [rule, best] of added)
        added.set(rule, Math.min(best, quantile(latencies(limited[rule]), 0.99) - freeMs))
    }
    for (const [rule, addedMs] of added) {
      t.diagnostic(`${rule}: p99 ${addedMs.toFixed(1)} ms above that of a route without limits`)
      assert.ok(addedMs < ADDED_MS, `${rule}: ${addedMs} ms more at p99`)
    }
    await end(redis, proxy)
    const beganMs = performance.now()
    const known = linked()
    const after = offerToRules({ ...load, forMs: 1_000 })
    await until('all links again', () => linked() >= known + WORKERS, BACK_MS)
    t.diagnostic(`back after ${Math.round(performance.now() - beganMs)} ms`)
    const all = [before, atOnce, ...during, await after]
    for (const rule of RULE_NAMES) {
      for (const { status } of all.flatMap((offered) => offered[rule]))
        assert.ok([200, 429, ...(rule === 'closed' ? [503] : [])].includes(status), `${rule}: ${status}`)
      RULES[rule](during.flatMap((offered) => offered[rule]))
    }
    using client = await RawClient.connect(stage.port)
    // One thread may have linked twice before another did once.
    for (const rule of RULE_NAMES) {
      await until(
        'limits again',
        async () => (await client.ask(asked('other', `/${rule}/1`))).get('ratelimit') !== null,
        BACK_MS,
      )
    }
  })
}
