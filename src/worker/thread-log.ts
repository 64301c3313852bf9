import type { LogLevel } from '../config/config.ts'
import { isLogged, type LogFields, logLine } from '../observe/log-line.ts'

/** Where a data thread's own parts say what happened. */
export class ThreadLog {
  /** Lines below it are not written; a reload may change it. */
  level: LogLevel
  readonly #wallMs: () => number
  readonly #writeLine: (line: string) => void

  constructor(level: LogLevel, wallMs: () => number, writeLine: (line: string) => void) {
    this.level = level
    this.#wallMs = wallMs
    this.#writeLine = writeLine
  }

  log(level: LogLevel, event: string, fields: LogFields): void {
    if (!isLogged(level, this.level)) return
    this.#writeLine(logLine(this.#wallMs(), level, 'nyro.gateway', event, fields))
  }
}
