/**
 * `node examples/upstream.ts PORT [NAME]`: a service that answers with what reached it. `…/slow?ms=1000` takes its time,
 * `…/status/503` fails, `/health` is well.
 */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

export function startUpstream(port: number, service = 'upstream'): Promise<Server> {
  const server = createServer(async (request, response) => {
    let bytes = 0
    for await (const piece of request) bytes += piece.length
    const { method, url = '/', headers } = request
    const { pathname, searchParams } = new URL(url, 'http://upstream')
    if (pathname.endsWith('/slow')) await pause(Number(searchParams.get('ms') ?? 1000))
    response.statusCode = Number(/\/status\/([2-5]\d\d)$/.exec(pathname)?.[1] ?? 200)
    response.setHeader('Content-Type', 'application/json')
    response.end(`${JSON.stringify({ service, method, url, bytes, headers: shown(headers) })}\n`)
  })
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)))
}

/** The token stays out of the answer: answers get pasted into chats and tickets. */
function shown({ authorization: _, ...others }: IncomingHttpHeaders): IncomingHttpHeaders {
  return others
}

if (import.meta.main) {
  const [port = '8081', name] = process.argv.slice(2)
  await startUpstream(Number(port), name)
}
