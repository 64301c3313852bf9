import { Agent as PlainAgent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { SpanKind } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace'
import type { RedactedField, TracingConfig } from '../../config/config.ts'
import { NAME } from '../../lib/version.ts'
import type { ExchangeRecord } from '../../observe/tracing/span-record.ts'
import type { StartTimer } from '../start-timer.ts'
import { FinishedSpan, placeOf, type SpanOrigin } from './finished-span.ts'
import { attemptFacts, exchangeFacts, policyFacts } from './span-attributes.ts'
import { WatchedExporter } from './watched-exporter.ts'

/** Spans that wait or are on their way: about 4 MiB. What finds no room is dropped and counted. */
const MAX_WAITING = 4_096
const BATCH_SPANS = 512
/** Between the first span of a batch and its export, where an earlier one is still under way. */
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
  readonly #exporter: WatchedExporter
  readonly #processor: BatchSpanProcessor
  readonly #origin: SpanOrigin

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
    this.#exporter = new WatchedExporter({
      ...{ exporter, startTimer, deadlineMs: EXPORT_MS + DELAY_MS },
      sever: () => this.#agent.destroy(),
      settled: (spans, reason) => {
        this.#waiting -= spans.length
        exported(reason, reason === null ? 0 : spans.filter(({ kind }) => kind === SpanKind.SERVER).length)
      },
    })
    this.#origin = {
      resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
      scope: { name: NAME, version, schemaUrl: SCHEMA_URL },
    }
    this.#processor = new BatchSpanProcessor({
      exporter: this.#exporter,
      maxQueueSize: MAX_WAITING,
      maxExportBatchSize: BATCH_SPANS,
      scheduledDelayMillis: DELAY_MS,
      exportTimeoutMillis: EXPORT_MS + 2 * DELAY_MS,
    })
  }

  /** False where there is no room: the exchange's spans are dropped. */
  take(record: ExchangeRecord, view: SpanView): boolean {
    const spans = 1 + record.children.length
    if (this.#waiting + spans > MAX_WAITING) return false
    this.#waiting += spans
    const template = record.route === null ? null : (view.templates.get(record.route) ?? null)
    const own = placeOf(record, record.spanId, 'local')
    const parent = record.parentId === null ? null : placeOf(record, record.parentId, 'remote')
    const facts = exchangeFacts(record, template, view.redacted)
    this.#processor.onEnd(new FinishedSpan(this.#origin, own, parent, SpanKind.SERVER, facts, record))
    let attempts = 0
    for (const child of record.children) {
      const isAttempt = child.kind === 'attempt'
      const told = isAttempt ? attemptFacts(child, record.method, attempts++) : policyFacts(child)
      const kind = isAttempt ? SpanKind.CLIENT : SpanKind.INTERNAL
      const place = placeOf(record, child.spanId, 'local')
      this.#processor.onEnd(new FinishedSpan(this.#origin, place, own, kind, told, child))
    }
    return true
  }

  /**
   * Sends what was taken, unless something is under way: then it waits for the processor's own time. Spans that are
   * made and sent in one go are gone before the next collection of garbage, and their code is warm.
   */
  flush(): void {
    if (this.#exporter.underWay === 0) this.#processor.forceFlush().catch(() => {}) // it was reported as an export that failed
  }

  /** Sends what waits, and ends; resolves however that goes. The caller bounds the time. */
  async close(): Promise<void> {
    await this.#processor.shutdown().catch(() => {}) // it was reported as an export that failed
    this.#agent.destroy()
  }
}
