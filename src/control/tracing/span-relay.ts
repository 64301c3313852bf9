import type { Config, TracingConfig } from '../../config/config.ts'
import { LogRingReader } from '../../observe/log-ring.ts'
import type { ExchangeRecord } from '../../observe/tracing/span-record.ts'
import type { Log } from '../log-writer.ts'
import type { StartTimer } from '../start-timer.ts'
import type { SpanExport, SpanExportParts, SpanView } from './span-export.ts'

/** Between two looks into the rings while traces are made; the spans' own times are not touched by it. */
const LOOK_MS = 1_000
/** The same while a ring fills, or was not emptied. */
const HURRIED_LOOK_MS = 200
/** Records read in one go: some tens of milliseconds; the rest waits for the next look. */
const MAX_RECORDS = 2_000
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

/** Carries what data threads recorded to a collector, as the config in force says. Nothing of it ever waits for one. */
export class SpanRelay {
  readonly #parts: SpanRelayParts
  readonly #readers: readonly LogRingReader[]
  /** As configured, in words: whether a reload changes it. */
  #wanted = ''
  #sink: SpanSink | null = null
  #view: SpanView = { templates: new Map(), redacted: new Set() }
  #cancelLook: (() => void) | null = null
  #isHurried = false
  #isFailing = false
  /** Exchanges whose spans found no room, or were lost with an export; since it last worked. */
  #unreported = 0
  #dropped = 0

  constructor(parts: SpanRelayParts) {
    this.#parts = parts
    this.#readers = parts.rings.map((ring) => new LogRingReader(ring))
  }

  /** Exchanges whose spans found no room or were lost with an export, so far. */
  get dropped(): number {
    return this.#dropped
  }

  /** Takes up what a config says. Resolves when that is in force. */
  async follow({ tracing, routes, log }: Config): Promise<void> {
    this.#view = {
      templates: tracing === null ? new Map() : new Map(routes.map(({ name, match }) => [name, match.path])),
      redacted: new Set(log.fields.redact),
    }
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
    let left = MAX_RECORDS
    for (const reader of this.#readers) {
      this.#count(reader.takeDropped())
      for (let unread = reader.unread(); unread > 0 && left > 0; unread = reader.unread()) {
        left -= this.#read(reader, unread, left)
      }
    }
    this.#sink?.flush()
    this.#lookIn(left > 0 ? LOOK_MS : HURRIED_LOOK_MS)
  }

  #lookIn(delayMs: number): void {
    this.#isHurried = delayMs === HURRIED_LOOK_MS
    this.#cancelLook = this.#parts.startTimer(delayMs, () => this.#look())
  }

  /** At most `most` records of a run; says how many. */
  #read(reader: LogRingReader, unread: number, most: number): number {
    const { bytes, start } = reader
    let at = start
    let count = 0
    while (at < start + unread && count < most) {
      const end = bytes.indexOf(NEWLINE, at)
      // What a data thread wrote: exactly this.
      const record = JSON.parse(bytes.toString('latin1', at, end)) as ExchangeRecord
      if (this.#sink?.take(record, this.#view) !== true) this.#count(1)
      at = end + 1
      count++
    }
    reader.consume(at - start)
    return count
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

async function openSpanExport(parts: SpanExportParts): Promise<SpanSink> {
  const { SpanExport } = await import('./span-export.ts')
  return new SpanExport(parts)
}
