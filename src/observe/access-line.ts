import type { LogLevel } from '../config/config.ts'
import { secondsText } from '../lib/seconds.ts'
import type { Exchange, Identity, RequestHead } from '../proxy/exchange.ts'
import type { AccessFormat } from './access-format.ts'
import { jsonString, timestamp } from './log-line.ts'

/** Of a field of the request that is logged. */
const MAX_HEADER = 256

/** A client's mistake is a warning as it always was; what the gateway or an upstream did to a client is an error. */
export function accessLevel(exchange: Exchange): LogLevel {
  if (exchange.code === null) return 'info'
  return exchange.status >= 500 ? 'error' : 'warning'
}

let openingAt = ''
let openingLevel: LogLevel = 'info'
let opening = ''

/** Everything before the request id; made anew once a millisecond and level. */
function openingOf(level: LogLevel, wallMs: number): string {
  const at = timestamp(wallMs)
  if (at !== openingAt || level !== openingLevel) {
    openingAt = at
    openingLevel = level
    opening = `{"timestamp":"${at}","level":"${level}","logger":"nyro.access","event":"Request finished","request_id":"`
  }
  return opening
}

function whoText(identity: Identity, format: AccessFormat): string {
  const tenant = format.hasTenant ? `,"company_id":${jsonString(identity.tenant)}` : ''
  return format.hasSubject ? `${tenant},"subject":${jsonString(identity.subject)}` : tenant
}

function headersText(head: RequestHead, { headers }: AccessFormat): string {
  let text = ''
  for (const { opening, header } of headers) {
    const value = head.get(header)
    if (value !== null) text += `${opening}${jsonString(value.slice(0, MAX_HEADER))}`
  }
  return text
}

/**
 * The one line of a finished exchange. Request ids, addresses and methods are of grammars that need no escaping;
 * paths and what tokens say do. `wallMs`: now, since the epoch; `durationMs`: since the head was complete.
 */
export function accessLine(
  exchange: Exchange,
  level: LogLevel,
  wallMs: number,
  durationMs: number,
  pace: 'usual' | 'slow',
  format: AccessFormat,
): string {
  const { head, identity } = exchange
  const who = identity === null ? '' : whoText(identity, format)
  const upstream = exchange.upstream === null ? '' : `,"upstream":${jsonString(exchange.upstream)}`
  const target = exchange.endpoint === null ? '' : `,"target":"${exchange.endpoint}"`
  const code = exchange.code === null ? '' : `,"code":"${exchange.code}"`
  const shadow = exchange.shadowed === '' ? '' : `,"shadow":[${exchange.shadowed}]`
  const aborted = exchange.aborted ? ',"aborted":true' : ''
  const trace = exchange.traceId === null ? '' : `","trace_id":"${exchange.traceId}`
  const path = format.hasPath ? `,"path":${jsonString(head.path)}` : ''
  const slow = pace === 'slow' ? ',"slow":true' : ''
  const client = format.hasClientIp ? `,"client_ip":"${exchange.clientIp}"` : ''
  const added = format.headers.length === 0 ? format.added : format.added + headersText(head, format)
  return `${openingOf(level, wallMs)}${exchange.requestId}${trace}","method":"${head.method}"${path},"status_code":${exchange.status},"duration":${secondsText(durationMs)}${slow}${who}${client}${exchange.route.logText}${upstream}${target}${code}${shadow},"bytes_in":${exchange.bytesIn},"bytes_out":${exchange.bytesOut}${aborted}${added}}`
}
