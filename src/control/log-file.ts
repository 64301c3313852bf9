import { closeSync, constants, openSync, writeSync } from 'node:fs'
import type { LogOutput } from './log-output.ts'

/** Readable for this user's group: collectors run as others. */
const MODE = 0o640

/**
 * A file that lines are appended to. O_APPEND: whoever truncates it (`copytruncate`) leaves no hole, and two processes
 * do not write over each other. O_NONBLOCK: a named pipe without a reader refuses instead of holding control up.
 */
const FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOCTTY

export class LogFile implements LogOutput {
  readonly #path: string
  #fd: number

  /** Throws Node's error where it cannot be opened. */
  constructor(path: string) {
    this.#path = path
    this.#fd = openSync(path, FLAGS, MODE)
  }

  write(bytes: Uint8Array, start: number, length: number): number {
    return writeSync(this.#fd, bytes, start, length)
  }

  /** The file of that name again, after the old one was renamed. Throws Node's error, and then goes on with the old one. */
  reopen(): void {
    const old = this.#fd
    this.#fd = openSync(this.#path, FLAGS, MODE)
    closeSync(old)
  }
}
