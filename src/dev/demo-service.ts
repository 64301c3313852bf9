import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A running demo service: an upstream to try the gateway with, on a free port of the loopback interface. */
export interface DemoService {
  readonly url: string
  /** Ends what it serves and lets the port go. */
  close(): Promise<void>
}

export async function startDemoService(serve: RequestListener): Promise<DemoService> {
  const server = createServer(serve)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo // an address and port: it listens on no pipe
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Indented and ended by a newline: it is read in a terminal. */
export function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(`${JSON.stringify(value, null, 2)}\n`)
}

/** Splits a request target; nothing decoded in the path. */
export function readTarget(target = '/'): { readonly path: string; readonly query: URLSearchParams } {
  const mark = target.indexOf('?')
  if (mark < 0) return { path: target, query: new URLSearchParams() }
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) }
}
