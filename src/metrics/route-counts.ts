import { BUCKETS } from './bucket.ts'
import type { Histogram } from './exposition.ts'
import { FAILURE_CODES, METHODS, STATUS_CLASSES } from './label.ts'
import { ROUTE } from './layout.ts'

export interface RequestCount {
  readonly method: string
  /** `2xx`, or `none`. */
  readonly status: string
  readonly requests: number
}

const HISTOGRAMS = { total: ROUTE.totalMs, own: ROUTE.ownMs, upstream: ROUTE.upstreamMs } as const

/** What was counted of a route, over all threads, at the time it was read. */
export class RouteCounts {
  readonly route: string
  readonly #cells: Float64Array

  constructor(route: string) {
    this.route = route
    this.#cells = new Float64Array(ROUTE.cells)
  }

  /** Adds what a row has of the route, from `at` on. */
  add(row: Float64Array, at: number): void {
    const cells = this.#cells
    for (let cell = 0; cell < cells.length; cell++) {
      cells[cell] = (cells[cell] as number) + (row[at + cell] as number)
    }
  }

  /** Those there were any of. */
  get requests(): readonly RequestCount[] {
    const counts: RequestCount[] = []
    for (const [methodAt, method] of METHODS.entries()) {
      for (const [statusAt, status] of STATUS_CLASSES.entries()) {
        const requests = this.#cell(ROUTE.requests + methodAt * STATUS_CLASSES.length + statusAt)
        if (requests > 0) counts.push({ method, status, requests })
      }
    }
    return counts
  }

  /** Over all methods. `2xx`, or `none`; null: over all classes too. */
  count(status: string | null): number {
    let sum = 0
    for (let at = 0; at < METHODS.length * STATUS_CLASSES.length; at++) {
      if (status === null || STATUS_CLASSES[at % STATUS_CLASSES.length] === status) sum += this.#cell(at)
    }
    return sum
  }

  /** Those there were any of. */
  get failures(): readonly { readonly code: string; readonly count: number }[] {
    return FAILURE_CODES.map((code, at) => ({ code, count: this.#cell(ROUTE.failures + at) })).filter(
      ({ count }) => count > 0,
    )
  }

  get bytesIn(): number {
    return this.#cell(ROUTE.bytesIn)
  }

  get bytesOut(): number {
    return this.#cell(ROUTE.bytesOut)
  }

  get aborted(): number {
    return this.#cell(ROUTE.aborted)
  }

  /** Those that a shadowed policy would have refused. */
  get shadowed(): number {
    return this.#cell(ROUTE.shadowed)
  }

  get repeats(): number {
    return this.#cell(ROUTE.repeats)
  }

  histogram(kind: keyof typeof HISTOGRAMS): Histogram {
    const at = HISTOGRAMS[kind]
    return { buckets: [...this.#cells.subarray(at, at + BUCKETS)], sumMs: this.#cell(at + BUCKETS) }
  }

  #cell(at: number): number {
    return this.#cells[at] as number
  }
}
