import type { ClaimValue } from '../lib/claim.ts'
import type { QuotaNumbers } from '../limits/quota-rule.ts'
import type { RateNumbers } from '../limits/rate-rule.ts'
import type { StoreErrorRule } from '../limits/rule.ts'

/** What an identity must have to use a route. */
export interface RequireConfig {
  /** All of them. Words without spaces or quotes (RFC 6749 section 3.3). */
  readonly scopes: readonly string[]
  /** Of each named claim any of the values listed. */
  readonly claims: Readonly<Record<string, readonly ClaimValue[]>>
}

/** Whose bucket it is. Who has no identity is known by address instead. */
export type LimitKey = 'tenant' | 'subject' | 'ip' | 'route'

export interface RouteLimitConfig {
  /** The route's name. */
  readonly name: string
  readonly per: LimitKey
  readonly rate: RateNumbers
  readonly onStoreError: StoreErrorRule
}

/** A plan as configured; null members do not limit. */
export interface PlanConfig {
  readonly name: string
  readonly rate: RateNumbers | null
  readonly quota: QuotaNumbers | null
  /** Exchanges of a tenant at once, whole process. */
  readonly concurrency: number | null
  /** Share of a busy upstream, against the weights of others that wait. */
  readonly weight: number
}
