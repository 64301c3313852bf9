import type { LimitKey, RouteLimitConfig } from '../config/demand.ts'
import { clientPrefix } from '../limits/client-prefix.ts'
import type { Decision, Limiter } from '../limits/limiter.ts'
import { NO_PLACE, type PlaceCount } from '../limits/place-count.ts'
import { RateRule } from '../limits/rate-rule.ts'
import type { Rule } from '../limits/rule.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { type Failure, failure } from '../proxy/failure.ts'
import type { Policy, Verdict } from '../proxy/policy.ts'
import type { Plan, Plans } from './plan.ts'

export interface LimitParts {
  readonly limiter: Limiter
  /** Null where tenants have no plans. */
  readonly plans: Plans | null
  /** Null where the route has no limit of its own. */
  readonly route: RouteLimitConfig | null
  /** Counts what plans call concurrency; null only where no plan has one. */
  readonly places: PlaceCount | null
}

/** Nobody can say when an exchange under way will end. */
const PLACE_RETRY = 'Retry-After: 1\r\n'
const AT_ONCE = failure('rate_limited', {
  detail: 'Too many requests of this tenant are under way.',
  fields: PLACE_RETRY,
})
const UNAVAILABLE = failure('limits_unavailable', { fields: PLACE_RETRY })

/**
 * Holds tenants to their plans and routes to their limits: one decision over all rules of an exchange, so that a
 * request one of them refuses costs nothing with the others either, and a shared store is asked once.
 */
export function limitPolicy(parts: LimitParts): Policy {
  return new LimitPolicy(parts)
}

class LimitPolicy implements Policy {
  readonly kind = 'limit'
  readonly owns: readonly string[] = []
  readonly #limiter: Limiter
  readonly #plans: Plans | null
  readonly #places: PlaceCount | null
  readonly #per: LimitKey | null
  /** What each plan asks here, by the plan's index; then what those without one are asked. */
  readonly #rules: readonly (readonly Rule[])[]
  readonly #keys: string[] = []

  constructor({ limiter, plans, route, places }: LimitParts) {
    this.#limiter = limiter
    this.#plans = plans
    this.#places = places
    this.#per = route?.per ?? null
    const own = route === null ? [] : [routeRule(route)]
    this.#rules = [...(plans?.all ?? []).map(({ rules }) => [...rules, ...own]), own]
  }

  admit(exchange: Exchange): Verdict | Promise<Verdict> {
    const plan = exchange.identity === null ? null : (this.#plans?.planOf(exchange.identity) ?? null)
    if (!this.#takePlace(exchange, plan)) return AT_ONCE
    const rules = this.#rules[plan === null ? this.#rules.length - 1 : plan.index] as readonly Rule[] // by construction
    if (rules.length === 0) return null
    this.#writeKeys(exchange, plan)
    const decision = this.#limiter.take(rules, this.#keys)
    if (!(decision instanceof Promise)) return this.#conclude(exchange, decision)
    return decision.then(
      (settled) => this.#conclude(exchange, settled),
      (error: unknown) => {
        this.settle(exchange)
        throw error
      },
    )
  }

  settle(exchange: Exchange): void {
    if (exchange.place >= 0) this.#places?.give(exchange.place)
    exchange.place = NO_PLACE
  }

  #takePlace(exchange: Exchange, plan: Plan | null): boolean {
    if (plan === null || plan.concurrency === null || this.#places === null || exchange.identity === null)
      return true
    exchange.place = this.#places.tryTake(exchange.identity.tenant, plan.concurrency)
    return exchange.place !== NO_PLACE
  }

  #writeKeys(exchange: Exchange, plan: Plan | null): void {
    const keys = this.#keys
    const tenant = exchange.identity?.tenant ?? ''
    const planned = plan === null ? 0 : plan.rules.length
    for (let index = 0; index < planned; index++) keys[index] = tenant
    if (this.#per !== null) keys[planned] = limitKey(this.#per, exchange)
  }

  #conclude(exchange: Exchange, decision: Decision): Verdict {
    const { rule } = decision
    if (rule !== null) {
      exchange.answer('RateLimit-Policy', rule.policyText)
      exchange.answer('RateLimit', `${rule.nameText};r=${decision.left};t=${decision.resetS}`)
    }
    if (!decision.admitted || exchange.over) this.settle(exchange) // over: its client left while a store was asked
    return decision.admitted ? null : refusal(decision)
  }
}

function routeRule({ name, rate, onStoreError }: RouteLimitConfig): Rule {
  return new RateRule({ name, by: 'route', onStoreError }, rate)
}

function refusal(decision: Decision): Failure {
  switch (decision.by) {
    case 'store':
      return UNAVAILABLE
    case 'quota':
      return failure('quota_exceeded', { fields: `Retry-After: ${decision.retryAfterS}\r\n` })
    case 'plan':
    case 'route':
      return failure('rate_limited', { fields: `Retry-After: ${decision.retryAfterS}\r\n` })
  }
}

/** The first character keeps what differs in kind apart, the zero a tenant from its subjects. */
function limitKey(per: LimitKey, exchange: Exchange): string {
  if (per === 'route') return ''
  const { identity } = exchange
  if (per === 'ip' || identity === null) return `i${clientPrefix(exchange.clientIp)}`
  return per === 'tenant' ? `t${identity.tenant}` : `s${identity.tenant}\0${identity.subject}`
}
