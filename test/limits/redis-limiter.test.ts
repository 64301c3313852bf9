import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { QuotaRule } from '../../src/limits/quota-rule.ts'
import { RateRule } from '../../src/limits/rate-rule.ts'
import { redisConnector } from '../../src/limits/redis-connection.ts'
import type { StoreErrorRule } from '../../src/limits/rule.ts'
import { RedisProxy } from '../support/redis-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { until, within } from '../support/until.ts'
import { DAY_MS, rateRule } from './limit-parts.ts'
import { RedisStage } from './redis-stage.ts'

function ruled(onStoreError: StoreErrorRule, burst = 5): RateRule {
  return new RateRule(
    { name: onStoreError, by: 'route', onStoreError },
    { count: 1, periodMs: DAY_MS, burst },
  )
}

describe('limits in Redis', () => {
  let redis: RedisServer
  let stage: RedisStage
  before(async () => {
    redis = await RedisServer.start()
    // A machine that is busy with other tests is no failing store.
    stage = await RedisStage.open(redis.url, 10_000)
  })
  after(async () => {
    stage?.[Symbol.dispose]()
    await redis?.[Symbol.asyncDispose]()
  })

  test('are exact to one, refilled by the clock of Redis, and take nothing for a refused request', async () => {
    const rule = rateRule(20, 1_000, 10)
    const startMs = performance.now()
    let admitted = await stage.admitted(100, 'acme', rule)
    assert.equal(admitted, 10)
    const filledMs = performance.now()
    let askedMs = filledMs
    while (askedMs - filledMs < 1_000) {
      askedMs = performance.now()
      admitted += await stage.admitted(5, 'acme', rule)
    }
    const least = 10 + ((askedMs - filledMs) * 20) / 1_000 - 1
    const most = 10 + ((performance.now() - startMs) * 20) / 1_000 + 1
    assert.ok(admitted >= least && admitted <= most, `${admitted}: ${least} to ${most}`)
  })

  test('say what the limiter of a process would say', async () => {
    const rule = rateRule(1, 10_000, 3)
    const first = await stage.take('initech', rule)
    assert.deepEqual(first, { admitted: true, rule, by: 'plan', left: 2, resetS: 10, retryAfterS: 0 })
    await stage.admitted(2, 'initech', rule)
    const refused = await stage.take('initech', rule)
    assert.deepEqual(refused, { admitted: false, rule, by: 'plan', left: 0, resetS: 30, retryAfterS: 10 })
  })

  test('count by all rules or by none, in one call', async () => {
    const wide = rateRule(1, DAY_MS, 100, 'wide')
    const narrow = rateRule(1, DAY_MS, 3, 'narrow')
    const before = await calls(redis)
    assert.equal(await stage.admitted(50, 'globex', wide, narrow), 3)
    assert.equal((await calls(redis)) - before, 50)
    assert.equal((await stage.take('globex', wide)).left, 96)
  })

  test('know the windows of the calendar', async () => {
    for (const window of ['hour', 'day', 'month'] as const) {
      const rule = new QuotaRule({ name: 'free', onStoreError: 'local' }, { limit: 3, window })
      assert.equal(await stage.admitted(9, 'acme', rule), 3)
      const { by, left, retryAfterS } = await stage.take('acme', rule)
      assert.deepEqual([by, left], ['quota', 0])
      const now = new Date()
      const month = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)
      const lengthMs = window === 'hour' ? 3_600_000 : DAY_MS
      const endMs = window === 'month' ? month : (Math.floor(Date.now() / lengthMs) + 1) * lengthMs
      assert.ok(Math.abs(retryAfterS - (endMs - Date.now()) / 1_000) <= 2, `${window}: ${retryAfterS}`)
    }
  })

  test('go on when Redis forgets its scripts', async () => {
    const rule = rateRule(1, DAY_MS, 3)
    await stage.take('hooli', rule)
    await redis.ask('SCRIPT FLUSH')
    assert.equal(await stage.admitted(9, 'hooli', rule), 2)
    assert.equal(stage.limiter.fallbacks, 0)
  })

  test('expire, and their keys name nobody', async () => {
    const keys = (await redis.ask('KEYS *')).split('\r\n').filter((line) => line.startsWith('test:'))
    assert.ok(keys.length > 5)
    for (const key of keys) {
      assert.match(key, /^test:\{limits\}:[\w-]{22}$/)
      const ttl = Number(/^:(-?\d+)/.exec(await redis.ask(`PTTL ${key}`))?.[1])
      assert.ok(ttl > 0 || ttl === -2, `${key}: ${ttl}`)
    }
  })

  test('hold for three processes together', async () => {
    const children = [0, 1, 2].map(() =>
      fork(new URL('./redis-process.ts', import.meta.url), [redis.url], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    )
    await within('children to start', Promise.all(children.map((child) => once(child, 'message'))), 30_000)
    const startMs = performance.now()
    const results = children.map(async (child) => {
      const result = once(child, 'message')
      child.send('go')
      return (await result)[0] as { admitted: number; fallbacks: number }
    })
    const counts = await within('children to count', Promise.all(results), 30_000)
    const tookMs = performance.now() - startMs
    const admitted = counts.reduce((sum, count) => sum + count.admitted, 0)
    assert.equal(
      counts.reduce((sum, count) => sum + count.fallbacks, 0),
      0,
    )
    // 30 at once and 100 a second, for no longer than it took from here.
    assert.ok(admitted >= 30 + 100 && admitted <= 30 + tookMs / 10 + 1, `${admitted} in ${tookMs} ms`)
    await Promise.all(children.map((child) => (child.exitCode === null ? once(child, 'exit') : null)))
  })
})

