import { TOKEN } from '../http1/byte-class.ts'
import { foldName } from '../http1/field-name.ts'
import { FIELD_STRIDE, type Head } from '../http1/head.ts'
import { StripSet } from './strip-set.ts'

const SPACE = 32

/** Meant for one connection only (RFC 9110 section 7.6.1): never passed on, made anew where needed. */
export const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const

/** Request fields the gateway itself states or takes away, whatever the policies. */
export const GATEWAY_REQUEST_FIELDS = [
  'x-request-id',
  'x-process-time',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
] as const

/** Believed from a trusted peer only. */
export const PEER_FIELDS = ['x-forwarded-port', 'x-real-ip', 'forwarded'] as const

const GATEWAY_RESPONSE_FIELDS = ['x-request-id', 'x-process-time'] as const

export const CORS_FIELDS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
  'access-control-allow-private-network',
] as const

/** A nomination of these in Connection is ignored: taking them away would change what the request means. */
export const NEVER_NOMINATED = ['authorization', 'host', 'cache-control', 'cookie', 'expect', 'via'] as const

/** How a route's request heads are re-made: what is stripped, compiled once; what is stated is appended last. */
export interface RequestPlan {
  /** `host:port` of the upstream, for Host. */
  readonly authority: string
  /** Put before the received path; empty or `/base`. */
  readonly basePath: string
  readonly strip: StripSet
  readonly stripUntrusted: StripSet
  readonly stripTrailers: StripSet
  /** Names a Connection field cannot nominate: lower case. */
  readonly unnominated: ReadonlySet<string>
}

export function compileRequestPlan(
  authority: string,
  basePath: string,
  owned: ReadonlySet<string>,
): RequestPlan {
  const always = [...HOP_BY_HOP, 'host', ...GATEWAY_REQUEST_FIELDS, ...owned]
  const framing = ['content-length']
  return {
    authority,
    basePath,
    strip: new StripSet(always, framing),
    stripUntrusted: new StripSet([...always, ...PEER_FIELDS], framing),
    stripTrailers: new StripSet([...always, ...PEER_FIELDS, ...framing, 'authorization', 'cookie', 'via']),
    unnominated: new Set([...owned, ...GATEWAY_REQUEST_FIELDS, ...PEER_FIELDS, ...NEVER_NOMINATED]),
  }
}

const RESPONSE_FIELDS = [...HOP_BY_HOP, ...GATEWAY_RESPONSE_FIELDS]
const FRAMING = ['content-length']

const TO_PROGRAM = new StripSet(RESPONSE_FIELDS, FRAMING)
const TO_PAGE = new StripSet([...RESPONSE_FIELDS, ...CORS_FIELDS], FRAMING)
const BODILESS_TO_PROGRAM = new StripSet([...RESPONSE_FIELDS, ...FRAMING])
const BODILESS_TO_PAGE = new StripSet([...RESPONSE_FIELDS, ...CORS_FIELDS, ...FRAMING])

/** Interim responses and the 101 that starts a tunnel. */
export const INTERIM_STRIP = BODILESS_TO_PAGE

export const RESPONSE_TRAILER_STRIP = new StripSet([
  ...RESPONSE_FIELDS,
  ...CORS_FIELDS,
  ...FRAMING,
  'set-cookie',
])

/**
 * What of a response head does not pass; the same for every route. To a page, the upstream's own CORS fields give way
 * to the gateway's. A 204 has no Content-Length (RFC 9110 section 8.6), even where one slipped in.
 */
export function responseStrip(status: number, reader: 'page' | 'program'): StripSet {
  if (reader === 'page') return status === 204 ? BODILESS_TO_PAGE : TO_PAGE
  return status === 204 ? BODILESS_TO_PROGRAM : TO_PROGRAM
}

/**
 * The field lines of `head` that pass, in their order, with their names and values as received and exactly `: `
 * between. Neighbouring lines that already look like that are taken over in one slice.
 */
export function keptFields(head: Head, strip: StripSet, nominated: ReadonlySet<string> | null): string {
  const { text, fields, count } = head
  let kept = ''
  let runStart = -1
  let runEnd = -1
  for (let index = 0; index < count; index++) {
    const at = index * FIELD_STRIDE
    const nameStart = fields[at] as number
    if (strip.drops(head, index) || nominated?.has(head.name(index).toLowerCase())) {
      if (runStart >= 0) kept += text.slice(runStart, runEnd)
      runStart = -1
      continue
    }
    const nameEnd = fields[at + 1] as number
    const valueStart = fields[at + 2] as number
    const valueEnd = fields[at + 3] as number
    const lineEnd = index + 1 < count ? (fields[at + FIELD_STRIDE] as number) : text.length
    if (head.paddedLength && head.name(index).toLowerCase() === 'content-length') {
      if (runStart >= 0) kept += text.slice(runStart, runEnd)
      runStart = -1
      kept += `${head.name(index)}: ${head.contentLength}\r\n`
      continue
    }
    if (valueStart === nameEnd + 2 && lineEnd === valueEnd + 2 && text.charCodeAt(nameEnd + 1) === SPACE) {
      if (runStart < 0) runStart = nameStart
      runEnd = lineEnd
      continue
    }
    if (runStart >= 0) kept += text.slice(runStart, runEnd)
    runStart = -1
    kept += `${text.slice(nameStart, nameEnd)}: ${text.slice(valueStart, valueEnd)}\r\n`
  }
  return runStart >= 0 ? kept + text.slice(runStart, runEnd) : kept
}

/** What an upstream's Connection cannot take from a response. */
export const RESPONSE_UNNOMINATED: ReadonlySet<string> = new Set([
  ...GATEWAY_RESPONSE_FIELDS,
  ...['cache-control', 'date', 'location', 'set-cookie', 'vary', 'www-authenticate'],
])

/** Lower-case names that Connection nominates and that may be taken away (RFC 9110 section 7.6.1); null if there are none. */
export function nominatedFields(head: Head, unnominated: ReadonlySet<string>): ReadonlySet<string> | null {
  if (!head.nominates) return null
  const nominated = new Set<string>()
  for (let index = head.find('connection', 0); index >= 0; index = head.find('connection', index + 1)) {
    for (const member of head.value(index).split(',')) {
      const name = member.trim().toLowerCase()
      const folded = foldName(name)
      if (name !== '' && !folded.startsWith('content-') && !unnominated.has(folded)) nominated.add(name)
    }
  }
  return nominated.size === 0 ? null : nominated
}

/** The Trailer field re-made (RFC 9110 section 6.6.2): the announced names that will pass; empty if none. */
export function keptTrailerNames(head: Head, owned: ReadonlySet<string>): string {
  let names = ''
  for (let index = head.find('trailer', 0); index >= 0; index = head.find('trailer', index + 1)) {
    for (const member of head.value(index).split(',')) {
      const name = member.trim()
      const folded = foldName(name)
      if (!isToken(name) || owned.has(folded) || (HOP_BY_HOP as readonly string[]).includes(folded)) continue
      names += names === '' ? name : `, ${name}`
    }
  }
  return names === '' ? '' : `Trailer: ${names}\r\n`
}

function isToken(name: string): boolean {
  for (let index = 0; index < name.length; index++) {
    if (TOKEN[name.charCodeAt(index)] !== 1) return false
  }
  return name !== ''
}
