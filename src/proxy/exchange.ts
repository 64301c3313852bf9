import type { ClaimValue } from '../lib/claim.ts'
import type { SpanRecorder } from '../observe/tracing/span-recorder.ts'
import type { Route, RouteChoice } from './route.ts'

/** What policies see of a request's head; `http1/head.ts` is one, HTTP/2 will bring another. */
export interface RequestHead {
  readonly method: string
  /** As received. */
  readonly target: string
  /** As received, without the query; nothing decoded. */
  readonly path: string
  readonly host: string
  /** HTTP/1.x: 0 or 1. */
  readonly minor: number
  /** The first value of a field, by lower-case name. */
  get(lowerCaseName: string): string | null
  /** The index of the first field of that name from `from` on, or -1. */
  find(lowerCaseName: string, from: number): number
  value(index: number): string
}

/** Who calls: what a verified credential yields, whatever its form. */
export interface Identity {
  readonly subject: string
  /** As it is stated to upstreams: visible ASCII. */
  readonly tenant: string
  /** Seconds since the epoch; the credential is not valid from then on. Infinity: it has no end. */
  readonly expiresAtS: number
  /** The plan the credential names, which need not exist; null: none. */
  readonly plan: string | null
  readonly scopes: ReadonlySet<string>
  /** Only of the claims that some route asks about. */
  readonly claims: ReadonlyMap<string, readonly ClaimValue[]>
  /** Configured name of who issued the credential. */
  readonly issuer: string
  /** The credential's own name, by which it can be revoked; null: it has none. */
  readonly jti: string | null
}

/** One request and its one response. Every field exists from birth; the comment beside it names its one writer. */
export class Exchange {
  readonly head: RequestHead // pipeline
  readonly route: Route // pipeline
  /** Of the peer, or of the client behind trusted proxies. */
  readonly clientIp: string // pipeline
  readonly requestId: string // pipeline
  /** How the client came: http, or what a trusted proxy says. */
  readonly scheme: string // pipeline
  /** performance.now() when the head was complete. */
  readonly startMs: number // pipeline
  identity: Identity | null = null // policies/identity, policies/jwt
  /** Field lines towards the upstream. */
  asserted = '' // assert
  /** Field lines towards the client. */
  answered = '' // answer
  /** Of the response the client was sent; 0 while there is none. */
  status = 0 // forward, refuse
  /** The request came from a page: the gateway alone says who may read the response. */
  crossOrigin = false // policies/cors
  /** The failure's code where the gateway answered with one. */
  code: string | null = null // refuse
  /** Which of the route's upstreams it goes to; null: not drawn yet. */
  choice: RouteChoice | null = null // route-choice
  /** The name of the upstream that was drawn, where the route has several. */
  upstream: string | null = null // route-choice
  /** host:port of the endpoint that was last tried. */
  endpoint: string | null = null // forward
  bytesIn = 0 // relay: body bytes from the client
  bytesOut = 0 // relay: body bytes to the client
  /** The upstream it was let into, by its slot; -1: none, or no longer. */
  entered = -1 // policies/admission
  /** When it was let in, ms on the exchange's clock. */
  enteredMs = 0 // policies/admission
  /** When the request was first handed to an upstream, ms on the exchange's clock; 0: not yet. */
  forwardedMs = 0 // forward
  /** How often it was handed to one. */
  attempts = 0 // forward
  /** When the response head came, ms on the exchange's clock; 0: not yet. */
  respondedMs = 0 // forward
  /** When it was over, ms on the exchange's clock; 0: not yet. */
  endedMs = 0 // pipeline
  aborted = false // forward: the client left before the end
  /** How many of the route's policies admitted; they are settled in reverse. */
  admitted = 0 // pipeline
  over = false // pipeline
  /** The place it takes among its tenant's exchanges under way; negative: none. */
  place = -1 // policies/limit
  /** `watched`: its response has begun and may become a stream; `counted`: it is one. */
  stream: 'none' | 'watched' | 'counted' = 'none' // worker/stream-watch
  /** The places it takes among its upstream's streams, and among its tenant's there; negative: none. */
  streamPlace = -1 // worker/stream-watch
  tenantStreamPlace = -1 // worker/stream-watch
  /** Kinds of shadowed policies that would have refused it: JSON strings, joined by commas. */
  shadowed = '' // policies/shadow
  /** The trace it is part of; null where none are made. */
  traceId: string | null = null // observe/tracing
  /** Field lines that tell the upstream of that trace; empty where none are made, and until a kept one is tried. */
  traceLines = '' // observe/tracing, forward
  /** What it waits for; null unless its trace is kept. */
  spans: SpanRecorder | null = null // observe/tracing
  /** The copy that the last shadowed policy decided about; it holds the one before. */
  shade: Exchange | null = null // policies/shadow

  constructor(
    head: RequestHead,
    route: Route,
    clientIp: string,
    scheme: string,
    requestId: string,
    startMs: number,
  ) {
    this.head = head
    this.route = route
    this.clientIp = clientIp
    this.scheme = scheme
    this.requestId = requestId
    this.startMs = startMs
  }

  /**
   * States a field to the upstream. `name` must be owned by a policy of the snapshot, so that the client's copies
   * were stripped; `value` must be a field value (visible ASCII, inner single spaces). Anything else is a defect and throws.
   */
  assert(name: string, value: string): void {
    const { owned } = this.route
    if (!owned.has(name) && !owned.has(name.toLowerCase()))
      throw new Error(`no policy owns the field ${name}`)
    this.asserted += `${name}: ${value}\r\n`
  }

  /** States a field to the client, on success and on failure; the upstream's own field of that name is dropped if the route owns it. */
  answer(name: string, value: string): void {
    this.answered += `${name}: ${value}\r\n`
  }
}
