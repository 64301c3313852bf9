import { isIP } from 'node:net'
import { type Format, fit, misfit } from '../format.ts'

/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** What a received path may hold (RFC 3986 section 3.3, generously): visible ASCII without query and fragment. */
const SEGMENT = /^[\x21\x22\x24-\x29\x2b-\x2e\x30-\x3e\x40-\x5b\x5d-\x7e]*$/
const LABELS = /^[a-z\d_]([a-z\d_-]*[a-z\d_])?(\.[a-z\d_]([a-z\d_-]*[a-z\d_])?)*$/

/** Names of routes, upstreams, plans: they stand in logs, metrics and failures. */
export const itemName: Format<string> = {
  accepts: 'a name of letters, digits and - _ . / only, at most 128',
  parse: (text) =>
    /^[a-z\d][\w./-]{0,127}$/i.test(text) ? fit(text) : misfit('It begins with a letter or a digit.'),
}

export const fieldName: Format<string> = {
  accepts: 'a field name such as X-Beta',
  parse: (text) => (text.length <= 256 && TOKEN.test(text) ? fit(text) : misfit()),
}

/** RFC 9110 section 5.5, in ASCII. */
export const fieldValue: Format<string> = {
  accepts: 'a field value of visible ASCII characters, with single blanks inside',
  parse: (text) =>
    /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/.test(text)
      ? fit(text)
      : misfit('Line breaks and other characters would change the message around it.'),
}

const COMMON_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'QUERY']

export const method: Format<string> = {
  accepts: 'a method such as GET',
  parse: (text) => {
    if (!TOKEN.test(text) || text.length > 64) return misfit()
    if (text.toUpperCase() === 'CONNECT') return misfit('The gateway is no proxy for CONNECT.')
    const upper = text.toUpperCase()
    const slip = upper !== text && COMMON_METHODS.includes(upper)
    return slip ? misfit(`Letter case counts: write ${upper}.`) : fit(text)
  },
}

export const hostPattern: Format<string> = {
  accepts: 'a host such as api.example.com, or *.example.com for any name below it',
  parse: (text) => {
    const lower = text.toLowerCase()
    if (lower === '*') return misfit('Leave `hosts` out to take any host.')
    if (lower.startsWith('[')) {
      return lower.endsWith(']') && isIP(lower.slice(1, -1)) === 6 ? fit(lower) : misfit()
    }
    if (isIP(lower) === 6) return misfit('Write an IPv6 address in brackets.')
    if (lower.includes(':')) return misfit('Hosts are matched without their port.')
    if (lower.endsWith('.')) return misfit('Write it without the dot at its end.')
    const domain = lower.startsWith('*.') ? lower.slice(2) : lower
    if (domain.includes('*')) return misfit('`*.` stands at the beginning only, for whole labels.')
    return lower.length <= 253 && LABELS.test(domain) ? fit(lower) : misfit()
  },
}

/** One host, as a certificate or a redirect names it. */
export const hostName: Format<string> = {
  accepts: 'a host such as api.example.com',
  parse: (text) => (text.includes('*') ? misfit('It names one host.') : hostPattern.parse(text)),
}

export const pathPattern: Format<string> = {
  accepts: 'a path such as /api/v1/query/*, with :name for one segment and /* at its end',
  parse: (text) => {
    const fault = pathFault(text)
    if (fault !== null) return misfit(fault)
    const segments = text.slice(1).split('/')
    const names = segments.filter((segment) => segment.startsWith(':'))
    if (names.some((name) => !/^:[a-z_]\w*$/i.test(name))) {
      return misfit('A parameter is a colon and a name of letters, digits and _.')
    }
    if (new Set(names).size < names.length) return misfit('It names a parameter twice.')
    const star = segments.findIndex((segment) => segment.includes('*'))
    if (star >= 0 && (star < segments.length - 1 || segments[star] !== '*')) {
      return misfit('`*` is the whole last segment or nowhere.')
    }
    return fit(text)
  },
}

/** Literal segments: what `rewrite` strips and adds. */
export const literalPrefix: Format<string> = {
  accepts: 'a path such as /api/v1: it begins with a slash and ends without one',
  parse: (text) => {
    const fault = pathFault(text)
    if (fault !== null) return misfit(fault)
    if (text.includes('*')) return misfit('It is taken literally: `*` has no meaning here.')
    return text.endsWith('/') ? misfit('It ends in a slash.') : fit(text)
  },
}

/** A whole path, as a redirect names or a probe asks it. */
export const literalPath: Format<string> = {
  accepts: 'a path such as /health',
  parse: (text) => {
    const fault = pathFault(text)
    return fault === null ? fit(text) : misfit(fault)
  },
}

function pathFault(text: string): string | null {
  if (!text.startsWith('/')) return 'It does not begin with a slash.'
  if (/[?#]/.test(text)) return 'A query or fragment is not part of a path.'
  const segments = text.slice(1).split('/')
  if (segments.some((segment) => /^(\.|%2e){1,2}(;.*)?$/i.test(segment))) return 'It has a dot segment.'
  return segments.every((segment) => SEGMENT.test(segment.replaceAll('*', '')))
    ? null
    : 'Other characters than visible ASCII are written as %XX, as they are received; \\ is never received.'
}
