import type { Clock } from '../../src/lib/clock.ts'
import { BucketTable } from '../../src/limits/bucket-table.ts'
import { RateRule } from '../../src/limits/rate-rule.ts'

/** A hash key of a process, always the same. */
export const HASH_KEY = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8])

export const SECOND_MS = 1_000
export const DAY_MS = 86_400_000

export function bucketMemory(entries = 1_024): SharedArrayBuffer {
  return BucketTable.create(entries, HASH_KEY)
}

/** Both clocks of a limiter, moved by the test. */
export class LimitTimeline implements Clock {
  nowMs = 1_000
  epochMs = Date.UTC(2026, 0, 31, 23, 59, 59)
  readonly monotonicMs = (): number => this.nowMs
  readonly wallMs = (): number => this.epochMs

  pass(ms: number): void {
    this.nowMs += ms
    this.epochMs += ms
  }
}

export function rateRule(count: number, periodMs: number, burst: number, name = 'free'): RateRule {
  return new RateRule({ name, by: 'plan', onStoreError: 'local' }, { count, periodMs, burst })
}

/** Numbers below `below`, the same for the same seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