async function calls(redis: RedisServer): Promise<number> {
  const stats = await redis.ask('INFO commandstats')
  const count = (name: string): number =>
    Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  return count('evalsha') + count('eval')
}

describe('a store that fails', () => {
  for (const fault of ['killed', 'frozen', 'black-holed', 'slow'] as const) {
    test(`because it is ${fault} delays nobody for long, obeys the rules and is back within 5 s`, async () => {
      await using redis = await RedisServer.start()
      await using proxy = await RedisProxy.start(redis.port)
      using stage = await RedisStage.open(proxy.url)
      assert.equal(await stage.admitted(9, 'acme', ruled('local', 10_000)), 9)

      if (fault === 'killed') await redis.kill()
      if (fault === 'frozen') redis.signal('SIGSTOP')
      if (fault === 'black-holed') proxy.mode = 'black hole'
      if (fault === 'slow') proxy.mode = { delayMs: 60 }
      // Until the link is given up, nobody waits longer than the budget and a few ticks.
      for (let round = 0; stage.link.connection !== null; round++) {
        assert.ok(round < 20, 'the link is given up')
        const startMs = performance.now()
        assert.equal(await stage.admitted(9, 'acme', ruled('open')), 9)
        assert.ok(performance.now() - startMs < 250, `${performance.now() - startMs} ms`)
      }
      const opened = proxy.opened
      const startMs = performance.now()
      for (let round = 0; round < 1_000; round++) {
        const decision = stage.limiter.take([ruled('local', 10_000)], ['acme'])
        assert.ok(!(decision instanceof Promise), 'nobody waits while the link is down')
        assert.equal(decision.admitted, true)
      }
      assert.ok(performance.now() - startMs < 1_000)
      assert.equal(await stage.admitted(99, 'acme', ruled('open')), 99)
      assert.equal(await stage.admitted(99, 'acme', ruled('local')), 5)
      const { admitted, by, retryAfterS } = await stage.take('acme', ruled('local'), ruled('closed'))
      assert.deepEqual([admitted, by, retryAfterS], [false, 'store', 1])
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      assert.ok(proxy.opened - opened <= 6, `${proxy.opened - opened} connections in a second`)
      assert.ok(proxy.connections <= 1, `${proxy.connections} connections at once`)

      if (fault === 'killed') await redis.restart()
      if (fault === 'frozen') redis.signal('SIGCONT')
      proxy.mode = { delayMs: 0 }
      await until(
        'Redis to decide again',
        async () => {
          const { fallbacks } = stage.limiter
          const { admitted } = await stage.take('acme', ruled('closed', 10_000))
          return admitted && stage.limiter.fallbacks === fallbacks
        },
        5_000,
      )
      await until('late answers to be forgotten', () => stage.limiter.pending === 0)
    })
  }

  test('because it swallows everything is never sent more than a bounded number', async () => {
    await using redis = await RedisServer.start()
    await using proxy = await RedisProxy.start(redis.port)
    using stage = await RedisStage.open(proxy.url)
    proxy.mode = 'black hole'
    const decisions = stage.admitted(5_000, 'acme', ruled('open'))
    assert.equal(stage.limiter.pending, 1_024)
    assert.equal(await decisions, 5_000)
    stage.link.stop()
    await until('what was under way to be rejected', () => stage.limiter.pending === 0)
  })

  test('because a connection to it takes too long leaves none behind when that opens after all', async () => {
    await using redis = await RedisServer.start()
    await using proxy = await RedisProxy.start(redis.port)
    const attempt = new AbortController()
    const opening = redisConnector(proxy.url)(() => {}, attempt.signal)
    opening.catch(() => {})
    // The client is loaded, and its socket not connected yet.
    await import('@redis/client')
    await Promise.resolve()
    attempt.abort()
    await opening.catch(() => {})
    await until(
      'its connection to have been there, and gone',
      () => proxy.opened === 1 && proxy.connections === 0,
    )
  })

  test('or is not there at the start is met by the rules at once', async () => {
    using stage = new RedisStage('redis://127.0.0.1:1')
    assert.equal(await stage.admitted(9, 'acme', ruled('local')), 5)
    assert.equal((await stage.take('acme', ruled('closed'))).by, 'store')
  })

  test('says why in one word, and never where it is or by which password', async () => {
    await using redis = await RedisServer.start({ password: 'right-password' })
    using stage = new RedisStage(redis.url.replace('right-password', 'wrong-password'))
    await until('the store to refuse', () => stage.changes.length > 0)
    assert.deepEqual(stage.changes, ['down: WRONGPASS'])
    using right = await RedisStage.open(redis.url)
    assert.deepEqual(right.changes, ['up: answers'])
  })
})
