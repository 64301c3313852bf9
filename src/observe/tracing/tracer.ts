import type { Exchange, RequestHead } from '../../proxy/exchange.ts'
import { jsonString } from '../log-line.ts'
import type { HexSource } from './hex-source.ts'
import type { ExchangeRecord } from './span-record.ts'
import { parseTraceParent, type TraceParent } from './trace-parent.ts'
import { keptTraceState } from './trace-state.ts'
import { TracedExchange } from './traced-exchange.ts'

const TRACE_DIGITS = 32
const SPAN_DIGITS = 16

/** Longest path and host that go into a span: a record must fit its ring many times over. */
const MAX_TEXT = 2_048

const BEYOND_ASCII = /[\u007f-\uffff]/g

export interface TracerParts {
  /** Share of the traces begun here that is kept, 0 … 1. */
  readonly share: number
  readonly ids: HexSource
  /** 0 … 1, 1 excluded. */
  readonly random: () => number
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number
  /** Takes a record, a line of JSON in ASCII. */
  readonly write: (line: string) => void
}

/** Gives every exchange of a thread its part in a trace, and tells of those whose trace is kept. */
export class Tracer {
  readonly #parts: TracerParts
  readonly #newSpanId: () => string

  constructor(parts: TracerParts) {
    this.#parts = parts
    this.#newSpanId = () => parts.ids.next(SPAN_DIGITS)
  }

  /**
   * Continues the trace the request belongs to, or begins one. Whoever asks names the trace; whether it is kept only a
   * trusted proxy may say, or anybody could have every request of theirs recorded.
   */
  begin(head: RequestHead, peer: 'trusted' | 'untrusted'): TracedExchange {
    const parent = parentIn(head)
    const { share, random, ids } = this.#parts
    const isTold = parent !== null && peer === 'trusted'
    return new TracedExchange({
      traceId: parent?.traceId ?? ids.next(TRACE_DIGITS),
      spanId: this.#newSpanId(),
      parent,
      // Without a parent it would belong to no trace (section 4.3).
      state: parent === null ? '' : stateIn(head),
      sampled: isTold ? parent.sampled : share > 0 && random() < share,
      newSpanId: this.#newSpanId,
    })
  }

  /** Once, when the exchange is over. `nowMs`: on its clock. */
  end(exchange: Exchange, traced: TracedExchange, nowMs: number): void {
    if (!traced.sampled) return
    traced.ends(nowMs, exchange.aborted ? 'aborted' : exchange.code)
    this.#parts.write(asciiJson(recordOf(exchange, traced, nowMs, this.#parts.wallMs() - nowMs)))
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

/** `epochMs`: when the exchange's clock showed 0, by the wall clock. */
function recordOf(
  exchange: Exchange,
  traced: TracedExchange,
  nowMs: number,
  epochMs: number,
): ExchangeRecord {
  const { head } = exchange
  return {
    traceId: traced.traceId,
    spanId: traced.spanId,
    parentId: traced.parentId,
    state: traced.state,
    startMs: epochMs + exchange.startMs,
    endMs: epochMs + nowMs,
    requestId: exchange.requestId,
    method: head.method.slice(0, MAX_TEXT),
    path: head.path.slice(0, MAX_TEXT),
    scheme: exchange.scheme,
    host: head.host.slice(0, MAX_TEXT),
    minor: head.minor,
    clientIp: exchange.clientIp,
    tenant: exchange.identity?.tenant ?? null,
    route: exchange.route.name,
    status: exchange.status,
    code: exchange.code,
    aborted: exchange.aborted,
    children: traced.children.map((child) => ({
      ...child,
      startMs: epochMs + child.startMs,
      endMs: epochMs + child.endMs,
    })),
    dropped: traced.dropped,
  }
}

/** The texts in it are latin1 as they came: the ring takes ASCII. */
function asciiJson(record: ExchangeRecord): string {
  return JSON.stringify(record).replace(BEYOND_ASCII, escaped)
}

function escaped(unit: string): string {
  return jsonString(unit).slice(1, -1)
}
