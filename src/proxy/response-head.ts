import type { Head } from '../http1/head.ts'
import { secondsText } from '../lib/seconds.ts'
import type { Exchange } from './exchange.ts'
import {
  keptFields,
  nominatedFields,
  RESPONSE_UNNOMINATED,
  type ResponsePlan,
  responseStrip,
} from './head-plan.ts'
import type { ResponseDate } from './response-date.ts'

/** Where the three digits stand in a status line. */
const STATUS_START = 'HTTP/1.1 '.length
const STATUS_END = STATUS_START + 3

/** How a response's end is told to the client. */
export type ResponseFraming = 'as-is' | 'chunked' | 'close'

/** What every response carries, the gateway's own included. `nowMs` is on the exchange's clock. */
export function commonLines(exchange: Exchange, nowMs: number): string {
  return `${exchange.answered}X-Request-ID: ${exchange.requestId}\r\nX-Process-Time: ${secondsText(nowMs - exchange.startMs)}\r\n`
}

/** What a client must be told of the connection (RFC 9112 section 9.3): nothing where the version's default holds. */
export function connectionLine(clientMinor: number, closes: 'closes' | 'stays'): string {
  if (closes === 'closes') return 'Connection: close\r\n'
  return clientMinor === 0 ? 'Connection: keep-alive\r\n' : ''
}

/** Status and reason in one slice: a reason of two letters alone would be looked up in V8's string table. */
function statusLine(head: Head): string {
  const status = head.text.slice(STATUS_START, head.reasonEnd)
  return head.reasonEnd > STATUS_END ? `HTTP/1.1 ${status}\r\n` : `HTTP/1.1 ${status} \r\n`
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
  const plan = exchange.route.response
  const strip = responseStrip(plan, head.status, exchange.crossOrigin ? 'page' : 'program')
  const kept = keptFields(head, strip, nominatedFields(head, RESPONSE_UNNOMINATED))
  const dated = head.find('date', 0) < 0 ? date.line() : ''
  const coding = framing === 'chunked' ? 'Transfer-Encoding: chunked\r\n' : ''
  return `${statusLine(head)}${kept}${plan.lines}${dated}${commonLines(exchange, nowMs)}${coding}${connection}\r\n`
}

/** A 1xx on its way to the client. */
export function interimHead(head: Head, plan: ResponsePlan): string {
  return `${statusLine(head)}${keptFields(head, plan.bodilessToPage, null)}\r\n`
}

/** The 101 that turns both connections into a tunnel. */
export function switchedHead(head: Head, exchange: Exchange, nowMs: number): string {
  const plan = exchange.route.response
  const kept = keptFields(head, plan.bodilessToPage, null)
  return `${statusLine(head)}${kept}${plan.lines}${commonLines(exchange, nowMs)}Connection: Upgrade\r\nUpgrade: ${head.get('upgrade')}\r\n\r\n`
}

export function responseTrailers(trailers: Head | null, plan: ResponsePlan): string {
  return trailers === null ? '' : keptFields(trailers, plan.trailers, null)
}
