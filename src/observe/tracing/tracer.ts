import type { RedactedField } from '../../config/config.ts'
import type { Exchange, RequestHead } from '../../proxy/exchange.ts'
import { exchangeSpans } from './exchange-spans.ts'
import { FreshTraces, traceIdOf } from './fresh-traces.ts'
import { SpanRecorder } from './span-recorder.ts'
import { parseTraceParent, type TraceParent, traceLines } from './trace-parent.ts'
import { keptTraceState } from './trace-state.ts'

export interface TracerParts {
  /** Share of the traces begun here that is kept, 0 … 1. */
  readonly share: number
  /** A cryptographic source of bytes, for ids. */
  readonly fill: (bytes: Buffer) => void
  /** 0 … 1, 1 excluded. */
  readonly random: () => number
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number
  /** What operators want to be kept out of spans. */
  readonly redacted: ReadonlySet<RedactedField>
  /** Takes the spans of an exchange, as `exchangeSpans` writes them: one line. */
  readonly write: (line: string) => void
}

/** Gives every exchange of a thread its part in a trace, and tells of those whose trace is kept. */
export class Tracer {
  readonly #parts: TracerParts
  readonly #fresh: FreshTraces
  readonly #newSpanId: () => string
  /** Traces that begin here and are still not kept before one is. */
  #untilKept: number

  constructor(parts: TracerParts) {
    this.#parts = parts
    this.#fresh = new FreshTraces(parts.fill)
    this.#newSpanId = () => this.#fresh.nextSpan()
    this.#untilKept = this.#drawGap()
  }

  /**
   * Continues the trace the request belongs to, or begins one. Whoever asks names the trace; whether it is kept only a
   * trusted proxy may say, or anybody could have every request of theirs recorded.
   */
  begin(exchange: Exchange, peer: 'trusted' | 'untrusted'): void {
    const parent = parentIn(exchange.head)
    if (parent !== null) {
      this.#continue(exchange, parent, peer)
      return
    }
    const line = this.#fresh.next()
    const traceId = traceIdOf(line)
    exchange.traceId = traceId
    // A state without a parent would belong to no trace (section 4.3).
    if (this.#draws())
      exchange.spans = new SpanRecorder(exchange, traceId, this.#newSpanId(), null, '', this.#newSpanId)
    else exchange.traceLines = line
  }

  /** Once, as soon as an exchange whose trace is kept is over. */
  end(exchange: Exchange, spans: SpanRecorder): void {
    const { endedMs } = exchange
    spans.ends(endedMs, exchange.aborted ? 'aborted' : exchange.code)
    const { redacted, wallMs, write } = this.#parts
    write(exchangeSpans(exchange, spans, wallMs() - endedMs, redacted))
  }

  #continue(exchange: Exchange, parent: TraceParent, peer: 'trusted' | 'untrusted'): void {
    const { traceId } = parent
    const state = stateIn(exchange.head)
    const spanId = this.#newSpanId()
    exchange.traceId = traceId
    if (peer === 'trusted' ? parent.sampled : this.#draws())
      exchange.spans = new SpanRecorder(exchange, traceId, spanId, parent.spanId, state, this.#newSpanId)
    else exchange.traceLines = traceLines(traceId, spanId, '00', state)
  }

  #draws(): boolean {
    if (this.#untilKept-- > 0) return false
    this.#untilKept = this.#drawGap()
    return true
  }

  /** Geometric: the same as asking chance each time, once for each that is kept. */
  #drawGap(): number {
    const { share, random } = this.#parts
    if (share === 0) return Number.POSITIVE_INFINITY
    return Math.floor(Math.log1p(-random()) / Math.log1p(-share))
  }
}

/** More than one is none: nobody can say which one holds. */
function parentIn(head: RequestHead): TraceParent | null {
  const index = head.find('traceparent', 0)
  if (index < 0 || head.find('traceparent', index + 1) >= 0) return null
  return parseTraceParent(head.value(index))
}

function stateIn(head: RequestHead): string {
  let joined = ''
  for (let index = head.find('tracestate', 0); index >= 0; index = head.find('tracestate', index + 1)) {
    joined += joined === '' ? head.value(index) : `,${head.value(index)}`
  }
  return keptTraceState(joined)
}
