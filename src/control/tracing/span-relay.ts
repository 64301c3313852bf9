import type { Config, TracingConfig } from '../../config/config.ts'
import { LogRingReader } from '../../observe/log-ring.ts'
import type { Log } from '../log-writer.ts'
import type { StartTimer } from '../start-timer.ts'
import type { SpanExport, SpanExportParts } from './span-export.ts'

/** Between two looks into the rings while traces are made; the spans' own times are not touched by it. */
const LOOK_MS = 1_000
/**
 * The same after a look that found many: as the SDK has it by default. The request of an export takes control 1 ms, cold
 * as its code is each time (docs/decisions/0013).
 */
const BUSY_LOOK_MS = 5_000
/** So many exchanges. */
const MANY = 64
/** The same while a ring fills, or was not emptied: what 30,000 exchanges a second say, all kept, goes through a ring. */
const HURRIED_LOOK_MS = 50
/** Handed over at a time, whole lines. More than the longest of them has. */
const PIECE_BYTES = 1 << 18
const NEWLINE = 0x0a

export type SpanSink = Pick<SpanExport, 'take' | 'flush' | 'close'>

export interface SpanRelayParts {
  /** One of each data thread. */
  readonly rings: readonly SharedArrayBuffer[]
  /** Of the running product. */
  readonly version: string
  readonly log: Log
  readonly startTimer: StartTimer
  /** For tests; null: the OpenTelemetry SDK. */
  readonly openSink: ((parts: SpanExportParts) => Promise<SpanSink>) | null
}

/** Carries the spans that data threads wrote to a collector, as the config in force says. Nothing of it ever waits for one. */
export class SpanRelay {
  readonly #parts: SpanRelayParts
  readonly #readers: readonly LogRingReader[]
  /** As configured, in words: whether a reload changes it. */
  #wanted = ''
  #sink: SpanSink | null = null
  #cancelLook: (() => void) | null = null
  #isHurried = false
  #isFailing = false
  /** Exchanges whose spans found no room in a ring, or were lost with an export; since it last worked. */
  #unreported = 0
  #dropped = 0

  constructor(parts: SpanRelayParts) {
    this.#parts = parts
    this.#readers = parts.rings.map((ring) => new LogRingReader(ring))
  }

  /** Exchanges whose spans found no room in a ring or were lost with an export, so far. */
  get dropped(): number {
    return this.#dropped
  }

  /** Takes up what a config says. Resolves when that is in force. */
  async follow({ tracing }: Config): Promise<void> {
    const wanted = JSON.stringify(tracing && { ...tracing, sample: 0 })
    if (wanted === this.#wanted) return
    this.#wanted = wanted
    const previous = this.#sink
    if (previous !== null) this.#look()
    this.#rest()
    this.#sink = null
    void previous?.close()
    if (tracing !== null) await this.#begin(tracing, wanted)
  }

  /** Resolves when what was recorded has been sent, or cannot be, or the time is over. */
  async close(budgetMs: number): Promise<void> {
    const sink = this.#sink
    if (sink === null) return
    this.#look()
    this.#rest()
    this.#sink = null
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.startTimer(budgetMs, resolve)
      void sink.close().then(() => {
        cancel()
        resolve()
      })
    })
  }

  async #begin(tracing: TracingConfig, wanted: string): Promise<void> {
    const { version, startTimer } = this.#parts
    const open = this.#parts.openSink ?? openSpanExport
    let sink: SpanSink
    try {
      sink = await open({
        tracing,
        version,
        startTimer,
        exported: (reason, lost) => this.#report(reason, lost),
      })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#parts.log.log('error', 'Traces cannot be exported', { reason })
      return
    }
    // Another config came into force meanwhile.
    if (wanted !== this.#wanted) return void sink.close()
    this.#isFailing = false
    this.#sink = sink
    this.#look()
  }

  /** A ring is more than half full. */
  hurry(): void {
    if (this.#cancelLook === null || this.#isHurried) return
    this.#cancelLook()
    this.#lookIn(HURRIED_LOOK_MS)
  }

  #rest(): void {
    this.#cancelLook?.()
    this.#cancelLook = null
  }

  #look(): void {
    this.#rest()
    let isEmptied = true
    let exchanges = 0
    for (const reader of this.#readers) {
      this.#count(reader.takeDropped())
      const taken = this.#empty(reader)
      exchanges += taken.exchanges
      if (!taken.isAll) isEmptied = false
    }
    this.#sink?.flush()
    if (!isEmptied) this.#lookIn(HURRIED_LOOK_MS)
    else this.#lookIn(exchanges < MANY ? LOOK_MS : BUSY_LOOK_MS)
  }

  #lookIn(delayMs: number): void {
    this.#isHurried = delayMs === HURRIED_LOOK_MS
    this.#cancelLook = this.#parts.startTimer(delayMs, () => this.#look())
  }

  /** Not all where the sink has no room for it. The rest stays in the ring, where in the end what is new finds none. */
  #empty(reader: LogRingReader): { readonly exchanges: number; readonly isAll: boolean } {
    let exchanges = 0
    for (let unread = reader.unread(); unread > 0; unread = reader.unread()) {
      const { bytes, start } = reader
      const end = start + unread
      const last = unread <= PIECE_BYTES ? end - 1 : bytes.lastIndexOf(NEWLINE, start + PIECE_BYTES)
      const lines = bytes.subarray(start, last + 1)
      const count = linesIn(lines)
      if (this.#sink?.take(lines, count) !== true) return { exchanges, isAll: false }
      reader.consume(lines.length)
      exchanges += count
    }
    return { exchanges, isAll: true }
  }

  #count(lost: number): void {
    this.#dropped += lost
    this.#unreported += lost
  }

  /** One line when it begins to fail and one when it works again, whatever lies between. */
  #report(reason: string | null, lost: number): void {
    this.#count(lost)
    const isFailing = reason !== null
    if (isFailing === this.#isFailing) return
    this.#isFailing = isFailing
    const { log } = this.#parts
    if (reason !== null) {
      log.log('warning', 'Exporting traces failed', { reason })
      return
    }
    log.log('info', 'Exporting traces works again', { exchanges_dropped: this.#unreported })
    this.#unreported = 0
  }
}

function linesIn(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}

async function openSpanExport(parts: SpanExportParts): Promise<SpanSink> {
  const { SpanExport } = await import('./span-export.ts')
  return new SpanExport(parts)
}
