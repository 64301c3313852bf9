/**
 * `node examples/observability/collector.ts PORT`: takes spans by OTLP over HTTP as JSON, as a collector does, and
 * answers a GET with what it has: trace, service, name.
 */
import { createServer, type Server } from 'node:http'
import { json } from 'node:stream/consumers'

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly { readonly spans: readonly { traceId: string; name: string }[] }[]
  }[]
}

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string }
}

export function startCollector(port: number): Promise<Server> {
  const lines: string[] = []
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end(lines.map((line) => `${line}\n`).join(''))
    const { resourceSpans } = (await json(request)) as Export // what OTLP says it is
    for (const { resource, scopeSpans } of resourceSpans) {
      const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue
      for (const { traceId, name } of scopeSpans.flatMap(({ spans }) => spans))
        lines.push(`${traceId} ${service}: ${name}`)
    }
    response.setHeader('Content-Type', 'application/json')
    response.end('{}')
  })
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)))
}

if (import.meta.main) await startCollector(Number(process.argv[2] ?? 4318))
