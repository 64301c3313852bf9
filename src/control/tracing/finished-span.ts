import {
  type Attributes,
  createTraceState,
  type HrTime,
  type SpanKind,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import type { ExchangeRecord } from '../../observe/tracing/span-record.ts'
import type { SpanFacts } from './span-attributes.ts'

/** Who makes spans: the same for all of an export. */
export interface SpanOrigin {
  readonly resource: Resource
  readonly scope: ReadableSpan['instrumentationScope']
}

/** What a span is known by: its ids. */
type SpanPlace = ReturnType<ReadableSpan['spanContext']>

const NONE: never[] = []

/**
 * A span as the SDK's processors and exporters read one. The SDK's own is a recorder of what is still going on, with
 * clocks, limits and listeners; what a data thread recorded is over, and control makes some hundreds a second of it:
 * 36 µs an exchange by the SDK's tracer, 27 so (from the record to the collector; four interleaved runs).
 */
export class FinishedSpan implements ReadableSpan {
  readonly name: string
  readonly kind: SpanKind
  readonly parentSpanContext?: SpanPlace
  readonly startTime: HrTime
  readonly endTime: HrTime
  readonly duration: HrTime
  readonly status: ReadableSpan['status']
  readonly attributes: Attributes
  readonly resource: Resource
  readonly instrumentationScope: ReadableSpan['instrumentationScope']
  readonly links = NONE
  readonly events = NONE
  readonly ended = true
  readonly droppedAttributesCount = 0
  readonly droppedEventsCount = 0
  readonly droppedLinksCount = 0
  readonly #place: SpanPlace

  /** `parent`: null where the trace begins here. */
  constructor(
    origin: SpanOrigin,
    place: SpanPlace,
    parent: SpanPlace | null,
    kind: SpanKind,
    facts: SpanFacts,
    { startMs, endMs }: Pick<ExchangeRecord, 'startMs' | 'endMs'>,
  ) {
    this.name = facts.name
    this.kind = kind
    if (parent !== null) this.parentSpanContext = parent
    this.startTime = hrTime(startMs)
    this.endTime = hrTime(Math.max(startMs, endMs))
    this.duration = hrTime(Math.max(0, endMs - startMs))
    this.status = { code: facts.failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET }
    this.attributes = facts.attributes
    this.resource = origin.resource
    this.instrumentationScope = origin.scope
    this.#place = place
  }

  spanContext(): SpanPlace {
    return this.#place
  }
}

/** What OpenTelemetry knows a span of a record's trace by. `from`: the parent's is somebody else's. */
export function placeOf(record: ExchangeRecord, spanId: string, from: 'remote' | 'local'): SpanPlace {
  const { traceId, state } = record
  const place = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: from === 'remote' }
  return state === '' ? place : { ...place, traceState: createTraceState(state) }
}

/** Milliseconds as seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.floor((ms - seconds * 1_000) * 1e6)]
}
