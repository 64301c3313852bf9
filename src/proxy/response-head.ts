import type { Head } from '../http1/head.ts'
import type { Exchange } from './exchange.ts'
import {
  keptFields,
  RESPONSE_STRIP,
  RESPONSE_STRIP_204,
  RESPONSE_STRIP_CORS,
  RESPONSE_STRIP_TRAILERS,
} from './head-plan.ts'
import type { ResponseDate } from './response-date.ts'

/** How a response's end is told to the client. */
export type ResponseFraming = 'as-is' | 'chunked' | 'close'

/** What every response carries, the gateway's own included. `nowMs` is on the exchange's clock. */
export function commonLines(exchange: Exchange, nowMs: number): string {
  const seconds = ((nowMs - exchange.startMs) / 1_000).toFixed(6)
  return `${exchange.answered}X-Request-ID: ${exchange.requestId}\r\nX-Process-Time: ${seconds}\r\n`
}

/** What a client must be told of the connection (RFC 9112 section 9.3): nothing where the version's default holds. */
export function connectionLine(clientMinor: number, closes: 'closes' | 'stays'): string {
  if (closes === 'closes') return 'Connection: close\r\n'
  return clientMinor === 0 ? 'Connection: keep-alive\r\n' : ''
}

/** An upstream's response head, re-made for the client. */
export function responseHead(
  head: Head,
  exchange: Exchange,
  framing: ResponseFraming,
  connection: string,
  date: ResponseDate,
  nowMs: number,
): string {
  const reason = head.text.slice(head.reasonStart, head.reasonEnd)
  const strip =
    head.status === 204 ? RESPONSE_STRIP_204 : exchange.crossOrigin ? RESPONSE_STRIP_CORS : RESPONSE_STRIP
  const dated = head.find('date', 0) < 0 ? date.line() : ''
  const coding = framing === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : ''
  return `HTTP/1.1 ${head.status} ${reason}\r\n${keptFields(head, strip, null)}${dated}${commonLines(exchange, nowMs)}${coding}${connection}\r\n`
}

/** A 1xx on its way to the client. */
export function interimHead(head: Head): string {
  const reason = head.text.slice(head.reasonStart, head.reasonEnd)
  return `HTTP/1.1 ${head.status} ${reason}\r\n${keptFields(head, RESPONSE_STRIP_204, null)}\r\n`
}

/** The 101 that turns both connections into a tunnel. */
export function switchedHead(head: Head, exchange: Exchange, nowMs: number): string {
  const reason = head.text.slice(head.reasonStart, head.reasonEnd)
  const kept = keptFields(head, RESPONSE_STRIP_204, null)
  return `HTTP/1.1 101 ${reason}\r\n${kept}${commonLines(exchange, nowMs)}Connection: Upgrade\r\nUpgrade: ${head.get('upgrade')}\r\n\r\n`
}

export function responseTrailers(trailers: Head | null): string {
  return trailers === null ? '' : keptFields(trailers, RESPONSE_STRIP_TRAILERS, null)
}
