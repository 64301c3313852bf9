import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import type { StartTimer } from '../start-timer.ts'

type Done = Parameters<SpanExporter['export']>[1]

/** ExportResultCode of @opentelemetry/core, which is no dependency of ours. */
const FAILED = 1

export interface WatchParts {
  readonly exporter: SpanExporter
  readonly startTimer: StartTimer
  /** Longest that an export may take, whatever the collector does. */
  readonly deadlineMs: number
  /** Breaks whatever the exporter has under way. */
  readonly sever: () => void
  /** These have left us. Null: they arrived; a text: they are lost, and why. */
  readonly settled: (spans: readonly ReadableSpan[], reason: string | null) => void
}

/**
 * An exporter whose every export ends in time. The SDK's own timeout is one of silence: a collector that sends a byte
 * now and then would hold an export, and in the end all of them, for ever.
 */
export class WatchedExporter implements SpanExporter {
  /** Exports under way. */
  underWay = 0
  readonly #parts: WatchParts

  constructor(parts: WatchParts) {
    this.#parts = parts
  }

  export(spans: ReadableSpan[], done: Done): void {
    const { exporter, startTimer, deadlineMs, sever, settled } = this.#parts
    let isOver = false
    this.underWay++
    const end: Done = (result) => {
      if (isOver) return
      isOver = true
      this.underWay--
      cancel()
      settled(spans, result.code === FAILED ? reasonOf(result.error) : null)
      done(result)
    }
    const cancel = startTimer(deadlineMs, () => {
      sever()
      end({ code: FAILED, error: new Error(`no answer within ${deadlineMs} ms`) })
    })
    exporter.export(spans, end)
  }

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
