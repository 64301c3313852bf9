import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** A span as OTLP has it in JSON, as far as tests look. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly name: string
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  /** Left out: neither good nor bad. */
  readonly status?: { readonly code?: number }
  readonly attributes: readonly { readonly key: string; readonly value: OtlpValue }[]
}

interface OtlpValue {
  readonly stringValue?: string
  readonly intValue?: number | string
}

interface OtlpExport {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpSpan['attributes'] }
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string }
      readonly spans: readonly OtlpSpan[]
    }[]
  }[]
}

export type CollectorAnswer = (request: IncomingMessage, response: ServerResponse) => void

const ACCEPT: CollectorAnswer = (_, response) => {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}')
}

/** Takes OTLP over HTTP in JSON, as a collector does, or fails as the test says. */
export class Collector {
  readonly spans: OtlpSpan[] = []
  readonly requests: {
    readonly url: string
    readonly headers: IncomingMessage['headers']
    readonly text: string
  }[] = []
  /** Of the resources that spans came with. */
  readonly services: string[] = []
  answer: CollectorAnswer = ACCEPT
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (request, response) => void this.#take(request, response))
  }

  static async start(port = 0): Promise<Collector> {
    const server = createServer()
    const collector = new Collector(server)
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return collector
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/v1/traces`
  }

  /** The spans of one trace, the one that began first first. */
  trace(traceId: string): readonly OtlpSpan[] {
    return this.spans
      .filter((span) => span.traceId === traceId)
      .toSorted((left, right) => (left.startTimeUnixNano < right.startTimeUnixNano ? -1 : 1))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on('error', () => {})
    response.on('error', () => {})
    const pieces = await request.toArray().catch(() => null)
    if (pieces === null) return
    const text = Buffer.concat(pieces).toString('utf8')
    this.requests.push({ url: request.url ?? '', headers: request.headers, text })
    if (this.answer === ACCEPT) this.#keep(JSON.parse(text) as OtlpExport)
    this.answer(request, response)
  }

  #keep({ resourceSpans }: OtlpExport): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      this.services.push(String(attributesOf(resource)['service.name']))
      for (const { spans } of scopeSpans) this.spans.push(...spans)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Attributes by name. */
export function attributesOf({
  attributes,
}: Pick<OtlpSpan, 'attributes'>): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  )
}
