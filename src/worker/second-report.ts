import { SecondTally, type ThreadSecond } from '../observe/second-tally.ts'
import type { Exchange } from '../proxy/exchange.ts'

const SECOND_MS = 1_000

/**
 * Tells control of every second in which something ended, once, just after it is over. All threads cut at the same
 * moments of the wall clock, so that their seconds add up. Costs an idle thread nothing.
 */
export class SecondReport {
  readonly #wallMs: () => number
  readonly #post: (second: ThreadSecond) => void
  readonly #tally = new SecondTally()
  #waits = false

  constructor(wallMs: () => number, post: (second: ThreadSecond) => void) {
    this.#wallMs = wallMs
    this.#post = post
  }

  /** A finished exchange. */
  add(exchange: Exchange, durationMs: number): void {
    this.#tally.add(exchange, durationMs, this.#wallMs)
    if (!this.#waits) this.#wait()
  }

  #wait(): void {
    this.#waits = true
    const nowMs = this.#wallMs()
    const second = Math.floor(nowMs / SECOND_MS)
    // A thread that drains may end before: what it counted last is lost with it.
    setTimeout(() => this.#tell(second), SECOND_MS - (nowMs % SECOND_MS)).unref()
  }

  #tell(second: number): void {
    this.#waits = false
    this.#post(this.#tally.take(second))
  }
}
