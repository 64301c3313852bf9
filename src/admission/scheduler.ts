import type { GateMessage, SchedulerMessage, TurnedAway } from './admission-message.ts'
import { FairQueue, type Waiter } from './fair-queue.ts'
import { Gradient } from './gradient.ts'
import type { PlaceCount } from './place-count.ts'

/** All queues of an upstream together may hold so many times what one tenant's may. */
const TOTAL_FACTOR = 10
/** A window with fewer exchanges says nothing of latency. */
const MIN_SAMPLES = 10
/** Of an upstream without admission. */
const UNLIMITED = 0x7fffffff
const AUTO = { initial: 20, min: 1, max: 10_000 } as const

export interface AdmissionConfig {
  /** Exchanges in the upstream at once, whole process; `auto` follows latency. */
  readonly concurrency: number | 'auto'
  /** Most that may wait, for each tenant. */
  readonly queue: number
  /** Longest a place is waited for. */
  readonly timeoutMs: number
}

export interface SchedulerParts {
  readonly places: PlaceCount
  /** To the data thread of that row. */
  readonly post: (row: number, message: SchedulerMessage) => void
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

interface Waiting extends Waiter {
  readonly row: number
  readonly ticket: number
  readonly slot: number
}

interface Desk {
  readonly config: AdmissionConfig
  readonly gradient: Gradient | null
  readonly queue: FairQueue<Waiting>
  peak: number
}

/** How an upstream's queues stand, for whoever looks. */
export interface AdmissionState {
  readonly inUse: number
  readonly limit: number
  readonly waiting: number
  readonly tenants: number
}

/**
 * The one place where tenants that compete for an upstream are told apart, in control, for all threads: while anybody
 * waits, every free place goes by the turn of a fair queue. A message there and one back, about 40 µs each, is what
 * waiting costs; who finds a free place pays neither.
 */
export class Scheduler {
  readonly #parts: SchedulerParts
  readonly #desks = new Map<number, Desk>()
  readonly #tickets = new Map<number, Map<number, Waiting>>()

  constructor(parts: SchedulerParts) {
    this.#parts = parts
  }

  /** Puts an upstream's admission in force, queues kept; null ends it, and lets everybody in who waits. */
  configure(slot: number, config: AdmissionConfig | null): void {
    const { places } = this.#parts
    const before = this.#desks.get(slot)
    if (config === null) {
      places.setLimit(slot, UNLIMITED)
      if (before !== undefined) this.#serve(slot, before)
      this.#desks.delete(slot)
      return
    }
    // Whoever had the slot before has left times behind.
    if (before === undefined) places.takeLatency(slot)
    const isAuto = config.concurrency === 'auto'
    const gradient = isAuto ? (before?.gradient ?? new Gradient(AUTO)) : null
    const queue = before?.queue ?? new FairQueue<Waiting>()
    const desk = { config, gradient, queue, peak: 0 }
    this.#desks.set(slot, desk)
    places.setLimit(slot, gradient === null ? Number(config.concurrency) : gradient.limit)
    this.#serve(slot, desk)
  }

