import type { LogLevel } from '../config/config.ts'
import { secondsText } from '../lib/seconds.ts'
import type { Exchange, Identity } from '../proxy/exchange.ts'
import { jsonString, timestamp } from './log-line.ts'

/** What `accessLevel` may give. */
export const ACCESS_LEVELS: readonly LogLevel[] = ['info', 'warning', 'error']

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

function whoText(identity: Identity): string {
  return `,"company_id":${jsonString(identity.tenant)},"subject":${jsonString(identity.subject)}`
}

/**
 * The one line of a finished exchange. Request ids, addresses and methods are of grammars that need no escaping;
 * paths and what tokens say do. `wallMs`: now, since the epoch; `durationMs`: since the head was complete.
 */
export function accessLine(exchange: Exchange, level: LogLevel, wallMs: number, durationMs: number): string {
  const { head, identity } = exchange
  const who = identity === null ? '' : whoText(identity)
  const upstream = exchange.upstream === null ? '' : `,"upstream":${jsonString(exchange.upstream)}`
  const target = exchange.endpoint === null ? '' : `,"target":"${exchange.endpoint}"`
  const code = exchange.code === null ? '' : `,"code":"${exchange.code}"`
  const shadow = exchange.shadowed === '' ? '' : `,"shadow":[${exchange.shadowed}]`
  const aborted = exchange.aborted ? ',"aborted":true}' : '}'
  return `${openingOf(level, wallMs)}${exchange.requestId}","method":"${head.method}","path":${jsonString(head.path)},"status_code":${exchange.status},"duration":${secondsText(durationMs)}${who},"client_ip":"${exchange.clientIp}"${exchange.route.logText}${upstream}${target}${code}${shadow},"bytes_in":${exchange.bytesIn},"bytes_out":${exchange.bytesOut}${aborted}`
}
