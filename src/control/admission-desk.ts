import type { GateMessage, SchedulerMessage } from '../admission/admission-message.ts'
import { PlaceCount } from '../admission/place-count.ts'
import { type AdmissionState, Scheduler } from '../admission/scheduler.ts'
import type { LiveUpstream } from '../upstreams/live-upstream.ts'
import { UPSTREAM_SLOTS } from '../upstreams/upstream-memory.ts'
import type { StartTimer } from './start-timer.ts'

/** So often it is looked whose time is over, while anybody waits. */
const SWEEP_MS = 25
/** A window of latencies, for limits that follow them. */
const WINDOW_MS = 100

export interface AdmissionDeskParts {
  /** See admission/place-count.ts. */
  readonly memory: SharedArrayBuffer
  /** Data threads. */
  readonly rows: number
  /** To the thread of that row. */
  readonly post: (row: number, message: SchedulerMessage) => void
  readonly startTimer: StartTimer
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** Who waits to be let into an upstream, for all threads; with the timers that takes, which run only while needed. */
export class AdmissionDesk {
  readonly #parts: AdmissionDeskParts
  readonly #places: PlaceCount
  readonly #scheduler: Scheduler
  /** In force. */
  #slots: ReadonlySet<number> = new Set()
  #cancelSweep: (() => void) | null = null
  #cancelWindow: (() => void) | null = null
  #followsLatency = false

  constructor(parts: AdmissionDeskParts) {
    this.#parts = parts
    const { memory, rows, post, nowMs } = parts
    this.#places = new PlaceCount(memory, UPSTREAM_SLOTS, rows, 0)
    this.#scheduler = new Scheduler({ places: this.#places, post, nowMs })
  }

  /** Puts the admission of the upstreams in force; whoever waits for one that is gone is let in. */
  apply(live: readonly LiveUpstream[]): void {
    const slots = new Set(live.map(({ slot }) => slot))
    for (const slot of this.#slots) if (!slots.has(slot)) this.#scheduler.configure(slot, null)
    for (const { slot, config } of live) this.#scheduler.configure(slot, config.admission)
    this.#slots = slots
    this.#followsLatency = live.some(({ config }) => config.admission?.concurrency === 'auto')
    if (this.#followsLatency && this.#cancelWindow === null) this.#startWindow()
  }

  /** What the data thread of that row says. */
  said(row: number, message: GateMessage): void {
    this.#scheduler.said(row, message)
    if (this.#cancelSweep === null && this.#scheduler.waiting > 0) this.#startSweep()
  }

  /** The data thread of that row is gone: nobody waits for it, and its places are free. */
  reclaim(row: number): void {
    this.#places.reclaim(row)
    this.#scheduler.died(row)
  }

  /** No exchange holds a place there. */
  isIdle(slot: number): boolean {
    return this.#places.inUse(slot) === 0
  }

  /** Exchanges of a tenant that wait, for whatever upstream. */
  waitingOf(tenant: string): number {
    return this.#scheduler.waitingOf(tenant)
  }

  /** Null: the upstream takes whatever comes. */
  stateOf(slot: number): AdmissionState | null {
    return this.#scheduler.stateOf(slot)
  }

  close(): void {
    this.#cancelSweep?.()
    this.#cancelWindow?.()
    this.#cancelSweep = null
    this.#cancelWindow = null
  }

  #startSweep(): void {
    this.#cancelSweep = this.#parts.startTimer(SWEEP_MS, () => {
      this.#cancelSweep = null
      this.#scheduler.sweep()
      if (this.#scheduler.waiting > 0) this.#startSweep()
    })
  }

  #startWindow(): void {
    this.#cancelWindow = this.#parts.startTimer(WINDOW_MS, () => {
      this.#cancelWindow = null
      this.#scheduler.adapt()
      if (this.#followsLatency) this.#startWindow()
    })
  }
}
