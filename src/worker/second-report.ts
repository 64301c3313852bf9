import { isRefusal } from '../metrics/label.ts'
import { SecondTally, type ThreadSecond } from '../observe/second-tally.ts'
import type { Exchange } from '../proxy/exchange.ts'

const SECOND_MS = 1_000

/**
 * Tells control of every second in which something ended, once, with the first tick after it is over. All threads cut
 * at the same moments of the wall clock, so that their seconds add up. Costs an idle thread nothing.
 */
export class SecondReport {
  readonly #wallMs: () => number
  readonly #post: (second: ThreadSecond) => void
  readonly #tally = new SecondTally(isRefusal)
  /** The second being counted; 0: nothing has ended since the last was told. */
  #second = 0

  constructor(wallMs: () => number, post: (second: ThreadSecond) => void) {
    this.#wallMs = wallMs
    this.#post = post
  }

  /** A finished exchange. */
  add(exchange: Exchange, durationMs: number): void {
    if (this.#second === 0) this.#second = this.#now
    this.#tally.add(exchange, durationMs, this.#wallMs)
  }

  /** On every tick. A thread that ends before has not told its last second. */
  tick(): void {
    if (this.#second === 0 || this.#second === this.#now) return
    const second = this.#second
    this.#second = 0
    this.#post(this.#tally.take(second))
  }

  get #now(): number {
    return Math.floor(this.#wallMs() / SECOND_MS)
  }
}
