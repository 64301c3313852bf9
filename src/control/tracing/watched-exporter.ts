import type { StartTimer } from '../start-timer.ts'

/** ExportResultCode of @opentelemetry/core, which is no dependency of ours. */
const FAILED = 1

type Done = (result: { readonly code: number; readonly error?: Error }) => void

/** What of the SDK's exporters is used. */
export interface Exporter<Batch> {
  export(batch: Batch, done: Done): void
  shutdown(): Promise<void>
}

export interface WatchParts<Batch> {
  readonly exporter: Exporter<Batch>
  readonly startTimer: StartTimer
  /** Longest that an export may take, whatever the collector does. */
  readonly deadlineMs: number
  /** Breaks whatever the exporter has under way. */
  readonly sever: () => void
  /** This has left us. Null: it arrived; a text: it is lost, and why. */
  readonly settled: (batch: Batch, reason: string | null) => void
}

/**
 * An exporter whose every export ends in time. The SDK's own timeout is one of silence: a collector that sends a byte
 * now and then would hold an export, and in the end all of them, for ever.
 */
export class WatchedExporter<Batch> {
  /** Exports under way. */
  underWay = 0
  readonly #parts: WatchParts<Batch>

  constructor(parts: WatchParts<Batch>) {
    this.#parts = parts
  }

  export(batch: Batch): void {
    const { exporter, startTimer, deadlineMs, sever, settled } = this.#parts
    let isOver = false
    this.underWay++
    const end: Done = (result) => {
      if (isOver) return
      isOver = true
      this.underWay--
      cancel()
      settled(batch, result.code === FAILED ? reasonOf(result.error) : null)
    }
    const cancel = startTimer(deadlineMs, () => {
      sever()
      end({ code: FAILED, error: new Error(`no answer within ${deadlineMs} ms`) })
    })
    exporter.export(batch, end)
  }

  /** Resolves when what is under way has ended. */
  shutdown(): Promise<void> {
    return this.#parts.exporter.shutdown()
  }
}

/** One line. What the collector answered stays out: its status says enough. */
function reasonOf(error: (Error & { readonly code?: unknown }) | undefined): string {
  if (error === undefined) return 'unknown'
  const { code } = error
  const text = typeof code === 'number' ? `status ${code}` : typeof code === 'string' ? code : error.message
  return text.replaceAll(/[^ -~]+/g, ' ').slice(0, 200)
}
