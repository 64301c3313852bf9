import { Agent as PlainAgent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base'
import {
  convertLegacyHttpOptions,
  createOtlpHttpExportDelegate,
} from '@opentelemetry/otlp-exporter-base/node-http'
import type { TracingConfig } from '../../config/config.ts'
import { NAME } from '../../lib/version.ts'
import type { StartTimer } from '../start-timer.ts'
import { WatchedExporter } from './watched-exporter.ts'

/** Spans that wait or are on their way: some 5,000. */
const MAX_WAITING_BYTES = 4 << 20
/** An export is sent once it has these; collectors take four to twenty times as much in one request. */
const FULL_BYTES = 1 << 20
/** Further ones wait for one of these to end. */
const MAX_UNDER_WAY = 2
/** The exporter repeats within it what may be repeated. */
const EXPORT_MS = 10_000
const DEADLINE_MS = 11_000
const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.37.0'
/** Of a line and of the list of spans it ends: a comma and the newline. */
const SEPARATOR_BYTES = 2

export interface SpanExportParts {
  readonly tracing: TracingConfig
  /** Of the running product. */
  readonly version: string
  readonly startTimer: StartTimer
  /** Null: an export arrived; a text: it failed, and why. `lost`: exchanges whose spans went with it. */
  readonly exported: (reason: string | null, lost: number) => void
}

/** Lines of spans, and of how many exchanges they are. */
interface Batch {
  readonly lines: readonly Buffer[]
  readonly bytes: number
  readonly exchanges: number
}

/**
 * Sends spans as data threads wrote them to a collector, by the exporter of OpenTelemetry's SDK: it connects, repeats,
 * and judges the answer. The only module that takes it, and is loaded where tracing is on.
 */
export class SpanExport {
  #lines: Buffer[] = []
  /** Of what waits to be sent. */
  #bytes = 0
  #exchanges = 0
  /** Of what is on its way. */
  #sentBytes = 0
  readonly #agent: PlainAgent
  readonly #exporter: WatchedExporter<Batch>

  constructor({ tracing, version, startTimer, exported }: SpanExportParts) {
    const agent = new (tracing.endpoint.startsWith('https:') ? TlsAgent : PlainAgent)({
      keepAlive: true,
      maxSockets: MAX_UNDER_WAY,
    })
    this.#agent = agent
    this.#exporter = new WatchedExporter({
      ...{ exporter: otlpExporter(tracing, version, agent), startTimer, deadlineMs: DEADLINE_MS },
      sever: () => agent.destroy(),
      settled: ({ bytes, exchanges }, reason) => {
        this.#sentBytes -= bytes
        exported(reason, reason === null ? 0 : exchanges)
      },
    })
  }

  /** `lines`: whole ones, which are copied. False where there is no room for them. */
  take(lines: Buffer, exchanges: number): boolean {
    if (this.#sentBytes + this.#bytes + lines.length > MAX_WAITING_BYTES) return false
    this.#lines.push(Buffer.from(lines))
    this.#bytes += lines.length
    this.#exchanges += exchanges
    if (this.#bytes >= FULL_BYTES) this.flush()
    return true
  }

  /** Sends what was taken, unless enough is under way. */
  flush(): void {
    if (this.#exporter.underWay < MAX_UNDER_WAY) this.#send()
  }

  /** Sends what waits, and ends; resolves however that goes. The caller bounds the time. */
  async close(): Promise<void> {
    this.#send()
    await this.#exporter.shutdown().catch(() => {}) // it was reported as an export that failed
    this.#agent.destroy()
  }

  #send(): void {
    if (this.#exchanges === 0) return
    const batch: Batch = { lines: this.#lines, bytes: this.#bytes, exchanges: this.#exchanges }
    this.#sentBytes += this.#bytes
    this.#lines = []
    this.#bytes = 0
    this.#exchanges = 0
    this.#exporter.export(batch)
  }
}

/** The SDK's own trace exporter, but for the serializer: spans are text already (docs/decisions/0013). */
function otlpExporter(tracing: TracingConfig, version: string, agent: PlainAgent): OTLPExporterBase<Batch> {
  const { endpoint, headers, serviceName } = tracing
  const options = convertLegacyHttpOptions(
    {
      url: endpoint,
      headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
      timeoutMillis: EXPORT_MS,
      httpAgentOptions: () => agent,
    },
    'TRACES',
    'v1/traces',
    { 'Content-Type': 'application/json' },
  )
  const [before, after] = envelope(serviceName, version)
  const serializer = {
    serializeRequest: ({ lines }: Batch) => joined(before, lines, after),
    deserializeResponse: (answer: Uint8Array) => JSON.parse(Buffer.from(answer).toString('utf8')) as unknown,
  }
  const counter = { name: 'span' as const, countItems: ({ exchanges }: Batch) => exchanges }
  return new OTLPExporterBase(
    createOtlpHttpExportDelegate(options, serializer, 'otlp_http_span_exporter', counter, undefined),
  )
}

/** What stands before and after the spans of an `ExportTraceServiceRequest`: whose they are, and what made them. */
function envelope(serviceName: string, version: string): readonly [Buffer, Buffer] {
  const attributes = Object.entries({ 'service.name': serviceName, 'service.version': version }).map(
    ([key, value]) => ({ key, value: { stringValue: value } }),
  )
  const scopeSpans = [{ scope: { name: NAME, version }, schemaUrl: SCHEMA_URL, spans: [] }]
  const text = JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans }] })
  const at = text.lastIndexOf('[]') + 1
  return [Buffer.from(text.slice(0, at)), Buffer.from(text.slice(at))]
}

/** The last line ends the list: without its comma. */
function joined(before: Buffer, lines: readonly Buffer[], after: Buffer): Buffer {
  const last = lines.at(-1) as Buffer
  return Buffer.concat([before, ...lines.slice(0, -1), last.subarray(0, -SEPARATOR_BYTES), after])
}
