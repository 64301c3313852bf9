import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Decision } from '../../src/limits/limiter.ts'
import { QuotaRule } from '../../src/limits/quota-rule.ts'
import type { Rule } from '../../src/limits/rule.ts'
import { SharedLimiter } from '../../src/limits/shared-limiter.ts'
import { bucketMemory, DAY_MS, LimitTimeline, rateRule, SECOND_MS, seeded } from './limit-parts.ts'

function stage(entries?: number) {
  const time = new LimitTimeline()
  const limiter = new SharedLimiter(bucketMemory(entries), time)
  const take = (key: string, ...rules: readonly Rule[]): Decision => ({
    ...limiter.take(
      rules,
      rules.map(() => key),
    ),
  })
  const admitted = (count: number, key: string, ...rules: readonly Rule[]): number => {
    let total = 0
    for (let index = 0; index < count; index++) if (take(key, ...rules).admitted) total++
    return total
  }
  return { time, limiter, take, admitted }
}

function quota(limit: number, window: 'hour' | 'day' | 'month'): QuotaRule {
  return new QuotaRule({ name: 'free', onStoreError: 'local' }, { limit, window })
}

/** A bucket as one would explain it: whole requests as fractions, refilled at each look. */
class NaiveBucket {
  readonly #count: bigint
  readonly #periodMs: bigint
  readonly #burst: bigint
  /** In periods: a request costs one period, a millisecond brings `count`. */
  #level: bigint
  #atMs = 0n

  constructor(count: number, periodMs: number, burst: number) {
    this.#count = BigInt(count)
    this.#periodMs = BigInt(periodMs)
    this.#burst = BigInt(burst)
    this.#level = this.#burst * this.#periodMs
  }

