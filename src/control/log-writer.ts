import type { LogLevel } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { isLogged, type LogFields, logLine } from '../observe/log-line.ts'
import { createLogRing, LogRingReader, LogRingWriter } from '../observe/log-ring.ts'
import { errorCode } from './error-code.ts'
import type { LogOutput } from './log-output.ts'
import type { StartTimer } from './start-timer.ts'

/** Longest that a line of a ring less than half full waits while lines come. */
const LOOK_MS = 40
/** So often nothing was there: from then on threads ask, and an idle process is not woken. */
const LOOKS_IN_VAIN = 25
/** One turn of a ring; also what an empty pipe takes at once. */
const CHUNK_BYTES = 64 * 1024
/** After that much in one go control looks after its other work. */
const FLUSH_BYTES = 4 << 20
/** Between two reports of lost lines while output flows but never catches up. */
const REPORT_BYTES = 1 << 20
/** Between tries of a full output, so much longer each time: a slow reader is met within a few, a stuck one costs little. */
const RETRY_STEP_MS = 1
const RETRY_MAX_MS = 100
const NEWLINE = 0x0a

export interface LogWriterOptions {
  readonly output: LogOutput
  /** One of each data thread; see observe/log-ring.ts. */
  readonly rings: readonly SharedArrayBuffer[]
  /** Of control's own lines; data threads hold theirs to it themselves. */
  readonly level: LogLevel
  /** Makes a line fit for a person; null writes it as it is. */
  readonly render: ((line: string) => string) | null
  readonly clock: Clock
  readonly startTimer: StartTimer
}

/** Where control's own parts say what happened. */
export interface Log {
  log(level: LogLevel, event: string, fields: LogFields): void
}

/**
 * The one writer on standard output, for control and all data threads: whole lines, in runs as they lie in the rings.
 * It never waits for the reader: what does not fit stays in the rings, and what then finds no room there is dropped
 * and counted. Control's own lines go through a ring like everyone's.
 */
export class LogWriter implements Log {
  /** Of control's own lines from now on. */
  level: LogLevel
  readonly #options: LogWriterOptions
  readonly #own: LogRingWriter
  readonly #readers: readonly LogRingReader[]
  /** The reader whose turn it is. */
  #turn = 0
  /** What is being written: bytes of `#reader`'s ring, or rendered ones (`#reader` null). Ends with a newline. */
  #bytes: Uint8Array = new Uint8Array(0)
  #start = 0
  #end = 0
  #reader: LogRingReader | null = null
  #retryMs = RETRY_STEP_MS
  #cancelRetry: (() => void) | null = null
  /** Null while resting, before `start` and after `close`. */
  #cancelLook: (() => void) | null = null
  #looksInVain = 0
  #open = false
  /** The output is gone for good. */
  #gone = false
  #idle: (() => void) | null = null
  #dropped = 0
  #unreported = 0
  #writtenSinceReport = 0

  constructor(options: LogWriterOptions) {
    this.#options = options
    this.level = options.level
    const own = createLogRing()
    this.#own = new LogRingWriter(own)
    this.#readers = [own, ...options.rings].map((ring) => new LogRingReader(ring))
  }

  /** Begins to look into the rings by itself, and to rest when nothing comes; until `close`. */
  start(): void {
    this.#open = true
    this.#lookLater()
  }

  log(level: LogLevel, event: string, fields: LogFields): void {
    if (!isLogged(level, this.level)) return
    this.#own.write(logLine(this.#options.clock.wallMs(), level, 'nyro.control', event, fields))
    this.drain()
  }

