import type { BreakerState } from './breaker.ts'
import { ConnectionCount } from './connection-count.ts'
import { type Duty, ENDPOINT_CELLS, EndpointState, type Health } from './endpoint-state.ts'
import { ExchangeCount } from './exchange-count.ts'
import { RETRY_CELLS, RetryBudget } from './retry-budget.ts'

/** Upstreams and endpoints there can be at a time. */
export const UPSTREAM_SLOTS = 1_024
export const ENDPOINT_SLOTS = 4_096

const CELL_BYTES = Int32Array.BYTES_PER_ELEMENT
/** The origin of its time (Float64), then the number of rows (Int32). */
const HEADER_BYTES = 64
const ROWS_CELL = 2

/** A thread's own clock, and the machine's, which all threads read alike; both monotonic ms. */
export interface ThreadClock {
  monotonicMs(): number
  machineMs(): number
}

/** An endpoint as operators' pages show it. */
export interface EndpointDescription {
  readonly inFlight: number
  readonly breaker: BreakerState
  readonly health: Health
  /** What an operator said of it. */
  readonly duty: Duty
}

/**
 * What all threads know of upstreams and endpoints, by slot: open connections, exchanges in flight, retry budgets,
 * breakers, health. About 1 MiB and 25 KiB a thread, of which the system provides what is touched. Control gives out
 * the slots, and clears one before it is used again.
 */
export class UpstreamMemory {
  readonly connections: ConnectionCount
  readonly #exchanges: ExchangeCount
  readonly #retries: Int32Array
  readonly #endpoints: Int32Array
  readonly #row: number
  readonly #clock: ThreadClock
  /** From this thread's monotonic time to the memory's. */
  readonly #offsetMs: number

  /** `rows`: data threads. `originMs`: the machine's time now. */
  static create(rows: number, originMs: number): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(layout(rows).byteLength)
    new Float64Array(memory, 0, 1)[0] = originMs
    new Int32Array(memory, 0, ROWS_CELL + 1)[ROWS_CELL] = rows
    return memory
  }

  /** `row`: the data thread's, 0 … rows - 1; null for control, which carries no exchange. */
  constructor(memory: SharedArrayBuffer, row: number | null, clock: ThreadClock) {
    const rows = new Int32Array(memory, 0, ROWS_CELL + 1)[ROWS_CELL] ?? 0
    const { connections, exchanges, retries, endpoints } = layout(rows)
    this.#row = row ?? rows
    this.connections = new ConnectionCount(memory, connections, UPSTREAM_SLOTS, rows, this.#row)
    this.#exchanges = new ExchangeCount(memory, exchanges, ENDPOINT_SLOTS, rows, this.#row)
    this.#retries = new Int32Array(memory, retries, UPSTREAM_SLOTS * RETRY_CELLS)
    this.#endpoints = new Int32Array(memory, endpoints, ENDPOINT_SLOTS * ENDPOINT_CELLS)
    this.#clock = clock
    const originMs = new Float64Array(memory, 0, 1)[0] ?? 0
    this.#offsetMs = clock.machineMs() - clock.monotonicMs() - originMs
  }

  /** The memory's time for a reading of this thread's clock. */
  sharedMs(monotonicMs: number): number {
    return monotonicMs + this.#offsetMs
  }

  get exchanges(): ExchangeCount {
    return this.#exchanges
  }

  retryBudget(upstreamSlot: number): RetryBudget {
    return new RetryBudget(this.#retries, upstreamSlot * RETRY_CELLS)
  }

  endpointState(endpointSlot: number): EndpointState {
    return new EndpointState(this.#endpoints, endpointSlot * ENDPOINT_CELLS, this.#row)
  }

  /** For control, when a data thread is gone and before its replacement starts: takes out what it held. */
  reclaim(row: number): void {
    this.connections.reclaim(row)
    this.#exchanges.reclaim(row)
    for (let slot = 0; slot < ENDPOINT_SLOTS; slot++) this.endpointState(slot).breaker.reclaim(row)
  }

  /** For control: what the probes found. Again is the same as once. */
  setHealth(endpointSlot: number, health: Health): void {
    this.endpointState(endpointSlot).setHealth(health, this.sharedMs(this.#clock.monotonicMs()))
  }

  /** For control: what an operator wants. */
  setDuty(endpointSlot: number, duty: Duty): void {
    this.endpointState(endpointSlot).setDuty(duty, this.sharedMs(this.#clock.monotonicMs()))
  }

  /** For control, before a slot stands for another endpoint; what is still in flight there is counted out by itself. */
  resetEndpoint(endpointSlot: number): void {
    this.endpointState(endpointSlot).reset()
  }

  describeEndpoint(endpointSlot: number): EndpointDescription {
    const { breaker, health, duty } = this.endpointState(endpointSlot)
    return { inFlight: this.#exchanges.get(endpointSlot), breaker: breaker.state, health, duty }
  }

  /** Open connections to an upstream, in all threads. */
  openConnections(upstreamSlot: number): number {
    return this.connections.open(upstreamSlot)
  }
}

/** Where each part begins, bytes. */
function layout(
  rows: number,
): Readonly<Record<'connections' | 'exchanges' | 'retries' | 'endpoints' | 'byteLength', number>> {
  const connections = HEADER_BYTES
  const exchanges = connections + ConnectionCount.byteLength(UPSTREAM_SLOTS, rows)
  const retries = exchanges + ExchangeCount.byteLength(ENDPOINT_SLOTS, rows)
  const endpoints = retries + UPSTREAM_SLOTS * RETRY_CELLS * CELL_BYTES
  const byteLength = endpoints + ENDPOINT_SLOTS * ENDPOINT_CELLS * CELL_BYTES
  return { connections, exchanges, retries, endpoints, byteLength }
}
