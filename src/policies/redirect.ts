import type { RedirectConfig } from '../config/config.ts'
import { targetWithoutCredentials } from '../identity/credential-removal.ts'
import type { CredentialSource } from '../identity/credential-source.ts'
import { answer } from '../proxy/answer.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { type PathRewrite, rewritten } from '../proxy/path-rewrite.ts'
import type { Policy } from '../proxy/policy.ts'

const NO_BODY = Buffer.alloc(0)
const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 }

/**
 * The end of a route that sends its clients elsewhere. What the config leaves open is the request's own: scheme, host
 * and port, path after the route's rewrite; the query always. Another scheme without a port of its own means that
 * scheme's port. Another host is somebody else: `sources`, where the route takes credentials from, are cut out for it.
 */
export function redirectPolicy(
  redirect: RedirectConfig,
  rewrite: PathRewrite | null,
  sources: readonly CredentialSource[] = [],
): Policy {
  const withheld = redirect.host === null ? [] : sources
  return {
    kind: 'redirect',
    owns: [],
    admit(exchange) {
      const target = targetWithoutCredentials(pathOf(exchange, redirect, rewrite), withheld)
      const location = `${originOf(exchange, redirect)}${target}`
      return answer(redirect.status, `Location: ${location}\r\n`, NO_BODY)
    },
  }
}

/** Empty where nobody said which host: HTTP/1.0 without Host. */
function originOf({ head, scheme: received }: Exchange, redirect: RedirectConfig): string {
  const portStart = portStartOf(head.host)
  const host = redirect.host ?? head.host.slice(0, portStart)
  if (host === '') return ''
  const scheme = redirect.scheme ?? received
  const receivedPort = redirect.scheme === null ? head.host.slice(portStart + 1) : ''
  const port = redirect.port === null ? receivedPort : String(redirect.port)
  return `${scheme}://${host}${port === '' || Number(port) === DEFAULT_PORTS[scheme] ? '' : `:${port}`}`
}

/** Where the colon before the port stands; the length where there is none. The colons of an IPv6 address are in brackets. */
function portStartOf(host: string): number {
  const at = host.lastIndexOf(':')
  return at < 0 || host.endsWith(']') ? host.length : at
}

function pathOf({ head }: Exchange, redirect: RedirectConfig, rewrite: PathRewrite | null): string {
  const queryStart = head.target.indexOf('?')
  const query = queryStart < 0 ? '' : head.target.slice(queryStart)
  if (redirect.path !== null) return `${redirect.path}${query}`
  const { path } = head
  const moved = rewrite === null ? path : rewritten(path, 0, path.length, path.length, rewrite)
  // Without a host before it, `//host` would be one (RFC 3986 section 4.2).
  return `${head.host === '' && redirect.host === null ? moved.replace(/^\/+/, '/') : moved}${query}`
}
