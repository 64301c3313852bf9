import type { Clock } from '../lib/clock.ts'
import { BucketTable } from './bucket-table.ts'
import { KeyHash } from './key-hash.ts'
import type { Decision, Limiter } from './limiter.ts'
import type { LimitTime, Rule } from './rule.ts'

const MS_PER_S = 1_000

interface MutableDecision {
  admitted: boolean
  rule: Rule | null
  by: Decision['by']
  left: number
  resetS: number
  retryAfterS: number
}

/**
 * Limits of this process, exact across its threads. All rules are looked at before one is charged, so only a request
 * that loses a race between the two is charged and given back.
 */
export class SharedLimiter implements Limiter {
  readonly #table: BucketTable
  readonly #hash: KeyHash
  readonly #clock: Clock
  /** Of the rules and keys at hand, two words each. */
  #hashes = new Int32Array(8)
  readonly #time: LimitTime = { nowMs: 0, wallMs: 0 }
  readonly #decision: MutableDecision = {
    admitted: false,
    rule: null,
    by: 'plan',
    left: 0,
    resetS: 0,
    retryAfterS: 0,
  }

  /**
   * `memory`: made by BucketTable.create, the same for all threads. The clock's monotonic side must have one zero for
   * all of them, as Node's performance.now() has: the start of the process.
   */
  constructor(memory: SharedArrayBuffer, clock: Clock) {
    this.#table = new BucketTable(memory, 'soonest')
    this.#hash = new KeyHash(this.#table.keyLow, this.#table.keyHigh)
    this.#clock = clock
  }

  /** Buckets that were forgotten while they were not full, for want of room. */
  get evicted(): number {
    return this.#table.evicted
  }

  take(rules: readonly Rule[], keys: readonly string[]): Decision {
    this.#time.nowMs = this.#clock.monotonicMs()
    this.#time.wallMs = this.#clock.wallMs()
    const decision = this.#decision
    decision.admitted = true
    decision.rule = null
    decision.left = Number.POSITIVE_INFINITY
    decision.resetS = 0
    decision.retryAfterS = 0
    this.#hashAll(rules, keys)
    if (rules.length > 1 && !this.#looksFree(rules)) return decision
    for (let index = 0; index < rules.length; index++) {
      if (this.#charge(rules[index] as Rule, index)) continue
      while (--index >= 0) this.#giveBack(rules[index] as Rule, index)
      return decision
    }
    if (decision.rule === null) decision.left = 0
    return decision
  }

  #hashAll(rules: readonly Rule[], keys: readonly string[]): void {
    if (this.#hashes.length < rules.length * 2) this.#hashes = new Int32Array(rules.length * 2)
    for (let index = 0; index < rules.length; index++) {
      const rule = rules[index] as Rule
      this.#hash.hash(rule.salt, rule.otherSalt, keys[index] as string)
      this.#hashes[index * 2] = this.#hash.first
      this.#hashes[index * 2 + 1] = this.#hash.second
    }
  }

  #looksFree(rules: readonly Rule[]): boolean {
    for (let index = 0; index < rules.length; index++) {
      const rule = rules[index] as Rule
      this.#table.find(this.#hashes[index * 2] as number, this.#hashes[index * 2 + 1] as number)
      if (rule.next(this.#table.value, this.#time) < 0) {
        this.#refuse(rule, this.#table.value)
        return false
      }
    }
    return true
  }

  #charge(rule: Rule, index: number): boolean {
    const table = this.#table
    const time = this.#time
    const nowS = Math.floor(time.nowMs / MS_PER_S)
    const first = this.#hashes[index * 2] as number
    const second = this.#hashes[index * 2 + 1] as number
    for (;;) {
      const at = table.claim(first, second, nowS)
      const next = rule.next(table.value, time)
      if (next < 0) {
        this.#refuse(rule, table.value)
        return false
      }
      const resetMs = rule.resetMs(next, time)
      // A second more: clocks of threads may differ, and this one rounds down.
      table.keepUntil(at, Math.ceil((time.nowMs + resetMs) / MS_PER_S) + 1)
      if (!table.swap(at, next)) continue
      this.#admit(rule, rule.left(next, time), resetMs)
      return true
    }
  }

  #giveBack(rule: Rule, index: number): void {
    const table = this.#table
    const first = this.#hashes[index * 2] as number
    const second = this.#hashes[index * 2 + 1] as number
    for (;;) {
      const at = table.find(first, second)
      // Without an entry, or with nothing in it, the bucket is full: somebody needed the room.
      if (at < 0 || table.value === 0) return
      if (table.swap(at, rule.without(table.value))) return
    }
  }

  #admit(rule: Rule, left: number, resetMs: number): void {
    const decision = this.#decision
    if (left >= decision.left) return
    decision.rule = rule
    decision.by = rule.by
    decision.left = left
    decision.resetS = Math.ceil(resetMs / MS_PER_S)
  }

  #refuse(rule: Rule, value: number): void {
    const decision = this.#decision
    decision.admitted = false
    decision.rule = rule
    decision.by = rule.by
    decision.left = rule.left(value, this.#time)
    decision.resetS = Math.ceil(rule.resetMs(value, this.#time) / MS_PER_S)
    decision.retryAfterS = Math.max(1, Math.ceil(rule.retryMs(value, this.#time) / MS_PER_S))
  }
}
