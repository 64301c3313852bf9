import type { PlanConfig } from '../config/demand.ts'
import { QuotaRule } from '../limits/quota-rule.ts'
import { RateRule } from '../limits/rate-rule.ts'
import type { Rule } from '../limits/rule.ts'
import type { Identity } from '../proxy/exchange.ts'

/** What a tenant may do over all routes, compiled. */
export interface Plan {
  readonly name: string
  /** Its place among the plans. */
  readonly index: number
  readonly rules: readonly Rule[]
  readonly concurrency: number | null
  readonly weight: number
}

export interface PlansParts {
  /** At least one. */
  readonly plans: readonly PlanConfig[]
  /** The name of one of them. */
  readonly defaultPlan: string
  /** Which tenant has which plan, whatever its token claims. */
  readonly planOfTenant: ReadonlyMap<string, string>
  /** What the credential says; null where it says nothing. */
  readonly claimedPlan: (identity: Identity) => string | null
  /** A credential named a plan there is none of: the tenant has the default. */
  readonly countUnknown: () => void
}

/** All plans of a snapshot, and who has which. */
export class Plans {
  readonly all: readonly Plan[]
  readonly #default: Plan
  readonly #byName: ReadonlyMap<string, Plan>
  readonly #byTenant: ReadonlyMap<string, Plan>
  readonly #claimedPlan: PlansParts['claimedPlan']
  readonly #countUnknown: () => void

  constructor(parts: PlansParts) {
    this.all = parts.plans.map(compilePlan)
    this.#byName = new Map(this.all.map((plan) => [plan.name, plan]))
    this.#default = this.#named(parts.defaultPlan)
    this.#byTenant = new Map([...parts.planOfTenant].map(([tenant, name]) => [tenant, this.#named(name)]))
    this.#claimedPlan = parts.claimedPlan
    this.#countUnknown = parts.countUnknown
  }

  /** Configured for the tenant, or else claimed by the credential, or else the default. */
  planOf(identity: Identity): Plan {
    const plan = this.#find(identity)
    if (plan !== null) return plan
    this.#countUnknown()
    return this.#default
  }

  /** Of the plan that `planOf` gives; an unknown one is not counted again. */
  weightOf(identity: Identity): number {
    return (this.#find(identity) ?? this.#default).weight
  }

  /** Null: its credential names one that is not there. */
  #find(identity: Identity): Plan | null {
    const own = this.#byTenant.get(identity.tenant)
    if (own !== undefined) return own
    const claimed = this.#claimedPlan(identity)
    return claimed === null ? this.#default : (this.#byName.get(claimed) ?? null)
  }

  #named(name: string): Plan {
    const plan = this.#byName.get(name)
    if (plan === undefined) throw new Error(`no plan is called ${name}: configurations are checked before`)
    return plan
  }
}

function compilePlan({ name, rate, quota, concurrency, weight }: PlanConfig, index: number): Plan {
  const rules: Rule[] = []
  if (rate !== null) rules.push(new RateRule({ name, by: 'plan', onStoreError: 'local' }, rate))
  if (quota !== null) rules.push(new QuotaRule({ name, onStoreError: 'local' }, quota))
  return { name, index, rules, concurrency, weight }
}
