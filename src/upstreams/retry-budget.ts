import { addRolling, ROLLING_CELLS, subRolling, sumRolling } from './rolling-count.ts'

/** Cells an upstream needs: first tries, then retries. */
export const RETRY_CELLS = 2 * ROLLING_CELLS

/** So many retries are always allowed, or an upstream with little traffic would have none. */
const FLOOR = 3
const PERIOD_MS = 1_000
const PERIODS = 10

/** How many retries an upstream may still have: a share of the first tries of the last 10 s, in all threads together. */
export class RetryBudget {
  readonly #cells: Int32Array
  readonly #at: number

  constructor(cells: Int32Array, at: number) {
    this.#cells = cells
    this.#at = at
  }

  /** Counts a first try. */
  first(nowMs: number): void {
    addRolling(this.#cells, this.#at, periodOf(nowMs))
  }

  /**
   * Takes one retry if the budget has it. Reserved before it is summed up, so that threads that ask at once may all be
   * refused, but never all be allowed. Retries are summed over a period more than first tries, since a period is not
   * over yet: no 10 s hold more than they may.
   */
  tryRetry(nowMs: number, share: number): boolean {
    const period = periodOf(nowMs)
    const retriesAt = this.#at + ROLLING_CELLS
    addRolling(this.#cells, retriesAt, period)
    const retries = sumRolling(this.#cells, retriesAt, period, PERIODS + 1)
    const firsts = sumRolling(this.#cells, this.#at, period, PERIODS)
    if (retries <= Math.max(FLOOR, share * firsts)) return true
    subRolling(this.#cells, retriesAt, period)
    return false
  }
}

function periodOf(nowMs: number): number {
  return Math.floor(nowMs / PERIOD_MS)
}
