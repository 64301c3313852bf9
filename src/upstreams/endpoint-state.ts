import { BREAKER_CELLS, Breaker } from './breaker.ts'
import { elapsedMs, stamp } from './shared-time.ts'

/** Cells an endpoint needs. */
export const ENDPOINT_CELLS = 4 + BREAKER_CELLS
const HEALTH = 0
const UP_AGAIN = 1
const REFUSED = 2
const DUTY = 3
const BREAKER = 4

const UP = 0
const DOWN = 1

/** Health probes' word; `up` until one says otherwise. */
export type Health = 'up' | 'down'

/**
 * An operator's word. `draining`: no new exchanges, those under way end as they like. `disabled`: the same, and those
 * under way are cut off.
 */
export type Duty = 'enabled' | 'draining' | 'disabled'

/** By what its cell holds. */
const DUTIES: readonly Duty[] = ['enabled', 'draining', 'disabled']

/** An endpoint that refused is asked last for so long. */
const REFUSING_MS = 1_000
/** A share that comes back begins with a tenth. */
const FIRST_SHARE = 0.1

/** What all threads know of an endpoint, in shared memory; times are the memory's milliseconds. */
export class EndpointState {
  readonly breaker: Breaker
  readonly #cells: Int32Array
  readonly #at: number

  constructor(cells: Int32Array, at: number, row: number) {
    this.#cells = cells
    this.#at = at
    this.breaker = new Breaker(cells, at + BREAKER, row)
  }

  get health(): Health {
    return Atomics.load(this.#cells, this.#at + HEALTH) === DOWN ? 'down' : 'up'
  }

  setHealth(health: Health, nowMs: number): void {
    if (health === this.health) return
    if (health === 'up') Atomics.store(this.#cells, this.#at + UP_AGAIN, stamp(nowMs))
    Atomics.store(this.#cells, this.#at + HEALTH, health === 'up' ? UP : DOWN)
  }

  get duty(): Duty {
    return DUTIES[Atomics.load(this.#cells, this.#at + DUTY)] ?? 'enabled'
  }

  /** Holds until said otherwise, or until the endpoint is no longer configured. */
  setDuty(duty: Duty, nowMs: number): void {
    if (duty === 'enabled' && this.duty !== 'enabled') {
      Atomics.store(this.#cells, this.#at + UP_AGAIN, stamp(nowMs))
    }
    Atomics.store(this.#cells, this.#at + DUTY, DUTIES.indexOf(duty))
  }

  /** Whether neither probes nor an operator took it out. */
  get isOffered(): boolean {
    const cells = this.#cells
    return Atomics.load(cells, this.#at + HEALTH) === UP && Atomics.load(cells, this.#at + DUTY) === 0
  }

  /** Its share of what a settled endpoint gets: 1, or less while it comes back. */
  share(slowStartMs: number, nowMs: number): number {
    if (slowStartMs === 0) return 1
    const up = Atomics.load(this.#cells, this.#at + UP_AGAIN)
    const closed = this.breaker.closedAgainMs
    return Math.min(shareSince(up, slowStartMs, nowMs), shareSince(closed, slowStartMs, nowMs))
  }

  refused(nowMs: number): void {
    Atomics.store(this.#cells, this.#at + REFUSED, stamp(nowMs))
  }

  /** It took a connection, or answered. */
  accepted(): void {
    if (this.hasRefused) Atomics.store(this.#cells, this.#at + REFUSED, 0)
  }

  /** It refused, a moment or a while ago, and nobody has been accepted since. */
  get hasRefused(): boolean {
    return Atomics.load(this.#cells, this.#at + REFUSED) !== 0
  }

  /** Whether it refused a moment ago. */
  isRefusing(nowMs: number): boolean {
    const refused = Atomics.load(this.#cells, this.#at + REFUSED)
    return refused !== 0 && elapsedMs(nowMs, refused) < REFUSING_MS
  }

  reset(): void {
    for (let cell = this.#at; cell < this.#at + BREAKER; cell++) Atomics.store(this.#cells, cell, 0)
    this.breaker.reset()
  }
}

function shareSince(since: number, slowStartMs: number, nowMs: number): number {
  if (since === 0) return 1
  const elapsed = elapsedMs(nowMs, since)
  return elapsed >= slowStartMs ? 1 : FIRST_SHARE + (1 - FIRST_SHARE) * (elapsed / slowStartMs)
}
