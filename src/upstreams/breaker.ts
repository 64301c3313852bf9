import type { BreakerConfig } from '../config/config.ts'
import { addRolling, clearRolling, ROLLING_CELLS, sumRolling } from './rolling-count.ts'
import { elapsedMs, stamp } from './shared-time.ts'

export type BreakerState = 'closed' | 'open' | 'probing'

/** What a breaker thinks of an exchange that wants to pass: as any other, as the one that probes, or not at all. */
export type Passage = 'free' | 'probe' | 'barred'

/** Cells a breaker needs. */
export const BREAKER_CELLS = 3 + 2 * ROLLING_CELLS
const STATE = 0
const OPENED = 1
const CLOSED_AGAIN = 2
const SUCCESSES = 3
const FAILURES = SUCCESSES + ROLLING_CELLS

const CLOSED = 0
const OPEN = 1
/** And the row of the thread whose exchange probes, so that a dead thread's probe can be called off. */
const PROBING = 2

/** Parts of a window that are forgotten one by one. */
const PERIODS = 10

/**
 * Takes an endpoint out of service that fails too often. Closed: everything passes, and outcomes are counted. Open:
 * nothing passes, for `openMs`. Then one exchange at a time probes: its success closes the breaker, its failure opens
 * it again. One breaker for the process, in shared memory; times are the memory's milliseconds.
 */
export class Breaker {
  readonly #cells: Int32Array
  readonly #at: number
  readonly #row: number

  /** `row`: this thread's, or that of control, which lets nothing pass. */
  constructor(cells: Int32Array, at: number, row: number) {
    this.#cells = cells
    this.#at = at
    this.#row = row
  }

  get state(): BreakerState {
    const state = this.#state
    return state === CLOSED ? 'closed' : state === OPEN ? 'open' : 'probing'
  }

  /** When it last closed after having been open, or 0: for the slow start. */
  get closedAgainMs(): number {
    return Atomics.load(this.#cells, this.#at + CLOSED_AGAIN)
  }

  /** Whether an exchange that came now would pass. */
  admits({ openMs }: BreakerConfig, nowMs: number): boolean {
    const state = this.#state
    return state === CLOSED || (state === OPEN && this.#openForMs(nowMs) >= openMs)
  }

  /** Lets an exchange pass, or not. */
  enter({ openMs }: BreakerConfig, nowMs: number): Passage {
    const state = this.#state
    if (state === CLOSED) return 'free'
    if (state !== OPEN || this.#openForMs(nowMs) < openMs) return 'barred'
    return this.#move(OPEN, PROBING + this.#row) ? 'probe' : 'barred'
  }

  succeeded({ windowMs }: BreakerConfig, nowMs: number): void {
    addRolling(this.#cells, this.#at + SUCCESSES, periodOf(nowMs, windowMs))
  }

  failed({ windowMs, minimum, failures }: BreakerConfig, nowMs: number): void {
    const period = periodOf(nowMs, windowMs)
    addRolling(this.#cells, this.#at + FAILURES, period)
    if (this.#state !== CLOSED) return
    const failed = sumRolling(this.#cells, this.#at + FAILURES, period, PERIODS)
    const seen = failed + sumRolling(this.#cells, this.#at + SUCCESSES, period, PERIODS)
    if (seen >= minimum && failed >= failures * seen) this.#open(CLOSED, nowMs)
  }

  probeSucceeded(nowMs: number): void {
    // Before it closes: what was counted until it opened must not open it again.
    clearRolling(this.#cells, this.#at + SUCCESSES)
    clearRolling(this.#cells, this.#at + FAILURES)
    Atomics.store(this.#cells, this.#at + CLOSED_AGAIN, stamp(nowMs))
    this.#move(PROBING + this.#row, CLOSED)
  }

  probeFailed(nowMs: number): void {
    this.#open(PROBING + this.#row, nowMs)
  }

  /** The probe ended without saying anything of the endpoint: the next exchange probes. */
  probeCalledOff(): void {
    this.#move(PROBING + this.#row, OPEN)
  }

  /** For control: a thread is gone, and its probe with it. */
  reclaim(row: number): void {
    this.#move(PROBING + row, OPEN)
  }

  reset(): void {
    for (let cell = this.#at; cell < this.#at + BREAKER_CELLS; cell++) Atomics.store(this.#cells, cell, 0)
  }

  get #state(): number {
    return Atomics.load(this.#cells, this.#at + STATE)
  }

  #openForMs(nowMs: number): number {
    return elapsedMs(nowMs, Atomics.load(this.#cells, this.#at + OPENED))
  }

  #open(from: number, nowMs: number): void {
    Atomics.store(this.#cells, this.#at + OPENED, stamp(nowMs))
    this.#move(from, OPEN)
  }

  #move(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#cells, this.#at + STATE, from, to) === from
  }
}

function periodOf(nowMs: number, windowMs: number): number {
  return Math.floor((nowMs * PERIODS) / windowMs)
}
