import { createServer, type IncomingMessage } from 'node:http'

/** A collector of traces: takes OTLP over HTTP in JSON, and prints of every export how many exchanges it told of. Argument: port. */
interface Export {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly { readonly kind: number }[] }[]
  }[]
}

const SERVER = 2

async function exchangesIn(request: IncomingMessage): Promise<number> {
  const text = Buffer.concat(await request.toArray()).toString('utf8')
  const { resourceSpans }: Export = JSON.parse(text)
  const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
  return spans.filter(({ kind }) => kind === SERVER).length
}

createServer(async (request, response) => {
  const exchanges = await exchangesIn(request)
  response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}')
  process.stdout.write(`${exchanges}\n`)
}).listen(Number(process.argv[2]), '127.0.0.1')
