import {
  type LimitTime,
  type Rule,
  type RuleNames,
  type StoreErrorRule,
  saltsOf,
  structuredString,
} from './rule.ts'

export interface RateNumbers {
  /** Requests for each period, a whole number from 1. */
  readonly count: number
  /** Whole milliseconds. */
  readonly periodMs: number
  /** Requests at once after a rest, from 1. */
  readonly burst: number
}

/** Finer units would let a clock of milliseconds leave the integers a number can hold within four years. */
const MOST_UNITS_PER_MS = 65_536
/** A bucket in thousandths of its units is an integer below 2⁵³ in Redis. */
const MOST_DEPTH = Math.floor(Number.MAX_SAFE_INTEGER / 1_000)

/**
 * A bucket of `burst` requests, refilled continuously, as the generic cell rate algorithm keeps it (GCRA; ITU-T I.371):
 * one number, the time at which the bucket will be full again. Time is counted in units of which a request costs a
 * whole number, so that 10,000 a day and 10,000 a second are both exact; only where there would be more
 * than 65,536 of them in a millisecond, or more than fit in a bucket, is the cost rounded, up.
 */
export class RateRule implements Rule {
  readonly by: Rule['by']
  readonly onStoreError: StoreErrorRule
  readonly policyText: string
  readonly nameText: string
  readonly identity: string
  readonly salt: number
  readonly otherSalt: number
  /** A request of a rate of 10 in 3 ms costs 3 units of a tenth of a millisecond. */
  readonly unitsPerMs: number
  readonly cost: number
  readonly burst: number
  /** Units from empty to full. */
  readonly depth: number

  constructor(names: RuleNames, numbers: RateNumbers) {
    const divisor = commonDivisor(numbers.count, numbers.periodMs)
    const fillMs = (numbers.burst * numbers.periodMs) / numbers.count
    const most = Math.min(MOST_UNITS_PER_MS, Math.floor(MOST_DEPTH / 2 / fillMs))
    if (most < 1)
      throw new RangeError(
        `a burst of ${numbers.burst}: expected one that is there again within a hundred years`,
      )
    this.unitsPerMs = Math.min(numbers.count / divisor, most)
    this.cost = Math.ceil((numbers.periodMs * this.unitsPerMs) / numbers.count)
    this.burst = numbers.burst
    this.depth = this.burst * this.cost
    if (!Number.isSafeInteger(this.depth * 1_000))
      throw new RangeError(`a bucket of ${this.burst} is too large`)
    this.by = names.by
    this.onStoreError = names.onStoreError
    this.nameText = structuredString(names.name)
    this.policyText = `${this.nameText};q=${numbers.burst};w=${Math.ceil(fillMs / 1_000)}`
    this.identity = `rate ${names.by} ${this.unitsPerMs} ${this.cost} ${this.burst} ${names.name}`
    const [salt, otherSalt] = saltsOf(this.identity)
    this.salt = salt
    this.otherSalt = otherSalt
  }

  next(value: number, { nowMs }: LimitTime): number {
    const now = Math.floor(nowMs * this.unitsPerMs)
    const next = (value > now ? value : now) + this.cost
    return next - now > this.depth ? -1 : next
  }

  without(value: number): number {
    return value - this.cost
  }

  left(value: number, time: LimitTime): number {
    return Math.floor((this.depth - this.#lack(value, time)) / this.cost)
  }

  resetMs(value: number, time: LimitTime): number {
    return this.#lack(value, time) / this.unitsPerMs
  }

  retryMs(value: number, time: LimitTime): number {
    return Math.max(0, this.#lack(value, time) + this.cost - this.depth) / this.unitsPerMs
  }

  /** Units until the bucket is full. */
  #lack(value: number, { nowMs }: LimitTime): number {
    return Math.max(0, value - Math.floor(nowMs * this.unitsPerMs))
  }
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other)
}
