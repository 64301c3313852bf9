import type { Gate } from '../../admission/gate.ts'
import type { RouteConfig } from '../../config/config.ts'
import type { Limiter } from '../../limits/limiter.ts'
import type { PlaceCount } from '../../limits/place-count.ts'
import { type AdmittingUpstream, admissionPolicy } from '../../policies/admission.ts'
import { drawPolicy } from '../../policies/draw.ts'
import { limitPolicy } from '../../policies/limit.ts'
import type { Plans } from '../../policies/plan.ts'
import { type ShadowReport, shadowPolicy } from '../../policies/shadow.ts'
import type { Exchange } from '../../proxy/exchange.ts'
import type { Policy } from '../../proxy/policy.ts'
import type { UpstreamLookup } from '../../upstreams/upstream-set.ts'

/** What policies of limits and admission are made of. */
export interface TrafficParts {
  readonly limiter: Limiter
  /** Of what plans call concurrency. */
  readonly places: PlaceCount
  /** Null where tenants have none. */
  readonly plans: Plans | null
  readonly gate: Gate
  /** Monotonic milliseconds, on the clock of exchanges. */
  readonly nowMs: () => number
  readonly shadowReport: ShadowReport
}

/** What an upstream takes at once, for those where that is limited. */
export type AdmissionLookup = (upstream: string) => { readonly timeoutMs: number } | null

/** Makes the policies of a config's routes that say how much may come, and when. */
export class TrafficPolicies {
  readonly #parts: TrafficParts
  readonly #upstreams: UpstreamLookup
  readonly #admissionOf: AdmissionLookup
  /** Of every route that asks who calls and has no limit of its own. */
  readonly #planPolicy: Policy | null
  readonly #draw = drawPolicy()

  constructor(parts: TrafficParts, upstreams: UpstreamLookup, admissionOf: AdmissionLookup) {
    this.#parts = parts
    this.#upstreams = upstreams
    this.#admissionOf = admissionOf
    const { limiter, places, plans } = parts
    this.#planPolicy = plans === null ? null : limitPolicy({ limiter, places, plans, route: null })
  }

  /** By plan and by the route's own limit; null where neither holds. */
  limit({ name, auth, limit }: Pick<RouteConfig, 'name' | 'auth' | 'limit'>): Policy | null {
    const isIdentified = auth !== 'none'
    if (limit === null) return isIdentified ? this.#planPolicy : null
    const { limiter, places } = this.#parts
    const plans = isIdentified ? this.#parts.plans : null
    return limitPolicy({ limiter, places, plans, route: { ...limit, name } })
  }

  /** Whether `limit` gives a policy. */
  isLimited({ auth, limit }: Pick<RouteConfig, 'auth' | 'limit'>): boolean {
    return limit !== null || (auth !== 'none' && this.#planPolicy !== null)
  }

  /** Those that come right before forwarding; none where every upstream takes whatever comes. */
  admission(choices: readonly { readonly name: string }[]): readonly Policy[] {
    const upstreams = choices.map(({ name }) => this.#admitting(name))
    if (upstreams.every((upstream) => upstream === null)) return []
    const { gate, nowMs, plans } = this.#parts
    const weightOf = ({ identity }: Exchange): number =>
      identity === null || plans === null ? 1 : plans.weightOf(identity)
    const admission = admissionPolicy({ gate, upstreams, weightOf, nowMs })
    return upstreams.length > 1 ? [this.#draw, admission] : [admission]
  }

  /** The same policies, of which those that a route shadows enforce nothing. */
  shadowed(policies: readonly Policy[], kinds: readonly string[]): readonly Policy[] {
    const { shadowReport } = this.#parts
    return policies.map((policy) =>
      kinds.includes(policy.kind) ? shadowPolicy(policy, shadowReport) : policy,
    )
  }

  /** The same for those of the operator's own, whose kinds are theirs: all of a route's or none. */
  shadowedUsers(policies: readonly Policy[], kinds: readonly string[]): readonly Policy[] {
    if (!kinds.includes('policies')) return policies
    const { shadowReport } = this.#parts
    return policies.map((policy) => shadowPolicy(policy, shadowReport))
  }

  #admitting(name: string): AdmittingUpstream | null {
    const admission = this.#admissionOf(name)
    const upstream = this.#upstreams.get(name)
    if (admission === null || upstream === null) return null
    return { slot: upstream.slot, name, timeoutMs: admission.timeoutMs }
  }
}
