const WINDOW_MS = 60_000
/** Deaths within the window that are answered soon. */
const SOON_MAX = 10
const SOON_MS = 100
const SLOW_MS = 5_000

/** How soon a dead thread is replaced: at once the first time, then soon, and each 5 s while it keeps dying. */
export class RestartPace {
  #deathsMs: number[] = []

  /** Notes a death at `nowMs` (monotonic) and gives the pause before the replacement. */
  delayMs(nowMs: number): number {
    this.#deathsMs = this.#deathsMs.filter((deathMs) => nowMs - deathMs < WINDOW_MS).slice(-SOON_MAX)
    this.#deathsMs.push(nowMs)
    if (this.#deathsMs.length === 1) return 0
    return this.#deathsMs.length <= SOON_MAX ? SOON_MS : SLOW_MS
  }
}
