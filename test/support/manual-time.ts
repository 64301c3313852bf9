import type { StartTimer } from '../../src/control/start-timer.ts'
import type { Clock } from '../../src/lib/clock.ts'

interface Entry {
  readonly dueMs: number
  readonly run: () => void
}

/** Time that passes when a test says so, for whoever takes a clock and timers as parameters. */
export class ManualTime implements Clock {
  nowMs = 0
  readonly #entries = new Set<Entry>()

  wallMs(): number {
    return this.nowMs
  }

  monotonicMs(): number {
    return this.nowMs
  }

  readonly startTimer: StartTimer = (delayMs, run) => {
    const entry = { dueMs: this.nowMs + delayMs, run }
    this.#entries.add(entry)
    return () => this.#entries.delete(entry)
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#entries.size
  }

  /** Lets time pass: each due timer runs at its own moment, and what promises then do is done. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms
    for (;;) {
      await settled()
      const next = this.#next()
      if (next === null || next.dueMs > endMs) break
      this.#entries.delete(next)
      this.nowMs = next.dueMs
      next.run()
    }
    this.nowMs = endMs
    await settled()
  }

  #next(): Entry | null {
    let next: Entry | null = null
    for (const entry of this.#entries) if (next === null || entry.dueMs < next.dueMs) next = entry
    return next
  }
}

/** After everything that is ready to run now. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
