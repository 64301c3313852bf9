import { type Format, fit, misfit, type Parsed } from './format.ts'

/** Where an upstream is: origin and base path, without a trailing slash. */
export const upstreamUrl: Format<string> = {
  accepts: 'an http:// or https:// URL, with a base path if wanted, such as http://ingest:8000/base',
  parse: (text) => {
    if (!/^https?:\/\//i.test(text)) return misfit('It begins with neither http:// nor https://.')
    if (/[?#]/.test(text)) return misfit('A query or fragment is not taken.')
    if (/[\s\\]/.test(text)) return misfit('White space and backslashes are not taken.')
    const [, authority = '', path = ''] = /^https?:\/\/([^/]*)(.*)$/i.exec(text) ?? []
    if (authority.includes('@')) return misfit('A user name or password is not taken.')
    const url = URL.parse(text)
    if (url === null || authority === '') return misfit('Its host or port is not valid.')
    if (!/^([\w.-]+|\[.+\])$/.test(url.hostname)) return misfit('Its host is not a name or an address.')
    if (url.port === '0') return misfit('Port 0 cannot be connected to.')
    // The base path is sent as written; whatever URL would rewrite (dot segments, raw non-ASCII) is refused instead.
    if (url.pathname !== (path || '/')) return misfit('Its base path would have to be rewritten to be sent.')
    return fit(url.origin + path.replace(/\/+$/, ''))
  },
}

/** `*`, `none`, or exact origins in the form a browser sends them. */
export const corsOrigins: Format<'*' | readonly string[]> = {
  accepts: '`*`, `none`, or origins such as https://app.example.com, separated by commas',
  parse: (text) => {
    if (text === '*') return fit('*')
    if (text === 'none') return fit([])
    const origins = new Set<string>()
    for (const [index, entry] of text.split(',').entries()) {
      const origin = parseOrigin(entry.trim())
      if (!origin.fits) return misfit(`Entry ${index + 1}: ${origin.fault}`)
      origins.add(origin.value)
    }
    return fit([...origins])
  },
}

/** One origin, as a browser sends it. */
export function parseOrigin(text: string): Parsed<string> {
  if (text === '') return misfit('there is nothing between the commas.')
  if (text === '*') return misfit('`*` stands alone or not at all.')
  if (text === 'none') return misfit('`none` stands alone or not at all.')
  // Sandboxed frames and file: pages of anyone send it.
  if (text === 'null') return misfit('the origin `null` belongs to everybody.')
  if (text.includes('*')) return misfit('patterns are not taken; list each origin.')
  const [, scheme, authority = '', rest = ''] = /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)(.*)$/i.exec(text) ?? []
  if (scheme === undefined) return misfit('an origin is scheme://host[:port].')
  if (rest === '/') return misfit('write it without the trailing slash.')
  if (rest !== '' || authority.includes('@')) return misfit('an origin has no path, query, fragment or user.')
  const url = URL.parse(text)
  if (url === null || url.host === '' || url.port === '0') return misfit('its host or port is not valid.')
  // As browsers serialize it: lower case, punycode, no default port. Schemes unknown to URL have no origin there.
  return fit(url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin)
}

/** The prefix of proxied routes: literal segments, matched as received. */
export const pathPrefix: Format<string> = {
  accepts: 'a path such as /api/v1: it begins with a slash and ends without one',
  parse: (text) => {
    if (!text.startsWith('/')) return misfit('It does not begin with a slash.')
    if (text.endsWith('/')) return misfit('It ends in a slash.')
    const segments = text.slice(1).split('/')
    if (segments.some((segment) => segment === '.' || segment === '..'))
      return misfit('It has a dot segment.')
    return segments.every((segment) => /^[\w.~-]+$/.test(segment))
      ? fit(text)
      : misfit('Each segment is made of letters, digits and - _ . ~ only.')
  },
}
