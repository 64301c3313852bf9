import type { RedactedField } from '../../config/config.ts'
import type { Exchange } from '../../proxy/exchange.ts'
import { intAttribute, type SpanTrace, spanText, stringAttribute } from './otlp-text.ts'
import type { ChildSpan, SpanRecorder } from './span-recorder.ts'

/** Longest method, path and host that go into a span: a line must fit its ring many times over. */
const MAX_TEXT = 2_048

/** Methods that stand in a span as they are; any other would make a name of its own (HTTP semantic conventions). */
const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'],
])

const SERVER_ERROR = 500
const CLIENT_ERROR = 400

/**
 * The spans of an exchange that is over: itself, then what it waited for, as OTLP has them in JSON, each with a comma
 * behind it. Attributes have the stable names of OpenTelemetry's HTTP semantic conventions, and `nyro.*` of our own.
 * Never a credential, never a query. `epochMs`: when the exchange's clock showed 0, since the epoch.
 */
export function exchangeSpans(
  exchange: Exchange,
  spans: SpanRecorder,
  nowMs: number,
  epochMs: number,
  redacted: ReadonlySet<RedactedField>,
): string {
  const { head, route } = exchange
  const { template } = route
  const trace = { traceId: exchange.traceId ?? '', state: spans.state, epochMs }
  const method = cut(head.method)
  const own = spanText(trace, {
    ...{ spanId: spans.spanId, parentId: spans.parentId, parentIs: 'remote', kind: 'server' },
    name: template === null ? spanMethod(method) : `${spanMethod(method)} ${template}`,
    ...{ startMs: exchange.startMs, endMs: nowMs, failed: exchange.status >= SERVER_ERROR },
    attributes: exchangeAttributes(exchange, spans, method, redacted),
  })
  let text = `${own},`
  let attempts = 0
  for (const child of spans.children) {
    const told =
      child.kind === 'attempt'
        ? attemptSpan(trace, child, spans.spanId, method, attempts++)
        : policySpan(trace, child, spans.spanId)
    text += `${told},`
  }
  return text
}

function exchangeAttributes(
  exchange: Exchange,
  spans: SpanRecorder,
  method: string,
  redacted: ReadonlySet<RedactedField>,
): string {
  const { head, identity, route, status, code } = exchange
  const error = code ?? (status >= SERVER_ERROR ? String(status) : exchange.aborted ? 'aborted' : null)
  const tenant = identity === null || redacted.has('company_id') ? null : identity.tenant
  return (
    methodAttributes(method) +
    stringAttribute('url.scheme', exchange.scheme) +
    stringAttribute('url.path', redacted.has('path') ? null : cut(head.path)) +
    stringAttribute('http.route', route.template) +
    intAttribute('http.response.status_code', status === 0 ? null : status) +
    stringAttribute('error.type', error) +
    stringAttribute('network.protocol.name', 'http') +
    stringAttribute('network.protocol.version', `1.${head.minor}`) +
    stringAttribute('client.address', redacted.has('client_ip') ? null : exchange.clientIp) +
    addressAttributes(cut(head.host)) +
    stringAttribute('nyro.request_id', exchange.requestId) +
    stringAttribute('nyro.route', route.name) +
    stringAttribute('nyro.tenant', tenant) +
    intAttribute('nyro.children_dropped', spans.dropped === 0 ? null : spans.dropped)
  )
}

/** `method`: the exchange's. `resend`: how many tries came before. */
function attemptSpan(
  trace: SpanTrace,
  child: ChildSpan,
  parentId: string,
  method: string,
  resend: number,
): string {
  const { spanId, startMs, endMs, status, fault } = child
  return spanText(trace, {
    ...{ spanId, parentId, parentIs: 'local', kind: 'client', name: spanMethod(method), startMs, endMs },
    failed: fault !== null || status >= CLIENT_ERROR,
    attributes:
      methodAttributes(method) +
      addressAttributes(child.target ?? '') +
      intAttribute('http.response.status_code', status === 0 ? null : status) +
      intAttribute('http.request.resend_count', resend === 0 ? null : resend) +
      stringAttribute('error.type', fault ?? (status >= CLIENT_ERROR ? String(status) : null)) +
      stringAttribute('nyro.upstream', child.name),
  })
}

function policySpan(trace: SpanTrace, child: ChildSpan, parentId: string): string {
  const { spanId, startMs, endMs, name, fault } = child
  return spanText(trace, {
    ...{ spanId, parentId, parentIs: 'local', kind: 'internal', name: `policy ${name}`, startMs, endMs },
    failed: false,
    attributes: stringAttribute('nyro.policy', name) + stringAttribute('error.type', fault),
  })
}

function spanMethod(method: string): string {
  return METHODS.has(method) ? method : 'HTTP'
}

function methodAttributes(method: string): string {
  if (METHODS.has(method)) return stringAttribute('http.request.method', method)
  return (
    stringAttribute('http.request.method', '_OTHER') + stringAttribute('http.request.method_original', method)
  )
}

/** Of `host`, `host:port` or `[v6]:port`. */
function addressAttributes(authority: string): string {
  const [, host = '', port = null] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? []
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  return (
    stringAttribute('server.address', address === '' ? null : address) +
    intAttribute('server.port', port === null ? null : Number(port))
  )
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text
}
