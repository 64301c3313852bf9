/** What the operator listener sends, as its openapi.json describes it. */

export interface Columns {
  second: number[]
  requests: number[]
  clientErrors: number[]
  serverErrors: number[]
  aborted: number[]
  p50: (number | null)[]
  p95: (number | null)[]
  p99: (number | null)[]
}

export interface Endpoint {
  readonly target: string
  readonly address: string
  readonly inFlight: number
  readonly breaker: 'closed' | 'open' | 'probing'
  readonly health: 'up' | 'down'
  readonly state: EndpointDuty
}

export type EndpointDuty = 'enabled' | 'draining' | 'disabled'

export interface Upstream {
  readonly name: string
  readonly openConnections: number
  /** Null: it takes whatever comes. */
  readonly admission: { readonly inUse: number; readonly limit: number; readonly waiting: number } | null
  readonly names: 'resolved' | 'resolving' | 'unknown'
  readonly endpoints: readonly Endpoint[]
}

export interface Tenant {
  readonly tenant: string | null
  readonly requests: number
  readonly share: number
  readonly refusals: number
  readonly latencyMs: number
  /** Exchanges that wait for a place. */
  readonly waiting: number
}

export interface Failure {
  readonly number: number
  readonly atMs: number
  readonly requestId: string
  /** Null: tracing is off. */
  readonly traceId: string | null
  readonly method: string
  readonly host: string
  readonly path: string
  readonly status: number
  readonly code: string | null
  readonly route: string | null
  readonly upstream: string | null
  readonly target: string | null
  readonly tenant: string | null
  readonly clientIp: string
  readonly durationMs: number
}

/** Counted since the start. */
export interface RouteTotals {
  readonly route: string
  readonly requests: number
  readonly clientErrors: number
  readonly serverErrors: number
  /** Those of which `ms` is the sum. */
  readonly timed: number
  readonly ms: number
}

export interface State {
  readonly status: 'starting' | 'ready' | 'draining'
  readonly threads: number
  readonly name: string
  readonly version: string
  readonly configVersion: number
  readonly logLevel: string
  readonly droppedLines: number
  readonly upstreams: readonly Upstream[]
  readonly moreUpstreams: number
  readonly tenants: readonly Tenant[]
  readonly routes: readonly RouteTotals[]
}

export interface Told {
  readonly figures: Columns
  readonly failures: readonly Failure[]
  readonly state: State
}

export interface Route {
  readonly name: string
  readonly host: string
  readonly path: string
  readonly methods: readonly string[]
  readonly conditions: readonly string[]
  readonly auth: string
  readonly ending: string
}

export interface Change {
  readonly path: string
  readonly words: string
  readonly needsRestart: boolean
}

export interface LastReload {
  readonly atMs: number
  readonly cause: 'file' | 'signal' | 'admin'
  readonly outcome: 'applied' | 'refused'
  readonly changes: readonly Change[]
  readonly problems: readonly string[]
}

export interface Problem {
  readonly title: string
  readonly detail?: string
  readonly problems?: readonly string[]
}

export interface Explanation {
  readonly request: { readonly method: string; readonly target: string; readonly host: string }
  readonly route: {
    readonly chosen: string | null
    readonly others: readonly { readonly name: string; readonly because: readonly string[] }[]
  }
  readonly policies: readonly { readonly policy: string; readonly verdict: string; readonly reason: string }[]
  readonly ending:
    | { readonly kind: 'forwarded' }
    | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly detail: string }
    | { readonly kind: 'answered'; readonly status: number }
  readonly upstream: {
    readonly name: string
    readonly balance: string
    readonly endpoints: readonly {
      readonly target: string
      readonly address: string | null
      readonly state: string
    }[]
    readonly requestLine: string
    readonly fields: readonly string[]
  } | null
}
