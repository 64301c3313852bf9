export type QuotaWindow = 'hour' | 'day' | 'month'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const FIRST_YEAR = 1970

/** Windows of the UTC calendar, numbered from 1970 on. */
export class Calendar {
  readonly #window: QuotaWindow
  /** The window that was last asked for. */
  #index = -1
  #startMs = 0
  #endMs = 0

  constructor(window: QuotaWindow) {
    this.#window = window
  }

  /** The number of the window that holds a moment (milliseconds since the epoch). */
  indexAt(wallMs: number): number {
    if (wallMs < this.#startMs || wallMs >= this.#endMs) this.#enter(wallMs)
    return this.#index
  }

  /** When that window ends, milliseconds since the epoch. */
  endMs(index: number): number {
    return index === this.#index ? this.#endMs : this.#startOf(index + 1)
  }

  #enter(wallMs: number): void {
    this.#index = this.#indexOf(wallMs)
    this.#startMs = this.#startOf(this.#index)
    this.#endMs = this.#startOf(this.#index + 1)
  }

  #indexOf(wallMs: number): number {
    if (this.#window === 'hour') return Math.floor(wallMs / HOUR_MS)
    if (this.#window === 'day') return Math.floor(wallMs / DAY_MS)
    const date = new Date(wallMs)
    return (date.getUTCFullYear() - FIRST_YEAR) * 12 + date.getUTCMonth()
  }

  #startOf(index: number): number {
    if (this.#window === 'hour') return index * HOUR_MS
    if (this.#window === 'day') return index * DAY_MS
    return Date.UTC(FIRST_YEAR, index)
  }
}