  take(nowMs: number): boolean {
    const now = BigInt(nowMs)
    const full = this.#burst * this.#periodMs
    this.#level += (now - this.#atMs) * this.#count
    if (this.#level > full) this.#level = full
    this.#atMs = now
    if (this.#level < this.#periodMs) return false
    this.#level -= this.#periodMs
    return true
  }

  get left(): number {
    return Number(this.#level / this.#periodMs)
  }
}

describe('a rate', () => {
  for (const [count, periodMs, burst] of [
    [10, SECOND_MS, 20],
    [10_000, DAY_MS, 10],
    [10_000, SECOND_MS, 500],
    [7, 60_000, 3],
    [3_001, SECOND_MS, 50],
    [12_345, DAY_MS, 12_345],
    [1, 1, 1],
    [65_521, SECOND_MS, 65],
    [1, DAY_MS, 1_000],
    [997, DAY_MS, 10_000],
  ] as const) {
    test(`of ${count} in ${periodMs} ms with a burst of ${burst} decides as a bucket of fractions does`, () => {
      const { time, take } = stage()
      const rule = rateRule(count, periodMs, burst)
      const model = new NaiveBucket(count, periodMs, burst)
      const random = seeded(count + burst)
      const pauseMs = Math.max(2, Math.ceil((2 * periodMs) / count))
      for (let step = 0; step < 20_000; step++) {
        time.pass(random(20) === 0 ? random(pauseMs * burst) : random(pauseMs))
        const decision = take('acme', rule)
        assert.equal(decision.admitted, model.take(time.nowMs), `step ${step}`)
        assert.equal(decision.left, model.left, `step ${step}`)
      }
    })
  }

  test('admits in ten days what it says, to one', () => {
    const { time, take } = stage()
    const rule = rateRule(10_000, DAY_MS, 1)
    let total = 0
    const startMs = time.nowMs
    // Asked at each moment a request comes in, and just before.
    for (let index = 0; index < 100_000; index++) {
      time.nowMs = startMs + index * 8_640 - 1
      if (take('acme', rule).admitted) total++
      time.nowMs++
      if (take('acme', rule).admitted) total++
    }
    assert.ok(Math.abs(total - 100_000) <= 1, String(total))
  })

  test('takes nothing for a refused request', () => {
    const { time, take, admitted } = stage()
    const rule = rateRule(1, SECOND_MS, 2)
    assert.equal(admitted(1_000, 'acme', rule), 2)
    time.pass(SECOND_MS)
    assert.equal(admitted(1_000, 'acme', rule), 1)
    time.pass(999)
    assert.equal(take('acme', rule).admitted, false)
    time.pass(1)
    assert.equal(take('acme', rule).admitted, true)
  })

  test('says what is left, when all is there again and when to come back', () => {
    const { time, take } = stage()
    const rule = rateRule(1, 10 * SECOND_MS, 2)
    const first = take('acme', rule)
    assert.deepEqual([first.left, first.resetS, first.retryAfterS], [1, 10, 0])
    take('acme', rule)
    time.pass(2_500)
    const refused = take('acme', rule)
    assert.deepEqual(
      [refused.admitted, refused.by, refused.left, refused.resetS, refused.retryAfterS],
      [false, 'plan', 0, 18, 8],
    )
  })

  test('gives no more to a thread whose clock is behind', () => {
    const { time, admitted } = stage()
    const rule = rateRule(10, SECOND_MS, 10)
    assert.equal(admitted(20, 'acme', rule), 10)
    time.pass(-5)
    assert.equal(admitted(20, 'acme', rule), 0)
    time.pass(5 + 100)
    assert.equal(admitted(20, 'acme', rule), 1)
  })

  test('keeps keys and rules apart', () => {
    const { admitted } = stage()
    const rule = rateRule(1, SECOND_MS, 5)
    assert.equal(admitted(9, 'acme', rule), 5)
    assert.equal(admitted(9, 'globex', rule), 5)
    assert.equal(admitted(9, 'acme', rateRule(1, SECOND_MS, 5, 'other')), 5)
    assert.equal(admitted(9, 'acme', rateRule(1, SECOND_MS, 6)), 6, 'other numbers begin anew')
  })
})

describe('a quota', () => {
  test('begins anew with the month of UTC, whatever the day', () => {
    const { time, admitted, take } = stage()
    assert.equal(admitted(9, 'acme', quota(5, 'month')), 5)
    const refused = take('acme', quota(5, 'month'))
    assert.deepEqual([refused.by, refused.left, refused.retryAfterS], ['quota', 0, 1])
    time.pass(SECOND_MS)
    assert.equal(admitted(9, 'acme', quota(5, 'month')), 5)
    assert.equal(take('acme', quota(5, 'month')).retryAfterS, 28 * 86_400)
  })

  test('stays in the later window when a clock goes back', () => {
    const { time, admitted } = stage()
    time.pass(SECOND_MS)
    assert.equal(admitted(9, 'acme', quota(5, 'hour')), 5)
    time.epochMs -= 10 * SECOND_MS
    assert.equal(admitted(9, 'acme', quota(5, 'hour')), 0)
  })

  test('counts by hour and by day', () => {
    const { time, admitted } = stage()
    time.epochMs = Date.UTC(2026, 5, 1, 10, 30)
    assert.equal(admitted(9, 'acme', quota(2, 'hour'), quota(3, 'day')), 2)
    time.pass(3_600_000)
    assert.equal(admitted(9, 'acme', quota(2, 'hour'), quota(3, 'day')), 1)
    time.pass(14 * 3_600_000)
    assert.equal(admitted(9, 'acme', quota(2, 'hour'), quota(3, 'day')), 2)
  })
})

describe('several rules', () => {
  test('are counted all or none', () => {
    const { admitted, take } = stage()
    const wide = rateRule(1, 1_000 * SECOND_MS, 100, 'wide')
    const narrow = rateRule(1, 1_000 * SECOND_MS, 3, 'narrow')
    assert.equal(admitted(50, 'acme', wide, narrow), 3)
    assert.equal(take('acme', wide).left, 96)
  })

  test('answer with the one that has the fewest left', () => {
    const { take } = stage()
    const wide = rateRule(1, SECOND_MS, 100, 'wide')
    const narrow = rateRule(1, SECOND_MS, 3, 'narrow')
    assert.equal(take('acme', wide, narrow).rule, narrow)
    assert.equal(take('acme', narrow, wide).rule, narrow)
  })

  test('that are none admit', () => {
    const decision = stage().take('acme')
    assert.deepEqual([decision.admitted, decision.rule], [true, null])
  })
})

describe('memory', () => {
  test('that is too small forgets who is nearest to full, and counts it', () => {
    const { time, limiter, take } = stage(16)
    const rule = rateRule(1, SECOND_MS, 100)
    for (let index = 0; index < 50; index++) take('heavy', rule)
    for (let index = 0; index < 15; index++) take(`light-${index}`, rule)
    assert.equal(limiter.evicted, 0)
    take('one more', rule)
    assert.equal(limiter.evicted, 1)
    assert.equal(take('heavy', rule).left, 49)
    time.pass(200 * SECOND_MS)
    for (let index = 0; index < 16; index++) take(`later-${index}`, rule)
    assert.equal(limiter.evicted, 1, 'those that are full again are free')
  })
})
