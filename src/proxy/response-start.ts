import type { Head } from '../http1/head.ts'
import type { ServerConnection } from '../http1/server-connection.ts'
import type { Exchange } from './exchange.ts'
import type { ForwardSite } from './forward-site.ts'
import { hasBody, responseFraming } from './response-framing.ts'
import { connectionLine, responseHead } from './response-head.ts'

/** Sends the client an upstream's response head, framed as the client of `request` can take it; the body follows. */
export function startResponse(
  client: ServerConnection,
  exchange: Exchange,
  request: Head,
  head: Head,
  nowMs: number,
  { date, draining }: ForwardSite,
): void {
  const framing = responseFraming(head, request)
  if (framing === 'close' || !client.requestDone || draining) client.closeAfter = true
  const connection = connectionLine(request.minor, client.closeAfter ? 'closes' : 'stays')
  client.writer.begin(
    responseHead(head, exchange, framing, connection, date, nowMs),
    framing === 'chunked' && hasBody(head, request) ? 'chunked' : 'plain',
  )
}
