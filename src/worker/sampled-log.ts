import type { LogLevel } from '../config/config.ts'
import type { LogFields } from '../observe/log-line.ts'

/** Between two lines of the same. */
const PAUSE_MS = 10_000

interface Sample {
  untilMs: number
  /** Since the last line. */
  count: number
}

/** Lines of what may happen with every request: the first at once, then one in ten seconds that says how many there were. */
export class SampledLog {
  readonly #log: (level: LogLevel, event: string, fields: LogFields) => void
  readonly #nowMs: () => number
  readonly #samples = new Map<string, Sample>()

  /** `nowMs`: monotonic milliseconds. */
  constructor(log: (level: LogLevel, event: string, fields: LogFields) => void, nowMs: () => number) {
    this.#log = log
    this.#nowMs = nowMs
  }

  /** `about` tells what is counted together within an event: names of a config, of which there are few. */
  note(event: string, about: Readonly<Record<string, string | null>>): void {
    const key = `${event} ${Object.values(about).join(' ')}`
    const nowMs = this.#nowMs()
    let sample = this.#samples.get(key)
    if (sample === undefined) {
      sample = { untilMs: 0, count: 0 }
      this.#samples.set(key, sample)
    }
    sample.count++
    if (nowMs < sample.untilMs) return
    this.#log('warning', event, { ...about, count: sample.count })
    sample.untilMs = nowMs + PAUSE_MS
    sample.count = 0
  }

  /** A config is in force whose names may be others. */
  reset(): void {
    this.#samples.clear()
  }
}
