import type { Exchange } from '../proxy/exchange.ts'
import { LATENCY_STEPS, latencyStep } from './latency-scale.ts'

/** A finished exchange that failed, as far as an operator is shown it: no query, no credential. */
export interface FailureRecord {
  /** Wall clock at its end. */
  readonly atMs: number
  readonly requestId: string
  /** Null: tracing is off. */
  readonly traceId: string | null
  readonly method: string
  readonly host: string
  /** Without the query; cut to 512 characters. */
  readonly path: string
  readonly status: number
  /** Null: the upstream itself answered so. */
  readonly code: string | null
  readonly route: string | null
  readonly upstream: string | null
  readonly target: string | null
  readonly tenant: string | null
  readonly clientIp: string
  readonly durationMs: number
}

/** What one tenant had of a second. */
export interface TenantTally {
  requests: number
  /** Of those, how many the gateway refused. */
  refusals: number
  /** Sum over all of them. */
  durationMs: number
}

/** A second of one data thread. */
export interface ThreadSecond {
  /** Since the epoch: the second that is over. */
  readonly second: number
  readonly requests: number
  /** Answered with 4xx. */
  readonly clientErrors: number
  /** Answered with 5xx. */
  readonly serverErrors: number
  /** The client left before the end. */
  readonly aborted: number
  /** Exchanges by step of observe/latency-scale.ts. */
  readonly latency: Uint32Array
  readonly failures: readonly FailureRecord[]
  readonly tenants: ReadonlyMap<string, TenantTally>
}

/**
 * Of a second of one thread, as many of those with 5xx and of the others; more of them are counted and not kept. Apart,
 * so that a flood of refusals hides no failure.
 */
const MAX_FAILURES = 16
const SERVER_ERROR = 500
/** Distinct tenants of a second of one thread; those that come later count as `UNNAMED_TENANTS`. */
const MAX_TENANTS = 256
const MAX_PATH = 512

/** No tenant has this name: theirs are not empty. */
export const UNNAMED_TENANTS = ''

/** Counts finished exchanges until `take`. Adding allocates nothing for an exchange that succeeds. */
export class SecondTally {
  #requests = 0
  #clientErrors = 0
  #serverErrors = 0
  #aborted = 0
  readonly #latency = new Uint32Array(LATENCY_STEPS)
  readonly #isRefusal: (code: string) => boolean
  #failures: FailureRecord[] = []
  /** Of those, how many have 5xx. */
  #serverFailures = 0
  #tenants = new Map<string, TenantTally>()

  /** `isRefusal`: whether the gateway refused, of a failure's code. */
  constructor(isRefusal: (code: string) => boolean) {
    this.#isRefusal = isRefusal
  }

  add(exchange: Exchange, durationMs: number, wallMs: () => number): void {
    const { status, identity } = exchange
    this.#requests++
    if (exchange.aborted) this.#aborted++
    if (status >= SERVER_ERROR) this.#serverErrors++
    else if (status >= 400) this.#clientErrors++
    const step = latencyStep(durationMs)
    this.#latency[step] = (this.#latency[step] ?? 0) + 1
    if (identity !== null) this.#addTenant(identity.tenant, exchange.code, durationMs)
    if (exchange.code !== null || status >= SERVER_ERROR) this.#addFailure(exchange, durationMs, wallMs)
  }

  /** What was counted since the last time. */
  take(second: number): ThreadSecond {
    const taken = {
      second,
      requests: this.#requests,
      clientErrors: this.#clientErrors,
      serverErrors: this.#serverErrors,
      aborted: this.#aborted,
      latency: this.#latency.slice(),
      failures: this.#failures,
      tenants: this.#tenants,
    }
    this.#requests = 0
    this.#clientErrors = 0
    this.#serverErrors = 0
    this.#aborted = 0
    this.#latency.fill(0)
    this.#failures = []
    this.#serverFailures = 0
    this.#tenants = new Map()
    return taken
  }

  #addFailure(exchange: Exchange, durationMs: number, wallMs: () => number): void {
    const isServers = exchange.status >= SERVER_ERROR
    const kept = isServers ? this.#serverFailures : this.#failures.length - this.#serverFailures
    if (kept >= MAX_FAILURES) return
    if (isServers) this.#serverFailures++
    this.#failures.push(failureRecord(exchange, durationMs, wallMs()))
  }

  #addTenant(tenant: string, code: string | null, durationMs: number): void {
    const tally = this.#tenants.get(tenant) ?? this.#begin(tenant)
    tally.requests++
    tally.durationMs += durationMs
    if (code !== null && this.#isRefusal(code)) tally.refusals++
  }

  #begin(tenant: string): TenantTally {
    const name = this.#tenants.size < MAX_TENANTS ? tenant : UNNAMED_TENANTS
    const known = this.#tenants.get(name)
    if (known !== undefined) return known
    const tally = { requests: 0, refusals: 0, durationMs: 0 }
    this.#tenants.set(name, tally)
    return tally
  }
}

function failureRecord(exchange: Exchange, durationMs: number, atMs: number): FailureRecord {
  const { head, route, identity } = exchange
  return {
    atMs,
    requestId: exchange.requestId,
    traceId: exchange.traceId,
    method: head.method,
    host: head.host,
    path: head.path.slice(0, MAX_PATH),
    status: exchange.status,
    code: exchange.code,
    route: route.name,
    upstream: exchange.upstream,
    target: exchange.endpoint,
    tenant: identity === null ? null : identity.tenant,
    clientIp: exchange.clientIp,
    durationMs,
  }
}