  /** Exchanges that wait, for whatever upstream. */
  get waiting(): number {
    let waiting = 0
    for (const { queue } of this.#desks.values()) waiting += queue.size
    return waiting
  }

  /** Exchanges of a tenant that wait, for whatever upstream. */
  waitingOf(tenant: string): number {
    let waiting = 0
    for (const { queue } of this.#desks.values()) waiting += queue.waitingOf(tenant)
    return waiting
  }

  stateOf(slot: number): AdmissionState | null {
    const desk = this.#desks.get(slot)
    if (desk === undefined) return null
    const { places } = this.#parts
    const { size, tenants } = desk.queue
    return { inUse: places.inUse(slot), limit: places.limit(slot), waiting: size, tenants }
  }

  /** What the data thread of that row says. */
  said(row: number, message: GateMessage): void {
    if (message.kind === 'enter') this.#enter(row, message)
    else if (message.kind === 'withdraw') this.#withdraw(row, message.ticket)
    else {
      const desk = this.#desks.get(message.slot)
      if (desk !== undefined) this.#serve(message.slot, desk)
    }
  }

  /** The data thread of that row is gone, and its places have been reclaimed: nobody waits for it any more. */
  died(row: number): void {
    for (const waiting of this.#tickets.get(row)?.values() ?? []) {
      this.#desks.get(waiting.slot)?.queue.remove(waiting)
    }
    this.#tickets.delete(row)
    for (const [slot, desk] of this.#desks) this.#serve(slot, desk)
  }

  /** Often enough for the shortest timeout: turns away whose time is over. */
  sweep(): void {
    const nowMs = this.#parts.nowMs()
    for (const [slot, desk] of this.#desks) {
      desk.peak = Math.max(desk.peak, this.#parts.places.inUse(slot))
      if (desk.queue.size === 0) continue
      for (const waiting of desk.queue.sweep(({ deadlineMs }) => deadlineMs <= nowMs)) {
        this.#turnAway(waiting, 'late')
      }
      this.#serve(slot, desk)
    }
  }

  /** Once a window, of a tenth of a second or more: moves the limits that follow latency. */
  adapt(): void {
    const { places } = this.#parts
    for (const [slot, desk] of this.#desks) {
      if (desk.gradient === null) continue
      const { count, meanMs } = places.takeLatency(slot)
      const peak = Math.max(desk.peak, places.inUse(slot))
      desk.peak = 0
      if (count < MIN_SAMPLES) continue
      desk.gradient.update(meanMs, peak)
      places.setLimit(slot, desk.gradient.limit)
      this.#serve(slot, desk)
    }
  }

  #enter(row: number, message: GateMessage & { kind: 'enter' }): void {
    const { ticket, slot, tenant, weight } = message
    const desk = this.#desks.get(slot)
    if (desk === undefined) {
      // Admission ended between the question and the answer; the place is counted, since it will be given back.
      this.#parts.places.takeFor(row, slot)
      this.#parts.post(row, { kind: 'entered', ticket })
      return
    }
    const { queue, timeoutMs } = desk.config
    const deadlineMs = this.#parts.nowMs() + timeoutMs
    const waiting: Waiting = { row, ticket, slot, tenant, weight, deadlineMs }
    if (desk.queue.push(waiting, queue) === 'full') {
      this.#parts.post(row, { kind: 'turned-away', ticket, why: 'full' })
      return
    }
    this.#ticketsOf(row).set(ticket, waiting)
    if (desk.queue.size > queue * TOTAL_FACTOR) {
      const shed = desk.queue.shed()
      if (shed !== null) this.#turnAway(shed, 'shed')
    }
    this.#serve(slot, desk)
  }

  #withdraw(row: number, ticket: number): void {
    const waiting = this.#tickets.get(row)?.get(ticket)
    if (waiting === undefined) return
    this.#tickets.get(row)?.delete(ticket)
    this.#desks.get(waiting.slot)?.queue.remove(waiting)
    const desk = this.#desks.get(waiting.slot)
    if (desk !== undefined) this.#serve(waiting.slot, desk)
  }

  /**
   * Gives free places out by turn. The flag goes up before the places are looked at and down only once nobody waits:
   * a place given back meanwhile is either seen here or announced by whoever gave it back.
   */
  #serve(slot: number, { queue }: Desk): void {
    const { places, nowMs } = this.#parts
    if (queue.size > 0) places.setContended(slot, 'waited')
    for (let next = queue.peek(); next !== null; next = queue.peek()) {
      const isLate = next.deadlineMs <= nowMs()
      if (!isLate && !places.takeFor(next.row, slot)) return
      queue.pop()
      if (isLate) this.#turnAway(next, 'late')
      else this.#letIn(next)
    }
    places.setContended(slot, 'free')
  }

  /** The place is taken already. */
  #letIn({ row, ticket }: Waiting): void {
    this.#tickets.get(row)?.delete(ticket)
    this.#parts.post(row, { kind: 'entered', ticket })
  }

  #turnAway({ row, ticket }: Waiting, why: TurnedAway): void {
    this.#tickets.get(row)?.delete(ticket)
    this.#parts.post(row, { kind: 'turned-away', ticket, why })
  }

  #ticketsOf(row: number): Map<number, Waiting> {
    let tickets = this.#tickets.get(row)
    if (tickets === undefined) {
      tickets = new Map()
      this.#tickets.set(row, tickets)
    }
    return tickets
  }
}
