import type { Upstream } from '../upstreams/upstream.ts'
import type { RequestPlan, ResponsePlan } from './head-plan.ts'
import type { Policy } from './policy.ts'
import type { UpstreamFailures } from './upstream-failure.ts'

/** One upstream that a route's exchanges may go to. */
export interface RouteChoice {
  readonly upstream: Upstream
  readonly plan: RequestPlan
  readonly failures: UpstreamFailures
  /** Its share among the route's choices; 0 gets nothing. */
  readonly weight: number
}

/** Where a route's exchanges go, and within what limits. */
export interface RouteTarget {
  /** At least one, drawn by weight for each exchange. */
  readonly choices: readonly RouteChoice[]
  readonly limits: {
    /** Milliseconds, the route's own, Infinity for none; null: the upstream's holds. */
    readonly headMs: number | null
    readonly idleMs: number | null
    readonly totalMs: number | null
    /** Body bytes; Infinity where there is no limit. */
    readonly maxBodyBytes: number
  }
}

/** A compiled rule. Lives as long as its Snapshot; keeps nothing per request. */
export interface Route {
  /** As configured; null for what no configured route stands behind (own endpoints, refusals). */
  readonly name: string | null
  /** Asked in this order. */
  readonly policies: readonly Policy[]
  /** Lower-case names that some policy of the snapshot owns. */
  readonly owned: ReadonlySet<string>
  readonly response: ResponsePlan
  /** Null: the last policy answers or refuses. */
  readonly target: RouteTarget | null
  /** The part of the access line that is the same for every exchange. */
  readonly logText: string
  /**
   * The same of spans (observe/tracing/exchange-spans.ts): behind the method in their name, and attributes. Empty where
   * tracing is off.
   */
  readonly spanName: string
  readonly spanText: string
  /** Where its exchanges are counted: see metrics/layout.ts. */
  readonly series: number
}
