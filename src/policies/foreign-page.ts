import type { RequestHead } from '../proxy/exchange.ts'

/**
 * Whether a page had a browser send this that is neither of the origin asked for nor of one listed. The scheme is not
 * compared: behind somebody else's TLS the gateway does not know it.
 */
export function isForeignPage(head: RequestHead, origins: ReadonlySet<string>): boolean {
  const origin = head.get('origin')
  // Every WebSocket and every unsafe method of a page has one. Without it: a program, a link that was followed, or a
  // foreign page's image or script (Fetch Metadata, section 2).
  if (origin === null)
    return head.get('sec-fetch-site') === 'cross-site' && head.get('sec-fetch-mode') !== 'navigate'
  if (origins.has(origin)) return false
  const scheme = origin.indexOf('://')
  // `null`: of a page that has no origin, or hides it.
  return scheme < 0 || origin.slice(scheme + 3).toLowerCase() !== withoutDefaultPort(head.host.toLowerCase())
}

/** As origins are written: without a port that goes without saying. */
function withoutDefaultPort(host: string): string {
  if (host.endsWith(':443')) return host.slice(0, -4)
  return host.endsWith(':80') ? host.slice(0, -3) : host
}
