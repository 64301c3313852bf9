import { LATENCY_STEPS, latencyOf } from '../../observe/latency-scale.ts'
import type { ThreadSecond } from '../../observe/second-tally.ts'
import type { SecondColumns } from './figures-view.ts'

/** Fifteen minutes. */
export const KEPT_SECONDS = 900

const REQUESTS = 0
const CLIENT_ERRORS = 1
const SERVER_ERRORS = 2
const ABORTED = 3
const LATENCY = 4
const CELLS = LATENCY + LATENCY_STEPS

/** The last fifteen minutes, second by second, of all threads together: 350 KiB, whatever the traffic. */
export class SecondRing {
  readonly #cells = new Uint32Array(KEPT_SECONDS * CELLS)
  /** Which second each place holds; nothing ran in 1970. */
  readonly #seconds = new Float64Array(KEPT_SECONDS)

  readonly #firstSecond: number

  /** `firstSecond`: since the epoch; before it nothing could be counted. */
  constructor(firstSecond: number) {
    this.#firstSecond = firstSecond
  }

  add(told: ThreadSecond): void {
    const place = told.second % KEPT_SECONDS
    const at = place * CELLS
    const cells = this.#cells
    if (told.second < (this.#seconds[place] ?? 0)) return
    if (this.#seconds[place] !== told.second) {
      this.#seconds[place] = told.second
      cells.fill(0, at, at + CELLS)
    }
    this.#raise(at + REQUESTS, told.requests)
    this.#raise(at + CLIENT_ERRORS, told.clientErrors)
    this.#raise(at + SERVER_ERRORS, told.serverErrors)
    this.#raise(at + ABORTED, told.aborted)
    for (let step = 0; step < LATENCY_STEPS; step++) this.#raise(at + LATENCY + step, told.latency[step] ?? 0)
  }

  /** `count` seconds up to and including `last`, without those before the first. */
  columns(last: number, count: number): SecondColumns {
    const length = Math.max(0, Math.min(count, KEPT_SECONDS, last - this.#firstSecond + 1))
    const second = Array.from({ length }, (_, index) => last - length + 1 + index)
    const column = (cell: number): number[] => second.map((one) => this.#read(one, cell))
    const quantiles = (share: number): (number | null)[] => second.map((one) => this.#quantile(one, share))
    return {
      second,
      requests: column(REQUESTS),
      clientErrors: column(CLIENT_ERRORS),
      serverErrors: column(SERVER_ERRORS),
      aborted: column(ABORTED),
      p50: quantiles(0.5),
      p95: quantiles(0.95),
      p99: quantiles(0.99),
    }
  }

  #raise(cell: number, by: number): void {
    this.#cells[cell] = (this.#cells[cell] ?? 0) + by
  }

  #read(second: number, cell: number): number {
    const place = second % KEPT_SECONDS
    return this.#seconds[place] === second ? (this.#cells[place * CELLS + cell] ?? 0) : 0
  }

  #quantile(second: number, share: number): number | null {
    const requests = this.#read(second, REQUESTS)
    if (requests === 0) return null
    const rank = Math.ceil(requests * share)
    let passed = 0
    for (let step = 0; step < LATENCY_STEPS; step++) {
      passed += this.#read(second, LATENCY + step)
      if (passed >= rank) return latencyOf(step)
    }
    return latencyOf(LATENCY_STEPS - 1)
  }
}
