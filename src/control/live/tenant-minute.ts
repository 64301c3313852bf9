import { type TenantTally, type ThreadSecond, UNNAMED_TENANTS } from '../../observe/second-tally.ts'
import type { TenantFigures } from './figures-view.ts'

const MINUTE = 60
/** Distinct tenants of one minute; those that come later count as the rest. */
const MAX_TENANTS = 2_048
/** Named to whoever asks. */
const SHOWN = 100

interface Told {
  readonly second: number
  readonly tenants: ReadonlyMap<string, TenantTally>
}

/** What each tenant had in the last minute. */
export class TenantMinute {
  readonly #told: Told[] = []
  readonly #sums = new Map<string, TenantTally>()

  add({ second, tenants }: ThreadSecond): void {
    if (tenants.size === 0) return
    const kept = new Map<string, TenantTally>()
    for (const [tenant, tally] of tenants) {
      const isNamed = this.#sums.has(tenant) || this.#sums.size < MAX_TENANTS
      const name = isNamed ? tenant : UNNAMED_TENANTS
      raise(kept, name, tally, 1)
      raise(this.#sums, name, tally, 1)
    }
    this.#told.push({ second, tenants: kept })
    this.forget(second)
  }

  /** What is older than a minute at that second. */
  forget(second: number): void {
    while ((this.#told[0]?.second ?? second) <= second - MINUTE) {
      for (const [name, tally] of this.#told.shift()?.tenants ?? []) raise(this.#sums, name, tally, -1)
    }
  }

  figures(): readonly TenantFigures[] {
    const all = [...this.#sums].sort(([, a], [, b]) => b.requests - a.requests)
    const total = all.reduce((sum, [, { requests }]) => sum + requests, 0)
    const named = all.filter(([name]) => name !== UNNAMED_TENANTS)
    const rest = { requests: 0, refusals: 0, durationMs: 0 }
    const lumped = [...named.slice(SHOWN), ...all.filter(([name]) => name === UNNAMED_TENANTS)]
    for (const [, tally] of lumped) addTo(rest, tally, 1)
    const shown = named.slice(0, SHOWN).map(([name, tally]) => figuresOf(name, tally, total))
    return rest.requests === 0 ? shown : [...shown, figuresOf(null, rest, total)]
  }
}

function figuresOf(tenant: string | null, tally: TenantTally, total: number): TenantFigures {
  const { requests, refusals, durationMs } = tally
  return { tenant, requests, share: requests / total, refusals, latencyMs: durationMs / requests }
}

function raise(sums: Map<string, TenantTally>, name: string, by: TenantTally, sign: 1 | -1): void {
  let sum = sums.get(name)
  if (sum === undefined) {
    sum = { requests: 0, refusals: 0, durationMs: 0 }
    sums.set(name, sum)
  }
  addTo(sum, by, sign)
  if (sum.requests === 0) sums.delete(name)
}

function addTo(sum: TenantTally, by: TenantTally, sign: 1 | -1): void {
  sum.requests += sign * by.requests
  sum.refusals += sign * by.refusals
  sum.durationMs += sign * by.durationMs
}
