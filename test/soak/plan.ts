import { Draw } from './draw.ts'

export type RouteName = 'query' | 'ingest' | 'auth'
export type Framing = 'none' | 'sized' | 'chunked' | 'close'

export interface BodyPlan {
  readonly framing: Framing
  readonly bytes: number
  /** Chunked only: a trailer carries the nonce too. */
  readonly trailer: boolean
}

/**
 * What goes wrong at the origin. `resetBefore`, `resetHead`, `resetBody`: RST before, within, after the response head.
 * `cutBody`: FIN in the middle of a body whose end is known. `extra`, `double`: bytes, or a second response, right
 * behind the response. `lateExtra`: bytes behind it, milliseconds later. `closeAfter`: FIN without a warning, once
 * answered. `early`: answers before the request's body is in. `earlyClose`: that, and closes.
 */
export type UpstreamFault =
  | 'none'
  | 'resetBefore'
  | 'resetHead'
  | 'resetBody'
  | 'cutBody'
  | 'extra'
  | 'double'
  | 'lateExtra'
  | 'closeAfter'
  | 'early'
  | 'earlyClose'

/**
 * What the client does. `abortRequest`: leaves in the middle of its request. `abortSent`: leaves with the request sent
 * whole. `abortResponse`: leaves in the middle of the response. `halfClose`: ends its side once the request is whole,
 * which is not leaving.
 */
export type ClientFault = 'none' | 'abortRequest' | 'abortSent' | 'abortResponse' | 'halfClose'

/** One exchange, known to client and origin alike from its seed and number alone: same seed, same plan. */
export interface Plan {
  readonly number: number
  readonly nonce: string
  readonly route: RouteName
  /** Null on the public route. */
  readonly tenant: string | null
  /** Which of the tenant's tokens. */
  readonly token: number
  readonly method: string
  /** HTTP/1.x. */
  readonly minor: 0 | 1
  /** The client says what it will do with the connection: close, or HTTP/1.0's keep-alive. */
  readonly connection: 'close' | 'keep-alive' | null
  readonly expect: boolean
  /** Spoofed owned fields ride along. */
  readonly spoof: boolean
  readonly request: BodyPlan
  readonly status: number
  readonly response: BodyPlan
  /** 103 responses before the final one; none of them may reach an HTTP/1.0 client. */
  readonly interim: number
  readonly upstreamFault: UpstreamFault
  readonly clientFault: ClientFault
  /** Whether the client leaves by RST; otherwise by FIN. */
  readonly reset: boolean
  /** Where the fault strikes within its message, 0 … 1. */
  readonly where: number
  /** Milliseconds the origin thinks, and the client waits before it leaves. */
  readonly pauseMs: number
  /** At how many places the request's, and the response's, bytes are written apart. */
  readonly requestCuts: number
  readonly responseCuts: number
  /** How many exchanges the client sends at once, this one first. */
  readonly depth: number
  /** Seeds what is drawn while the plan is carried out: chunk sizes, cuts. */
  readonly detail: number
}

const TENANTS = 40
export const TOKENS_PER_TENANT = 5

const METHODS = [
  'GET',
  'GET',
  'GET',
  'GET',
  'POST',
  'POST',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
] as const
const STATUSES = [200, 200, 200, 200, 200, 200, 201, 204, 304, 400, 404, 500, 503] as const
const ROUTES = ['query', 'query', 'ingest', 'ingest', 'auth'] as const
const BODY_FAULTS = ['resetBody', 'cutBody'] as const
const HEAD_FAULTS = ['resetBefore', 'resetHead', 'closeAfter'] as const
const SURPLUS_FAULTS = ['extra', 'double', 'lateExtra'] as const
const EARLY_FAULTS = ['early', 'earlyClose'] as const
const CLIENT_FAULTS = ['abortRequest', 'abortSent', 'abortResponse', 'halfClose'] as const

const NO_BODY: BodyPlan = { framing: 'none', bytes: 0, trailer: false }

/** Surplus behind a response must reach the gateway in the read that holds its end: one segment on loopback. */
const MAX_SURPLUS_BODY = 8_000

export function tenantName(index: number): string {
  return `tenant-${index}`
}

export function tenantNames(): string[] {
  return Array.from({ length: TENANTS }, (_, index) => tenantName(index))
}

