import type { Exchange } from '../../proxy/exchange.ts'
import { jsonString } from '../log-line.ts'
import type { ChildRecord } from './span-record.ts'
import type { SpanRecorder } from './span-recorder.ts'

/** Longest method, path and host that go into a span: a record must fit its ring many times over. */
const MAX_TEXT = 2_048

/**
 * What a data thread says of an exchange whose trace is kept: an `ExchangeRecord` (span-record.ts) as one line of JSON
 * in ASCII. By hand, as the access line is: an object for JSON.stringify took twice as long (`node bench/micro/tracing.ts`).
 * Ids and addresses need no escaping. `epochMs`: when the exchange's clock showed 0, since the epoch.
 */
export function recordLine(exchange: Exchange, spans: SpanRecorder, nowMs: number, epochMs: number): string {
  const { head, identity, route } = exchange
  const tenant = textOrNull(identity === null ? null : identity.tenant)
  const span = `"traceId":"${exchange.traceId}","spanId":"${spans.spanId}","parentId":${textOrNull(spans.parentId)},"state":${jsonString(spans.state)}`
  const times = `"startMs":${epochMs + exchange.startMs},"endMs":${epochMs + nowMs}`
  const asked = `"requestId":"${exchange.requestId}","method":${cut(head.method)},"path":${cut(head.path)},"scheme":${cut(exchange.scheme)},"host":${cut(head.host)},"minor":${head.minor}`
  const who = `"clientIp":"${exchange.clientIp}","tenant":${tenant},"route":${textOrNull(route.name)}`
  const got = `"status":${exchange.status},"code":${textOrNull(exchange.code)},"aborted":${exchange.aborted}`
  let children = ''
  for (const child of spans.children) children += (children === '' ? '' : ',') + childText(child, epochMs)
  return `{${span},${times},${asked},${who},${got},"children":[${children}],"dropped":${spans.dropped}}`
}

function childText(child: ChildRecord, epochMs: number): string {
  const { kind, name, spanId, startMs, endMs, target, status, fault } = child
  return `{"kind":"${kind}","name":${jsonString(name)},"spanId":"${spanId}","startMs":${epochMs + startMs},"endMs":${epochMs + endMs},"target":${textOrNull(target)},"status":${status},"fault":${textOrNull(fault)}}`
}

function cut(text: string): string {
  return jsonString(text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text)
}

function textOrNull(text: string | null): string {
  return text === null ? 'null' : jsonString(text)
}
