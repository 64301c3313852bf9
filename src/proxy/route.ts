import type { Upstream } from '../upstreams/upstream.ts'
import type { RequestPlan } from './head-plan.ts'
import type { Policy } from './policy.ts'
import type { UpstreamFailures } from './upstream-failure.ts'

/** Where a route's exchanges go, and how. */
export interface RouteTarget {
  readonly upstream: Upstream
  readonly plan: RequestPlan
  readonly failures: UpstreamFailures
}

/** A compiled rule. Lives as long as its Snapshot; keeps nothing per request. */
export interface Route {
  /** As configured; null for what no configured route stands behind (own endpoints, refusals). */
  readonly name: string | null
  /** Asked in this order. */
  readonly policies: readonly Policy[]
  /** Lower-case names that some policy of the snapshot owns. */
  readonly owned: ReadonlySet<string>
  /** Null: the last policy answers or refuses. */
  readonly target: RouteTarget | null
  /** The part of the access line that is the same for every exchange. */
  readonly logText: string
}
