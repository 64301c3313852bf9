import type { GateMessage, SchedulerMessage, TurnedAway } from './admission-message.ts'
import type { PlaceCount } from './place-count.ts'

export interface GateParts {
  readonly places: PlaceCount
  /** To control. */
  readonly post: (message: GateMessage) => void
}

/** What came of waiting. */
export type Entered = 'entered' | TurnedAway

interface Ticket {
  readonly slot: number
  readonly resolve: (entered: Entered) => void
  /** Whether whoever asked still wants in. */
  readonly isWanted: () => boolean
}

/** A data thread's way into upstreams: past control while places are free, by its turn when they are not. */
export class Gate {
  readonly #parts: GateParts
  readonly #tickets = new Map<number, Ticket>()
  #lastTicket = 0

  constructor(parts: GateParts) {
    this.#parts = parts
  }

  /** Exchanges of this thread that wait. */
  get waiting(): number {
    return this.#tickets.size
  }

  /** True: a place is held, to be given back by `leave`. */
  tryEnter(slot: number): boolean {
    return this.#parts.places.tryTake(slot)
  }

  /**
   * Waits for a turn. `entered`: a place is held. `isWanted` is asked when the turn has come: whoever left meanwhile
   * never gets a place, and the promise never settles.
   */
  wait(slot: number, tenant: string, weight: number, isWanted: () => boolean): Promise<Entered> {
    const ticket = ++this.#lastTicket
    return new Promise((resolve) => {
      this.#tickets.set(ticket, { slot, resolve, isWanted })
      this.#parts.post({ kind: 'enter', ticket, slot, tenant, weight })
    })
  }

  /** Gives back a place that was taken. */
  leave(slot: number): void {
    if (this.#parts.places.give(slot)) this.#parts.post({ kind: 'left', slot })
  }

  /** How long the upstream took to begin its answer; what `auto` follows. */
  observe(slot: number, ms: number): void {
    this.#parts.places.addLatency(slot, ms)
  }

  /** What control says of a ticket. */
  said(message: SchedulerMessage): void {
    const ticket = this.#tickets.get(message.ticket)
    if (ticket === undefined) return
    this.#tickets.delete(message.ticket)
    if (message.kind === 'turned-away') ticket.resolve(message.why)
    else if (ticket.isWanted()) ticket.resolve('entered')
    else this.leave(ticket.slot)
  }

  /** On every tick: places in a queue are not held for clients that left. */
  sweep(): void {
    for (const [ticket, { isWanted }] of this.#tickets) {
      if (isWanted()) continue
      this.#tickets.delete(ticket)
      this.#parts.post({ kind: 'withdraw', ticket })
    }
  }
}
