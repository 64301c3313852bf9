import { type ConnectStore, errorWord, type StoreConnection } from './store-connection.ts'

/** What a store may take for an answer, unless somebody says otherwise, before somebody else decides. */
export const STORE_BUDGET_MS = 25

/** How long a connection may take from nothing to its first answer. */
const OPEN_MS = 1_500
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000
/** A link that was up for so long begins with the first pause again. */
const STEADY_MS = 10_000
/** So many probes, one after the other, may a new connection take to show that it answers in time. */
const PROBES = 3
/** What a failure counts and an answer takes back: more than one failure among ten answers ends the link in time. */
const FAILURE = 10
const ANSWER = 1
const MOST_FAILURES = 5 * FAILURE

/** Runs something once after a delay; the returned function cancels it. */
export type StartTimer = (delayMs: number, run: () => void) => () => void

export interface StoreLinkParts {
  readonly connect: ConnectStore
  /** What a new connection must answer in time; may be sent several times. */
  readonly probe: readonly string[]
  /** What the store may take for an answer. */
  readonly budgetMs: number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  readonly startTimer: StartTimer
  /** 0 ≤ random < 1. */
  readonly random: () => number
  /** The link is up, or down for a reason that names no address. */
  readonly changed: (state: 'up' | 'down', reason: string) => void
}

/**
 * The way to a store, and its breaker: up while a connection is open and answers in time. When it is down nobody is
 * sent there; one connection at a time is tried, with growing, jittered pauses, and must answer a probe within the
 * budget before anybody is sent there again. So a store that is gone, frozen, black-holed or slow costs requests
 * nothing, and is back within a pause and a try.
 */
export class StoreLink {
  readonly budgetMs: number
  readonly #parts: StoreLinkParts
  #connection: StoreConnection | null = null
  #failures = 0
  #pauseMs = FIRST_PAUSE_MS
  #upSinceMs = 0
  /** Ends the connection there is, or is tried. */
  #attempt: AbortController | null = null
  #cancel: () => void = () => {}
  #isDown = false
  #isStopped = false

  constructor(parts: StoreLinkParts) {
    this.budgetMs = parts.budgetMs
    this.#parts = parts
  }

  /** Where commands may be sent; null while the link is down. */
  get connection(): StoreConnection | null {
    return this.#connection
  }

  /** Tries at once; again has no effect. */
  start(): void {
    if (this.#attempt === null) this.#open()
  }

  stop(): void {
    this.#isStopped = true
    this.#end('stopped')
  }

  /** An answer came in time. */
  answered(): void {
    if (this.#failures > 0) this.#failures -= ANSWER
  }

  /** An answer was an error, or did not come in time, on this connection. */
  failed(connection: StoreConnection, reason: string): void {
    if (connection !== this.#connection) return
    this.#failures += FAILURE
    if (this.#failures <= MOST_FAILURES) return
    this.#end(reason)
  }

  #open(): void {
    const attempt = new AbortController()
    this.#attempt = attempt
    const { signal } = attempt
    const giveUp = (reason: string): void => {
      if (!signal.aborted) this.#end(reason)
    }
    this.#cancel = this.#parts.startTimer(OPEN_MS, () => giveUp('silent'))
    this.#parts
      .connect(giveUp, signal)
      .then(async (connection) => {
        const isFast = await this.#answersInTime(connection, signal)
        if (!isFast) giveUp('slow')
        else if (!signal.aborted) this.#up(connection)
      })
      .catch((error: unknown) => giveUp(errorWord(error)))
  }

  async #answersInTime(connection: StoreConnection, signal: AbortSignal): Promise<boolean> {
    for (let count = 0; count < PROBES && !signal.aborted; count++) {
      const sentMs = this.#parts.nowMs()
      await connection.send(this.#parts.probe)
      if (this.#parts.nowMs() - sentMs <= this.budgetMs) return true
    }
    return false
  }

  #up(connection: StoreConnection): void {
    this.#cancel()
    this.#connection = connection
    this.#failures = 0
    this.#upSinceMs = this.#parts.nowMs()
    this.#isDown = false
    this.#parts.changed('up', 'answers')
  }

  /** Ends what there is, and begins to wait for the next try. */
  #end(reason: string): void {
    const wasUp = this.#connection !== null
    this.#connection = null
    this.#cancel()
    this.#attempt?.abort()
    if (this.#isStopped) return
    if (wasUp && this.#parts.nowMs() - this.#upSinceMs >= STEADY_MS) this.#pauseMs = FIRST_PAUSE_MS
    const pauseMs = this.#pauseMs * (0.5 + this.#parts.random() / 2)
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2)
    this.#cancel = this.#parts.startTimer(pauseMs, () => this.#open())
    if (this.#isDown) return
    this.#isDown = true
    this.#parts.changed('down', reason)
  }
}
