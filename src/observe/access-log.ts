import type { LogConfig, LogLevel } from '../config/config.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { type AccessFormat, compileAccessFormat } from './access-format.ts'
import { accessLevel, accessLine } from './access-line.ts'
import { isLogged, type LogFields } from './log-line.ts'

const LEVELS: readonly LogLevel[] = ['info', 'warning', 'error']
const SWITCHED = 101

/** Which finished exchanges have an access line, and what it says: compiled once a config. */
export class AccessLog {
  readonly #isOn: boolean
  #levels: ReadonlySet<LogLevel> = new Set()
  readonly #format: AccessFormat
  readonly #redacted: readonly string[]
  /** Share of successes. */
  readonly #share: number
  readonly #slowMs: number
  readonly #random: () => number

  /** `random`: 0 … 1, 1 excluded. */
  constructor(log: LogConfig, random: () => number) {
    this.#isOn = log.access
    this.level = log.level
    this.#format = compileAccessFormat(log.fields)
    this.#redacted = log.fields.redact
    this.#share = log.sampleSuccesses
    this.#slowMs = log.slowerThanMs ?? Number.POSITIVE_INFINITY
    this.#random = random
  }

  /** Lines of a lower one are not written. */
  set level(least: LogLevel) {
    this.#levels = new Set(this.#isOn ? LEVELS.filter((level) => isLogged(level, least)) : [])
  }

  /** Null where it has none. `wallMs`: now, since the epoch; `durationMs`: since the head was complete. */
  line(exchange: Exchange, wallMs: number, durationMs: number): string | null {
    const level = accessLevel(exchange)
    if (!this.#levels.has(level)) return null
    // How long a tunnel stays open says nothing of how fast anybody was.
    const isSlow = durationMs >= this.#slowMs && exchange.status !== SWITCHED
    if (this.#share < 1 && isSuccess(exchange) && !isSlow && this.#random() >= this.#share) return null
    return accessLine(exchange, level, wallMs, durationMs, isSlow ? 'slow' : 'usual', this.#format)
  }

  /** A line's fields without those that are not to be told. */
  permitted(fields: LogFields): LogFields {
    if (this.#redacted.length === 0) return fields
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !this.#redacted.includes(name)))
  }
}

function isSuccess({ code, status, aborted }: Exchange): boolean {
  return code === null && status < 400 && !aborted
}
