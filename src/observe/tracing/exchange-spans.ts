import type { RedactedField } from '../../config/config.ts'
import type { Exchange } from '../../proxy/exchange.ts'
import { jsonString } from '../log-line.ts'
import {
  addressAttributes,
  FAILED,
  FLAGS,
  intAttribute,
  nanosText,
  plainAttribute,
  REMOTE_FLAGS,
  stringAttribute,
} from './otlp-text.ts'
import type { ChildSpan, SpanRecorder } from './span-recorder.ts'

/** Longest method, path and host that go into a span: a line must fit its ring many times over. */
const MAX_TEXT = 2_048

/** Methods that stand in a span as they are; any other would make a name of its own (HTTP semantic conventions). */
const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'],
])

const SERVER_ERROR = 500
const CLIENT_ERROR = 400

/** What spans say of a route, the same for all exchanges: behind the method in their name, and attributes. */
export function routeSpanText(name: string, template: string): { spanName: string; spanText: string } {
  return {
    spanName: jsonString(` ${template}`).slice(1, -1),
    spanText: stringAttribute('http.route', template) + stringAttribute('nyro.route', name),
  }
}

/**
 * The spans of an exchange that is over: itself, then what it waited for, each with a comma behind it. Attributes have
 * the stable names of OpenTelemetry's HTTP semantic conventions, and `nyro.*` of our own. Never a credential, never a
 * query. `epochMs`: when the exchange's clock showed 0, since the epoch.
 */
export function exchangeSpans(
  exchange: Exchange,
  spans: SpanRecorder,
  epochMs: number,
  redacted: ReadonlySet<RedactedField>,
): string {
  const { head, route, status, startMs, endedMs } = exchange
  const { spanId, parentId, state } = spans
  const isKnown = METHODS.has(head.method)
  const method = isKnown
    ? plainAttribute('http.request.method', head.method)
    : plainAttribute('http.request.method', '_OTHER') +
      stringAttribute('http.request.method_original', cut(head.method))
  const name = isKnown ? head.method : 'HTTP'
  const start = `{"traceId":"${exchange.traceId}"${state === '' ? '' : `,"traceState":${jsonString(state)}`}`
  const parent =
    parentId === null ? `"flags":${FLAGS}` : `"parentSpanId":"${parentId}","flags":${REMOTE_FLAGS}`
  const error = exchange.code ?? (status >= SERVER_ERROR ? String(status) : exchange.aborted ? 'aborted' : '')
  const facts =
    exchangeAttributes(exchange, redacted) + (error === '' ? '' : stringAttribute('error.type', error))
  const lost = spans.dropped === 0 ? '' : intAttribute('nyro.children_dropped', spans.dropped)
  let text = `${start},"spanId":"${spanId}",${parent},"name":"${name}${route.spanName}","kind":2,"startTimeUnixNano":"${nanosText(epochMs + startMs)}","endTimeUnixNano":"${nanosText(epochMs + endedMs)}"${status >= SERVER_ERROR ? FAILED : ''},"attributes":[${method.slice(1)}${facts}${lost}]},`
  let attempts = 0
  for (const child of spans.children) {
    const childStart = `${start},"spanId":"${child.spanId}","parentSpanId":"${spanId}","flags":${FLAGS},"startTimeUnixNano":"${nanosText(epochMs + child.startMs)}","endTimeUnixNano":"${nanosText(epochMs + child.endMs)}",`
    text +=
      childStart +
      (child.kind === 'policy' ? policyText(child) : attemptText(child, name, method, attempts++))
  }
  return text
}

function exchangeAttributes(exchange: Exchange, redacted: ReadonlySet<RedactedField>): string {
  const { head, identity, route, status } = exchange
  const path = redacted.has('path') ? '' : stringAttribute('url.path', cut(head.path))
  const client = redacted.has('client_ip') ? '' : plainAttribute('client.address', exchange.clientIp)
  const tenant =
    identity === null || redacted.has('company_id') ? '' : stringAttribute('nyro.tenant', identity.tenant)
  const answered = status === 0 ? '' : intAttribute('http.response.status_code', status)
  const address = addressAttributes(cut(head.host))
  return `${route.spanText},{"key":"url.scheme","value":{"stringValue":"${exchange.scheme}"}},{"key":"network.protocol.name","value":{"stringValue":"http"}},{"key":"network.protocol.version","value":{"stringValue":"1.${head.minor}"}},{"key":"nyro.request_id","value":{"stringValue":"${exchange.requestId}"}}${path}${client}${tenant}${answered}${address}`
}

/** The rest of a try's span. `method`: the exchange's, as attributes. `resend`: how many tries came before. */
function attemptText(
  { status, fault, target, name }: ChildSpan,
  spanName: string,
  method: string,
  resend: number,
): string {
  const error = fault ?? (status >= CLIENT_ERROR ? String(status) : '')
  const facts =
    method.slice(1) +
    stringAttribute('nyro.upstream', name) +
    (target === null ? '' : addressAttributes(target)) +
    (status === 0 ? '' : intAttribute('http.response.status_code', status)) +
    (resend === 0 ? '' : intAttribute('http.request.resend_count', resend)) +
    (error === '' ? '' : stringAttribute('error.type', error))
  return `"name":"${spanName}","kind":3${error === '' ? '' : FAILED},"attributes":[${facts}]},`
}

/** The rest of a policy's. */
function policyText({ name, fault }: ChildSpan): string {
  const facts =
    stringAttribute('nyro.policy', name) + (fault === null ? '' : stringAttribute('error.type', fault))
  return `"name":${jsonString(`policy ${name}`)},"kind":1,"attributes":[${facts.slice(1)}]},`
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text
}
