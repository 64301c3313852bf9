import { Calendar, type QuotaWindow } from './calendar.ts'
import {
  type LimitTime,
  type Rule,
  type RuleNames,
  type StoreErrorRule,
  saltsOf,
  structuredString,
} from './rule.ts'

/** What is used of a window lies below the window's number; together they stay below 2⁵³. */
const USED_RANGE = 2 ** 30

/** Seconds that `w` says; a month as long as the longest. */
const WINDOW_S: Readonly<Record<QuotaWindow, number>> = { hour: 3_600, day: 86_400, month: 2_678_400 }

export interface QuotaNumbers {
  /** Requests in a window, 1 … 2³⁰ - 1. */
  readonly limit: number
  /** Of UTC. */
  readonly window: QuotaWindow
}

/** So many requests in each window of the UTC calendar. */
export class QuotaRule implements Rule {
  readonly by = 'quota'
  readonly onStoreError: StoreErrorRule
  readonly policyText: string
  readonly nameText: string
  readonly identity: string
  readonly salt: number
  readonly otherSalt: number
  readonly limit: number
  readonly window: QuotaWindow
  readonly #calendar: Calendar

  constructor(names: Omit<RuleNames, 'by'>, numbers: QuotaNumbers) {
    if (!(numbers.limit >= 1 && numbers.limit < USED_RANGE))
      throw new RangeError(`a quota of ${numbers.limit}: expected 1 to ${USED_RANGE - 1}`)
    this.onStoreError = names.onStoreError
    this.limit = numbers.limit
    this.window = numbers.window
    this.#calendar = new Calendar(numbers.window)
    this.nameText = structuredString(names.name)
    this.policyText = `${this.nameText};q=${numbers.limit};w=${WINDOW_S[numbers.window]}`
    // A quota that is raised keeps what was used of it.
    this.identity = `quota ${numbers.window} ${names.name}`
    const [salt, otherSalt] = saltsOf(this.identity)
    this.salt = salt
    this.otherSalt = otherSalt
  }

  next(value: number, { wallMs }: LimitTime): number {
    const window = this.#calendar.indexAt(wallMs)
    const kept = Math.floor(value / USED_RANGE)
    // A thread whose clock is behind, or a clock that was put back, stays in the later window.
    if (kept < window) return window * USED_RANGE + 1
    return value % USED_RANGE >= this.limit ? -1 : value + 1
  }

  without(value: number): number {
    return value % USED_RANGE === 0 ? value : value - 1
  }

  left(value: number, { wallMs }: LimitTime): number {
    return Math.max(0, this.limit - this.#used(value, wallMs))
  }

  resetMs(value: number, { wallMs }: LimitTime): number {
    if (this.#used(value, wallMs) === 0) return 0
    const kept = Math.floor(value / USED_RANGE)
    return Math.max(0, this.#calendar.endMs(Math.max(kept, this.#calendar.indexAt(wallMs))) - wallMs)
  }

  retryMs(value: number, time: LimitTime): number {
    return this.left(value, time) > 0 ? 0 : this.resetMs(value, time)
  }

  #used(value: number, wallMs: number): number {
    return Math.floor(value / USED_RANGE) < this.#calendar.indexAt(wallMs) ? 0 : value % USED_RANGE
  }
}
