import type { Exchange } from '../proxy/exchange.ts'
import { BUCKETS, bucketOf } from './bucket.ts'
import { codePlace, isRefusal, methodPlace, STATUS_CLASSES, statusPlace } from './label.ts'
import { CELL, IDLE_AT, OWN_PLACE, ROUTE, routeAt, STORE_DOWN, STORE_UP, WAITING_AT } from './layout.ts'
import { MetricsMemory } from './metrics-memory.ts'
import { TenantSketch } from './tenant-sketch.ts'

/** How a thread is, or was within the last second. */
export interface ThreadFigures {
  readonly clients: number
  readonly active: number
  readonly loopDelayMaxMs: number
  readonly loopDelayMeanMs: number
  /** 0 … 1: of the time since the last look, how much the thread worked. */
  readonly loopShare: number
  readonly heapUsedBytes: number
  readonly heapLimitBytes: number
  readonly externalBytes: number
}

/** What is looked at once a second, rather than counted as it happens. */
export interface ThreadSample extends ThreadFigures {
  readonly limits: {
    /** Counts of this thread since its start. */
    readonly forgotten: number
    readonly uncounted: number
    readonly store: keyof typeof STORE_STATES
  }
}

const STORE_STATES = { none: 0, up: STORE_UP, down: STORE_DOWN } as const
const CLASSES = STATUS_CLASSES.length
const SWITCHED = 101

/** One data thread's side of the metrics: additions to its own cells, nothing allocated, nothing shared with a writer. */
export class ThreadMetrics {
  readonly #memory: MetricsMemory
  readonly #cells: Float64Array
  readonly #tenants: TenantSketch

  /** `row`: the thread's; it and its sketch are clear. */
  constructor(memory: SharedArrayBuffer, row: number) {
    this.#memory = new MetricsMemory(memory, 'thread')
    this.#cells = this.#memory.row(row)
    this.#tenants = new TenantSketch(this.#memory.sketch(row))
  }

  /** Where a route counts, for a snapshot to hold; the same for a name at every reload. Null: no configured route. */
  readonly seriesOf = (routeName: string | null): number =>
    routeAt(routeName === null ? OWN_PLACE : this.#memory.names.place(routeName))

  /** An exchange has ended. */
  record(exchange: Exchange): void {
    const { route, head, status, code, startMs, forwardedMs, respondedMs, endedMs } = exchange
    const at = route.series
    this.#add(at + ROUTE.requests + methodPlace(head.method) * CLASSES + statusPlace(status), 1)
    this.#add(at + ROUTE.bytesIn, exchange.bytesIn)
    this.#add(at + ROUTE.bytesOut, exchange.bytesOut)
    if (code !== null) this.#add(at + ROUTE.failures + codePlace(code), 1)
    if (exchange.aborted) this.#add(at + ROUTE.aborted, 1)
    if (exchange.shadowed !== '') this.#add(at + ROUTE.shadowed, 1)
    if (exchange.attempts > 1) this.#add(at + ROUTE.repeats, exchange.attempts - 1)
    const totalMs = endedMs - startMs
    const isForwarded = forwardedMs !== 0
    this.#observe(at + ROUTE.ownMs, isForwarded ? forwardedMs - startMs : totalMs)
    // How long a tunnel stayed open says nothing about anybody's speed.
    if (status !== SWITCHED) {
      this.#observe(at + ROUTE.totalMs, totalMs)
      if (isForwarded) {
        this.#observe(at + ROUTE.upstreamMs, (respondedMs === 0 ? endedMs : respondedMs) - forwardedMs)
      }
    }
    const { identity } = exchange
    if (identity !== null) {
      this.#tenants.count(identity.tenant, code !== null && isRefusal(code) ? 1 : 0, totalMs)
    }
  }

  /** A client's connection was taken. */
  accepted(): void {
    this.#add(CELL.accepted, 1)
  }

  /** A client's connection was closed at once: there are too many. */
  turnedAway(): void {
    this.#add(CELL.turnedAway, 1)
  }

  /** A token was verified before, and found. */
  tokenKnown(): void {
    this.#add(CELL.tokensKnown, 1)
  }

  tokenJudged(): void {
    this.#add(CELL.tokensJudged, 1)
  }

  /** Of an upstream in this thread: connections that wait for use, and exchanges that wait for a connection. */
  pool(upstreamSlot: number, idle: number, waiting: number): void {
    this.#cells[IDLE_AT + upstreamSlot] = idle
    this.#cells[WAITING_AT + upstreamSlot] = waiting
  }

  sample(sample: ThreadSample): void {
    const cells = this.#cells
    cells[CELL.clients] = sample.clients
    cells[CELL.active] = sample.active
    cells[CELL.loopDelayMaxMs] = sample.loopDelayMaxMs
    cells[CELL.loopDelayMeanMs] = sample.loopDelayMeanMs
    cells[CELL.loopShare] = sample.loopShare
    cells[CELL.heapUsedBytes] = sample.heapUsedBytes
    cells[CELL.heapLimitBytes] = sample.heapLimitBytes
    cells[CELL.externalBytes] = sample.externalBytes
    const { forgotten, uncounted, store } = sample.limits
    cells[CELL.limitsForgotten] = forgotten
    cells[CELL.limitsUncounted] = uncounted
    cells[CELL.limitStore] = STORE_STATES[store]
  }

  #observe(at: number, ms: number): void {
    this.#add(at + bucketOf(ms), 1)
    this.#add(at + BUCKETS, ms)
  }

  #add(at: number, by: number): void {
    const cells = this.#cells
    cells[at] = (cells[at] as number) + by
  }
}
