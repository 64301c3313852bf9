import type { Head } from '../http1/head.ts'
import { fieldsWithoutCredentials, targetWithoutCredentials } from '../identity/credential-removal.ts'
import type { Exchange } from './exchange.ts'
import type { Replay } from './failure.ts'
import type { Origin } from './forwarded.ts'
import { keptFields, keptTrailerNames, nominatedFields, type RequestPlan } from './head-plan.ts'
import { type PathRewrite, rewritten } from './path-rewrite.ts'

/**
 * Whether the request asks for a WebSocket (RFC 6455 section 4.1), the one protocol that is tunnelled: h2c would carry
 * requests past every policy.
 */
export function asksWebSocket(head: Head): boolean {
  if (!head.upgrade || head.chunked || head.contentLength > 0 || head.method !== 'GET') return false
  return head.get('upgrade')?.toLowerCase() === 'websocket'
}

/** The head as the upstream gets it: what passes first, what the gateway states last. `authority`: the endpoint's. */
export function requestHead(
  head: Head,
  exchange: Exchange,
  plan: RequestPlan,
  origin: Origin,
  authority: string,
  kind: 'plain' | 'upgrade',
): string {
  const host = plan.hostHeader === 'keep' && head.hostStart >= 0 ? head.host : authority
  const strip = origin.trusted ? plan.strip : plan.stripUntrusted
  // Expect means nothing in HTTP/1.0 (RFC 9110 section 10.1.1), but would in the request that is made of it.
  const nominated = nominatedFields(head, plan.unnominated)
  const dropped = head.minor === 0 ? new Set([...(nominated ?? []), 'expect']) : nominated
  const { credentials } = plan
  const passing = keptFields(head, strip, dropped)
  const received = targetOf(head, plan.rewrite)
  const kept = credentials.length === 0 ? passing : fieldsWithoutCredentials(passing, credentials)
  const target = credentials.length === 0 ? received : targetWithoutCredentials(received, credentials)
  let framing = ''
  if (kind === 'upgrade') framing = `Connection: Upgrade\r\nUpgrade: ${head.get('upgrade')}\r\n`
  else if (head.chunked) framing = `Transfer-Encoding: chunked\r\n${keptTrailerNames(head, plan.unnominated)}`
  return (
    `${head.method} ${plan.basePath}${target} HTTP/1.1\r\nHost: ${host}\r\n${kept}${plan.lines}${exchange.asserted}` +
    `X-Request-ID: ${exchange.requestId}\r\n${exchange.traceLines}${origin.lines}Via: 1.${head.minor} nyro\r\n${framing}\r\n`
  )
}

/** Path and query as received, but for what the route rewrites; absolute-form without a path means the root. */
function targetOf(head: Head, rewrite: PathRewrite | null): string {
  const { text, pathStart, pathEnd, targetEnd } = head
  const isEmpty = pathStart === pathEnd
  if (rewrite !== null && !isEmpty) return rewritten(text, pathStart, pathEnd, targetEnd, rewrite)
  const path = isEmpty ? (rewrite === null ? '/' : `${rewrite.add}/`) : ''
  return `${path}${text.slice(pathStart, targetEnd)}`
}

export function requestTrailers(trailers: Head | null, plan: RequestPlan): string {
  return trailers === null ? '' : keptFields(trailers, plan.stripTrailers, null)
}

/** Whether a failure that leaves it so far may be followed by the same request again. */
export function maySendAgain(method: string, replay: Replay): boolean {
  return replay === 'always' || (replay === 'idempotent' && isIdempotent(method))
}

/** Methods that may be repeated without a further effect (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'PUT':
    case 'DELETE':
    case 'OPTIONS':
    case 'TRACE':
      return true
    default:
      return false
  }
}
