import { ClientConnection } from './client-connection.ts'
import type { Ending } from './judge.ts'
import { endsGroup, type Plan, planOf } from './plan.ts'

export interface LaneShare {
  readonly seed: number
  /** Of the whole seed. */
  readonly exchanges: number
  /** This lane has every `lanes`-th exchange from `lane` on. */
  readonly lanes: number
  readonly lane: number
  readonly port: number
  tokenOf(plan: Plan): string | null
  settled(plan: Plan, ending: Ending, seen: string): void
  done(): void
}

/** A client that does its share of the exchanges, in order, one connection after another. */
export class Lane {
  readonly #share: LaneShare
  #next: number
  #connection: ClientConnection | null = null
  #over = false

  constructor(share: LaneShare) {
    this.#share = share
    this.#next = share.lane
  }

  start(): void {
    this.#step()
  }

  /** Ends an exchange that has seen no progress since `sinceMs`. */
  watch(sinceMs: number): void {
    const connection = this.#connection
    if (connection?.waiting === true && connection.progressMs < sinceMs) connection.hang()
  }

  #step(): void {
    const group = this.#nextGroup()
    if (group.length === 0) {
      this.#finish()
      return
    }
    this.#connection ??= this.#connect()
    this.#connection.send(group)
  }

  #connect(): ClientConnection {
    const { seed, port, tokenOf, settled } = this.#share
    const connection: ClientConnection = new ClientConnection({
      seed,
      port,
      tokenOf,
      settled,
      free: () => this.#step(),
      gone: () => {
        if (this.#connection !== connection) return
        this.#connection = null
        // Not from within its own callbacks, which are not through with it.
        setImmediate(() => this.#step())
      },
    })
    return connection
  }

  #nextGroup(): Plan[] {
    const { seed, exchanges, lanes } = this.#share
    const group: Plan[] = []
    let depth = 1
    while (group.length < depth && this.#next < exchanges) {
      const plan = planOf(seed, this.#next)
      this.#next += lanes
      if (group.length === 0) depth = plan.depth
      group.push(plan)
      if (endsGroup(plan)) break
    }
    return group
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#connection?.close()
    this.#share.done()
  }
}
