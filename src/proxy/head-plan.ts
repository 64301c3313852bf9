import type { FieldChanges, RewriteConfig } from '../config/config.ts'
import { TOKEN } from '../http1/byte-class.ts'
import { FIELD_STRIDE, type Head } from '../http1/head.ts'
import type { CredentialSource } from '../identity/credential-source.ts'
import { foldName } from '../lib/fold-name.ts'
import {
  CORS_FIELDS,
  GATEWAY_REQUEST_FIELDS,
  GATEWAY_RESPONSE_FIELDS,
  HOP_BY_HOP,
  NEVER_NOMINATED,
  PEER_FIELDS,
} from '../lib/gateway-field.ts'
import { compileRewrite, type PathRewrite } from './path-rewrite.ts'
import { StripSet } from './strip-set.ts'

const SPACE = 32

/** What never passes in a request, compiled once for every route that takes no more away. */
export interface RequestStrips {
  readonly strip: StripSet
  readonly stripUntrusted: StripSet
  readonly stripTrailers: StripSet
  /** Names a Connection field cannot nominate: lower case. */
  readonly unnominated: ReadonlySet<string>
}

/** How a route's request heads are re-made: what is stripped, compiled once; what is stated is appended last. */
export interface RequestPlan extends RequestStrips {
  /** Put before the path; empty or `/base`. */
  readonly basePath: string
  readonly rewrite: PathRewrite | null
  /** What Host says: the endpoint's authority, or what the client sent where it sent one. */
  readonly hostHeader: 'upstream' | 'keep'
  /** Places within fields and targets that the route takes credentials from: what stands there goes no further. */
  readonly credentials: readonly CredentialSource[]
  /** Complete field lines the route states beside the client's own. */
  readonly lines: string
}

const FRAMING = ['content-length']

/** `dropped`: what a route takes away beyond what no request keeps. */
export function compileRequestStrips(
  owned: ReadonlySet<string>,
  dropped: readonly string[] = [],
): RequestStrips {
  const always = [...HOP_BY_HOP, 'host', ...GATEWAY_REQUEST_FIELDS, ...owned, ...dropped]
  return {
    strip: new StripSet(always, FRAMING),
    stripUntrusted: new StripSet([...always, ...PEER_FIELDS], FRAMING),
    stripTrailers: new StripSet([...always, ...PEER_FIELDS, ...FRAMING, 'authorization', 'cookie', 'via']),
    unnominated: new Set([...owned, ...GATEWAY_REQUEST_FIELDS, ...PEER_FIELDS, ...NEVER_NOMINATED]),
  }
}

/** Whether a route's own changes may not touch a request's field: it is the gateway's, or how messages are framed. */
function isReserved(name: string, owned: ReadonlySet<string>): boolean {
  const folded = foldName(name)
  const reserved: readonly string[] = [
    ...HOP_BY_HOP,
    'host',
    ...GATEWAY_REQUEST_FIELDS,
    ...PEER_FIELDS,
    ...FRAMING,
  ]
  return reserved.includes(folded) || [...owned].some((own) => foldName(own) === folded)
}

export interface RequestPlanParts {
  readonly basePath: string
  readonly rewrite: RewriteConfig | null
  readonly hostHeader: 'upstream' | 'keep'
  readonly changes: FieldChanges
  /** Where the route takes credentials from. Default: header fields. */
  readonly credentials?: readonly CredentialSource[]
  readonly owned: ReadonlySet<string>
  /** Of a route that takes nothing away. */
  readonly strips: RequestStrips
}

export function compileRequestPlan(parts: RequestPlanParts): RequestPlan {
  const { basePath, hostHeader, owned } = parts
  const credentials = (parts.credentials ?? []).filter(({ kind }) => kind !== 'header')
  const changes = compileChanges(parts.changes, (name) => isReserved(name, owned))
  const strips = changes.dropped.length === 0 ? parts.strips : compileRequestStrips(owned, changes.dropped)
  const rewrite = compileRewrite(parts.rewrite)
  return { ...strips, basePath, hostHeader, credentials, rewrite, lines: changes.lines }
}

/** Interim responses and the 101 that starts a tunnel have no length; a response to a page has the gateway's word on who may read it. */
interface ResponseStrips {
  readonly toProgram: StripSet
  readonly toPage: StripSet
  readonly bodilessToProgram: StripSet
  readonly bodilessToPage: StripSet
  readonly trailers: StripSet
}

/** What becomes of a response's fields on a route. */
export interface ResponsePlan extends ResponseStrips {
  /** Complete field lines the route states on what an upstream answers. */
  readonly lines: string
  /** The same on what the gateway answers itself, without those that speak of a body it did not make. */
  readonly ownLines: string
}

const RESPONSE_FIELDS = [...HOP_BY_HOP, ...GATEWAY_RESPONSE_FIELDS]

/** What a response of the gateway's own says of itself. */
const SELF_STATED = [
  ...['allow', 'etag', 'last-modified', 'location', 'retry-after', 'www-authenticate'],
  ...['content-encoding', 'content-language', 'content-location', 'content-range', 'content-type'],
]

function compileResponseStrips(dropped: readonly string[]): ResponseStrips {
  const always = [...RESPONSE_FIELDS, ...dropped]
  return {
    toProgram: new StripSet(always, FRAMING),
    toPage: new StripSet([...always, ...CORS_FIELDS], FRAMING),
    bodilessToProgram: new StripSet([...always, ...FRAMING]),
    bodilessToPage: new StripSet([...always, ...CORS_FIELDS, ...FRAMING]),
    trailers: new StripSet([...always, ...CORS_FIELDS, ...FRAMING, 'set-cookie']),
  }
}

/** Of every route that changes nothing. */
export const UNCHANGED_RESPONSE: ResponsePlan = { ...compileResponseStrips([]), lines: '', ownLines: '' }

/** `stated`: names, in lower case, that the route's policies state to the client, so that the upstream may not. */
export function compileResponsePlan(changes: FieldChanges, stated: readonly string[] = []): ResponsePlan {
  const reserved: readonly string[] = [...RESPONSE_FIELDS, ...CORS_FIELDS, ...FRAMING, ...stated, 'date']
  const isReserved = (name: string): boolean => reserved.includes(foldName(name))
  const changed = compileChanges(changes, isReserved)
  const { lines } = changed
  const dropped = [...changed.dropped, ...stated]
  if (dropped.length === 0 && lines === '') return UNCHANGED_RESPONSE
  const isForeign = (name: string): boolean => isReserved(name) || SELF_STATED.includes(foldName(name))
  return { ...compileResponseStrips(dropped), lines, ownLines: compileChanges(changes, isForeign).lines }
}

/** The names that do not pass, and the lines that are stated in their stead or beside them; those reserved are left alone. */
function compileChanges(
  { set, add, remove }: FieldChanges,
  isReserved: (name: string) => boolean,
): { readonly dropped: readonly string[]; readonly lines: string } {
  const stated = [...set, ...add].filter(({ name }) => !isReserved(name))
  const dropped = [...set.map(({ name }) => name), ...remove].filter((name) => !isReserved(name))
  return { dropped, lines: stated.map(({ name, value }) => `${name}: ${value}\r\n`).join('') }
}

/** What of a response head does not pass. A 204 has no Content-Length (RFC 9110 section 8.6), even where one slipped in. */
export function responseStrip(plan: ResponsePlan, status: number, reader: 'page' | 'program'): StripSet {
  if (reader === 'page') return status === 204 ? plan.bodilessToPage : plan.toPage
  return status === 204 ? plan.bodilessToProgram : plan.toProgram
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