export function planOf(seed: number, number: number): Plan {
  const draw = new Draw(seed, number)
  const route = draw.oneOf(ROUTES)
  const method = draw.oneOf(METHODS)
  const minor = draw.chance(0.04) ? 0 : 1
  const request = requestBody(draw, method, minor)
  const status = draw.oneOf(STATUSES)
  const response = responseBody(draw, method, status)
  const upstreamFault = faultOfUpstream(draw, { request, response, method, route })
  const calm = upstreamFault === 'none'
  const expect = calm && minor === 1 && request.framing !== 'none' && draw.chance(0.04)
  const clientFault = calm && !expect && draw.chance(0.06) ? draw.oneOf(CLIENT_FAULTS) : 'none'
  return {
    number,
    nonce: `n${seed}-${number}-${draw.below(0x1_0000_0000).toString(36)}`,
    route,
    tenant: route === 'auth' ? null : tenantName(draw.below(TENANTS)),
    token: draw.below(TOKENS_PER_TENANT),
    method,
    minor,
    connection: connectionField(draw, minor),
    expect,
    spoof: draw.chance(0.25),
    request,
    status,
    response,
    interim: draw.chance(0.03) ? 1 + draw.below(3) : 0,
    upstreamFault,
    clientFault,
    reset: draw.chance(0.5),
    where: draw.next() / 2 ** 32,
    pauseMs: draw.chance(0.05) ? draw.below(12) : 0,
    requestCuts: cuts(draw),
    responseCuts: cuts(draw),
    depth: draw.chance(0.12) ? 2 + draw.below(4) : 1,
    detail: draw.next(),
  }
}

/** Whether the client opens another connection after this exchange, whatever the response says. */
export function endsConnection(plan: Plan): boolean {
  const { clientFault, upstreamFault } = plan
  const early = upstreamFault === 'early' || upstreamFault === 'earlyClose'
  return plan.connection === 'close' || plan.expect || clientFault !== 'none' || early
}

/** Whether the client waits for this exchange's response before it sends anything else on the connection. */
export function endsGroup(plan: Plan): boolean {
  return plan.minor === 0 || endsConnection(plan)
}

/** The target as the client sends it; the origin must receive it unchanged behind its base path. */
export function targetOf(plan: Plan): string {
  const prefix = plan.route === 'auth' ? '/api/auth' : `/api/v1/${plan.route}`
  return `${prefix}/soak/${plan.nonce}//a%2Fb?n=${plan.nonce}&q=%20+%7e&q=2`
}

function requestBody(draw: Draw, method: string, minor: 0 | 1): BodyPlan {
  const usual = method === 'POST' || method === 'PUT' || method === 'PATCH'
  if (!draw.chance(usual ? 0.97 : 0.03)) return NO_BODY
  const bytes = bodyBytes(draw)
  if (minor === 0 || draw.chance(0.6)) return { framing: 'sized', bytes, trailer: false }
  return { framing: 'chunked', bytes, trailer: draw.chance(0.15) }
}

function responseBody(draw: Draw, method: string, status: number): BodyPlan {
  const bytes = bodyBytes(draw)
  const kind = draw.next() / 2 ** 32
  if (status === 204 || status === 304) return NO_BODY
  // HEAD: the length a GET would have had, and no body.
  if (method === 'HEAD' || kind < 0.55) return { framing: 'sized', bytes, trailer: false }
  if (kind < 0.96) return { framing: 'chunked', bytes, trailer: draw.chance(0.15) }
  return { framing: 'close', bytes, trailer: false }
}

/**
 * Surplus only on the public route: the gateway stops re-using the connections of an upstream that sends any, and the
 * others' connections are to be re-used all the time.
 */
function faultOfUpstream(
  draw: Draw,
  { request, response, method, route }: Pick<Plan, 'request' | 'response' | 'method' | 'route'>,
): UpstreamFault {
  if (!draw.chance(0.07)) return 'none'
  const options: UpstreamFault[] = [...HEAD_FAULTS]
  const hasBody = response.framing !== 'none' && method !== 'HEAD'
  if (hasBody && response.bytes > 0) options.push('resetBody')
  if (hasBody && response.framing !== 'close' && response.bytes > 0) options.push(...BODY_FAULTS)
  const canSpoil = route === 'auth' && response.framing !== 'close' && response.bytes <= MAX_SURPLUS_BODY
  if (canSpoil) options.push(...SURPLUS_FAULTS)
  if (request.bytes > 0) options.push(...EARLY_FAULTS)
  return draw.oneOf(options)
}

function bodyBytes(draw: Draw): number {
  const size = draw.next() / 2 ** 32
  if (size < 0.04) return 0
  if (size < 0.9) return draw.below(1_500)
  if (size < 0.985) return draw.below(20_000)
  if (size < 0.9996) return draw.below(250_000)
  return draw.below(4_000_000)
}

function connectionField(draw: Draw, minor: 0 | 1): 'close' | 'keep-alive' | null {
  if (minor === 0) return draw.chance(0.5) ? 'keep-alive' : null
  return draw.chance(0.02) ? 'close' : null
}

function cuts(draw: Draw): number {
  if (!draw.chance(0.2)) return 0
  return draw.chance(0.05) ? 40 : 1 + draw.below(4)
}