  /** Writes what is there and fits, now. For whoever heard that a thread has lines, or is gone. */
  drain(): void {
    this.#looksInVain = 0
    if (this.#open && this.#cancelLook === null) this.#lookLater()
    if (this.#cancelRetry === null && !this.#gone) this.#flush()
  }

  /** Goes on in the file that has the name now, after a rotation. Lines under way are ended in the old one if that takes them. */
  reopen(): void {
    const { output } = this.#options
    if (output.reopen === null) return
    if (this.#cancelRetry === null && !this.#gone) this.#flush()
    try {
      output.reopen()
    } catch (error) {
      this.log('error', 'Log file cannot be opened again; the old one is kept', { reason: errorCode(error) })
      return
    }
    this.#gone = false
    this.log('info', 'Log file opened again', {})
  }

  /** Lines that were lost so far, of whichever thread. */
  get dropped(): number {
    this.#countDropped()
    return this.#dropped
  }

  /** Resolves when everything is written, or nothing more can be, or the time is over. */
  async close(budgetMs: number): Promise<void> {
    this.#open = false
    this.#cancelLook?.()
    this.#cancelLook = null
    await new Promise<void>((resolve) => {
      const cancel = this.#options.startTimer(budgetMs, resolve)
      this.#idle = () => {
        cancel()
        resolve()
      }
      this.#cancelRetry?.()
      this.#cancelRetry = null
      if (this.#gone) this.#idle()
      else this.#flush()
    })
    this.#idle = null
    this.#cancelRetry?.()
  }

  #lookLater(): void {
    this.#cancelLook = this.#options.startTimer(LOOK_MS, () => this.#look())
  }

  #look(): void {
    this.#cancelLook = null
    this.#looksInVain += 1
    if (this.#cancelRetry === null && !this.#gone) this.#flush()
    if (this.#looksInVain < LOOKS_IN_VAIN || !this.#rest()) this.#lookLater()
  }

  /** Has every thread ask for attention at its next line. False if one of them has written already. */
  #rest(): boolean {
    return this.#readers.every((reader) => reader.rest())
  }

  #flush(): void {
    for (let written = 0; written < FLUSH_BYTES; ) {
      if (this.#start === this.#end && !this.#nextChunk()) {
        if (this.#report()) continue
        this.#retryMs = RETRY_STEP_MS
        this.#idle?.()
        return
      }
      const length = this.#end - this.#start
      const count = this.#write(length)
      if (this.#gone) {
        this.#idle?.()
        return
      }
      this.#start += count
      this.#reader?.consume(count)
      this.#writtenSinceReport += count
      written += count
      if (count < length) {
        this.#retryLater(count)
        return
      }
    }
    this.#retryLater(FLUSH_BYTES)
  }

  /** Takes up the next ring's lines, each ring in its turn. False when all are empty. */
  #nextChunk(): boolean {
    for (let passed = 0; passed < this.#readers.length; passed++) {
      const reader = this.#readers[this.#turn] as LogRingReader // there is always control's own
      this.#turn = (this.#turn + 1) % this.#readers.length
      const unread = reader.unread()
      if (unread === 0) continue
      this.#looksInVain = 0
      const length = wholeLines(reader, unread)
      if (this.#options.render === null) this.#take(reader.bytes, reader.start, length, reader)
      else this.#takeRendered(reader, length, this.#options.render)
      return true
    }
    return false
  }

  #take(bytes: Uint8Array, start: number, length: number, reader: LogRingReader | null): void {
    this.#bytes = bytes
    this.#start = start
    this.#end = start + length
    this.#reader = reader
  }

  #takeRendered(reader: LogRingReader, length: number, render: (line: string) => string): void {
    const lines = reader.bytes.toString('latin1', reader.start, reader.start + length - 1).split('\n')
    reader.consume(length)
    const text = Buffer.from(`${lines.map(render).join('\n')}\n`)
    this.#take(text, 0, text.length, null)
  }

  #write(length: number): number {
    try {
      return this.#options.output.write(this.#bytes, this.#start, length)
    } catch (error) {
      const code = errorCode(error)
      // Anything else (EAGAIN, a full disk) may pass.
      if (code === 'EPIPE' || code === 'EBADF' || code === 'ECONNRESET') this.#gone = true
      return 0
    }
  }

  #retryLater(progress: number): void {
    this.#retryMs = progress > 0 ? RETRY_STEP_MS : Math.min(this.#retryMs + RETRY_STEP_MS, RETRY_MAX_MS)
    if (this.#writtenSinceReport >= REPORT_BYTES) this.#report()
    this.#cancelRetry = this.#options.startTimer(this.#retryMs, () => {
      this.#cancelRetry = null
      this.#flush()
    })
  }

  /**
   * One line about lines lost, when output flows: once everything is written, or, while it never is, once in so
   * many bytes. True if there was something to say.
   */
  #report(): boolean {
    this.#countDropped()
    if (this.#unreported === 0) return false
    const now = this.#options.clock.wallMs()
    const line = logLine(now, 'warning', 'nyro.control', 'Log lines dropped', { count: this.#unreported })
    if (!this.#own.write(line)) return false
    this.#unreported = 0
    this.#writtenSinceReport = 0
    return true
  }

  #countDropped(): void {
    for (const reader of this.#readers) {
      const count = reader.takeDropped()
      this.#dropped += count
      this.#unreported += count
    }
  }
}

/** As many of the unread bytes as make a turn, cut behind a line. */
function wholeLines(reader: LogRingReader, unread: number): number {
  if (unread <= CHUNK_BYTES) return unread
  const cut = reader.bytes.lastIndexOf(NEWLINE, reader.start + CHUNK_BYTES - 1)
  // A line longer than a turn is written as one.
  return cut < reader.start
    ? reader.bytes.indexOf(NEWLINE, reader.start) + 1 - reader.start
    : cut + 1 - reader.start
}
