import { Agent as PlainAgent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import {
  createTraceState,
  type HrTime,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { RedactedField, TracingConfig } from '../../config/config.ts'
import { NAME } from '../../lib/version.ts'
import type { ChildRecord, ExchangeRecord } from '../../observe/tracing/span-record.ts'
import type { StartTimer } from '../start-timer.ts'
import { attemptFacts, exchangeFacts, policyFacts, type SpanFacts } from './span-attributes.ts'
import { WatchedExporter } from './watched-exporter.ts'

/** Spans that wait or are on their way: about 4 MiB. What finds no room is dropped and counted. */
const MAX_WAITING = 4_096
const BATCH_SPANS = 512
/** Between the first span of a batch and its export. */
const DELAY_MS = 1_000
/** The exporter repeats within it what may be repeated. */
const EXPORT_MS = 10_000
const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.37.0'

export interface SpanExportParts {
  readonly tracing: TracingConfig
  /** Of the running product. */
  readonly version: string
  readonly startTimer: StartTimer
  /** Null: an export arrived; a text: it failed, and why. `lost`: exchanges whose spans went with it. */
  readonly exported: (reason: string | null, lost: number) => void
}

/** How spans of one config are told. */
export interface SpanView {
  /** The path of a route as configured, by its name. */
  readonly templates: ReadonlyMap<string, string>
  readonly redacted: ReadonlySet<RedactedField>
}

/**
 * Makes OpenTelemetry spans of what data threads recorded, with the ids and times they have already, and sends them to
 * a collector. The only module that takes the SDK: it costs 86 ms and 29 MiB, and is loaded where tracing is on.
 */
export class SpanExport {
  /** Spans that wait or are on their way. */
  #waiting = 0
  readonly #agent: PlainAgent
  readonly #provider: TracerProvider
  readonly #tracer: Tracer
  /** Of the span that is made next. */
  #ids = { traceId: '', spanId: '' }

  constructor({ tracing, version, startTimer, exported }: SpanExportParts) {
    const { endpoint, headers, serviceName } = tracing
    this.#agent = new (endpoint.startsWith('https:') ? TlsAgent : PlainAgent)({
      keepAlive: true,
      maxSockets: 2,
    })
    const exporter = new OTLPTraceExporter({
      url: endpoint,
      headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
      timeoutMillis: EXPORT_MS,
      httpAgentOptions: () => this.#agent,
    })
    const watched = new WatchedExporter({
      ...{ exporter, startTimer, deadlineMs: EXPORT_MS + DELAY_MS },
      sever: () => this.#agent.destroy(),
      settled: (spans, reason) => {
        this.#waiting -= spans.length
        exported(reason, reason === null ? 0 : spans.filter(({ kind }) => kind === SpanKind.SERVER).length)
      },
    })
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
      sampler: new AlwaysOnSampler(),
      idGenerator: {
        generateTraceId: () => this.#ids.traceId,
        generateSpanId: () => this.#ids.spanId,
      },
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: watched,
          maxQueueSize: MAX_WAITING,
          maxExportBatchSize: BATCH_SPANS,
          scheduledDelayMillis: DELAY_MS,
          exportTimeoutMillis: EXPORT_MS + 2 * DELAY_MS,
        }),
      ],
    })
    this.#tracer = this.#provider.getTracer(NAME, version, { schemaUrl: SCHEMA_URL })
  }

  /** False where there is no room: the exchange's spans are dropped. */
  take(record: ExchangeRecord, view: SpanView): boolean {
    const spans = 1 + record.children.length
    if (this.#waiting + spans > MAX_WAITING) return false
    this.#waiting += spans
    const template = record.route === null ? null : (view.templates.get(record.route) ?? null)
    const { traceId } = record
    const parent = record.parentId === null ? null : placeOf(record, record.parentId, 'remote')
    const facts = exchangeFacts(record, template, view.redacted)
    this.#make(facts, { ...record, parent, kind: SpanKind.SERVER })
    const own = placeOf(record, record.spanId, 'local')
    let attempts = 0
    for (const child of record.children) {
      const isAttempt = child.kind === 'attempt'
      const told = isAttempt ? attemptFacts(child, record.method, attempts++) : policyFacts(child)
      const kind = isAttempt ? SpanKind.CLIENT : SpanKind.INTERNAL
      this.#make(told, { ...child, traceId, parent: own, kind })
    }
    return true
  }

  /** Sends what waits, and ends; resolves however that goes. The caller bounds the time. */
  async close(): Promise<void> {
    await this.#provider.shutdown().catch(() => {}) // it was reported as an export that failed
    this.#agent.destroy()
  }

  #make(facts: SpanFacts, span: MadeSpan): void {
    this.#ids = { traceId: span.traceId, spanId: span.spanId }
    const around = span.parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, span.parent)
    const made = this.#tracer.startSpan(
      facts.name,
      { kind: span.kind, attributes: facts.attributes, startTime: hrTime(span.startMs) },
      around,
    )
    if (facts.failed) made.setStatus({ code: SpanStatusCode.ERROR })
    made.end(hrTime(Math.max(span.startMs, span.endMs)))
  }
}

/** What OpenTelemetry knows a span by. */
type SpanPlace = Parameters<typeof trace.setSpanContext>[1]

interface MadeSpan extends Pick<ChildRecord, 'spanId' | 'startMs' | 'endMs'> {
  readonly traceId: string
  readonly parent: SpanPlace | null
  readonly kind: SpanKind
}

function placeOf(record: ExchangeRecord, spanId: string, from: 'remote' | 'local'): SpanPlace {
  const { traceId, state } = record
  return {
    ...{ traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: from === 'remote' },
    ...(state === '' ? {} : { traceState: createTraceState(state) }),
  }
}

/** Milliseconds since the epoch as seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.floor((ms - seconds * 1_000) * 1e6)]
}
