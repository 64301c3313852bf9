import type { ServerConnection } from '../http1/server-connection.ts'
import type { Answer } from './answer.ts'
import type { Exchange, RequestHead } from './exchange.ts'
import type { Failure } from './failure.ts'
import type { ResponseDate } from './response-date.ts'
import { commonLines, connectionLine } from './response-head.ts'

/** A body this small is read and dropped to keep the connection; behind more of it, the connection is closed. */
const MAX_DROPPED_BYTES = 65_536

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

/** How the response is to be worded for this client. */
export interface Reply {
  readonly method: string
  readonly minor: number
  readonly nowMs: number
  readonly date: ResponseDate
}

/** Writes a response of the gateway's own. The exchange is over for the client once it has left. */
export function reply(
  client: ServerConnection,
  exchange: Exchange,
  ending: Failure | Answer,
  how: Reply,
): void {
  exchange.status = ending.status
  const body = ending.kind === 'failure' ? problem(ending, exchange) : ending.body
  const type = ending.kind === 'failure' ? 'Content-Type: application/problem+json\r\n' : ''
  if (ending.kind === 'failure') exchange.code = ending.code
  const length = ending.status === 204 || ending.status === 304 ? '' : `Content-Length: ${body.length}\r\n`
  const connection = connectionLine(how.minor, client.closeAfter ? 'closes' : 'stays')
  client.writer.begin(
    `HTTP/1.1 ${ending.status} ${REASONS[ending.status] ?? ''}\r\n${how.date.line()}${type}${ending.fields}${exchange.route.response.ownLines}${length}${commonLines(exchange, how.nowMs)}${connection}\r\n`,
    'plain',
  )
  if (how.method !== 'HEAD' && length !== '') {
    client.writer.shared(body)
    exchange.bytesOut = body.length
  }
}

/** Whether the rest of a request that is not read to its end may be dropped, so that the connection can go on. */
export function canDropRest(client: ServerConnection, head: RequestHead): boolean {
  if (client.requestDone) return true
  const remaining = client.bodyRemaining
  // A client that waits for 100 may or may not send its body after a final answer: nobody can tell what follows.
  return head.get('expect') === null && remaining !== null && remaining <= MAX_DROPPED_BYTES
}

/** The body of a failure (RFC 9457); `detail` is the member the clients of old read. */
function problem(failure: Failure, exchange: Exchange): Buffer {
  return Buffer.from(
    JSON.stringify({
      type: `urn:problem-type:nyro:${failure.code}`,
      title: failure.title,
      status: failure.status,
      detail: failure.detail,
      code: failure.code,
      request_id: exchange.requestId,
      // Without a trace there is no such member.
      trace_id: exchange.traceId ?? undefined,
    }),
  )
}
