import {
  CELL,
  IDLE_AT,
  LUMPED_PLACE,
  OWN_PLACE,
  ROUTE_PLACES,
  routeAt,
  STORE_DOWN,
  STORE_UP,
  WAITING_AT,
} from './layout.ts'
import type { MetricsMemory } from './metrics-memory.ts'
import { RouteCounts } from './route-counts.ts'
import { readSketch, readTotals, type TenantTotals } from './tenant-sketch.ts'
import type { ThreadFigures } from './thread-metrics.ts'

/** Tenants shown by name. */
export const SHOWN_TENANTS = 100

/** What routes are called that no configured one stands behind, or that were too many. */
export const OWN_ROUTE = '(own)'
export const LUMPED_ROUTE = '(others)'
export const OTHER_TENANTS = '(rest)'

export interface TenantView extends TenantTotals {
  readonly tenant: string
}

export interface TenantsView {
  /** Most requests first; counted since each is among those followed. */
  readonly top: readonly TenantView[]
  /** Everybody else; never less than it was. */
  readonly rest: TenantTotals
}

export interface TotalsView {
  readonly accepted: number
  readonly turnedAway: number
  readonly tokensKnown: number
  readonly tokensJudged: number
  /** Keys of limits that gave way to others. */
  readonly limitsForgotten: number
  /** Exchanges past a plan's concurrency for want of room to count them. */
  readonly limitsUncounted: number
  readonly clients: number
  readonly active: number
}

/** What data threads counted, for whoever shows it. Reads shared memory and nothing else: threads do not notice. */
export interface MetricsView {
  totals(): TotalsView
  /** Those that had any request, by name. */
  routes(): readonly RouteCounts[]
  tenants(): TenantsView
  /** As of the last second, by row. */
  threads(): readonly ThreadFigures[]
  /** Whether the store of limits answers every thread that should have it; null: there is none. */
  storeAnswers(): boolean | null
  /** Of an upstream, over all threads. */
  pool(upstreamSlot: number): { readonly idle: number; readonly waiting: number }
}

const NONE: TenantTotals = { requests: 0, refused: 0, ms: 0 }

/** Control's side of the metrics. */
export class MetricsReader implements MetricsView {
  readonly #memory: MetricsMemory
  readonly #rows: readonly Float64Array[]
  #rest: TenantTotals = NONE

  constructor(memory: MetricsMemory) {
    this.#memory = memory
    // The last is of those that died.
    this.#rows = Array.from({ length: memory.rows + 1 }, (_, row) => memory.row(row))
  }

  totals(): TotalsView {
    return {
      accepted: this.#sum(CELL.accepted),
      turnedAway: this.#sum(CELL.turnedAway),
      tokensKnown: this.#sum(CELL.tokensKnown),
      tokensJudged: this.#sum(CELL.tokensJudged),
      limitsForgotten: this.#sum(CELL.limitsForgotten),
      limitsUncounted: this.#sum(CELL.limitsUncounted),
      clients: this.#sum(CELL.clients),
      active: this.#sum(CELL.active),
    }
  }

  routes(): readonly RouteCounts[] {
    const found = new Map<string, RouteCounts>()
    for (let place = 0; place < ROUTE_PLACES; place++) {
      const name = this.#nameOf(place)
      if (name === null) continue
      const counts = found.get(name) ?? new RouteCounts(name)
      found.set(name, counts)
      for (const row of this.#rows) counts.add(row, routeAt(place))
    }
    return [...found.values()]
      .filter((counts) => counts.count(null) > 0)
      .sort((one, other) => (one.route < other.route ? -1 : 1))
  }

  tenants(): TenantsView {
    const top = this.#topTenants()
    this.#rest = greater(this.#rest, minus(this.#tenantTotals(), top))
    return { top, rest: this.#rest }
  }

  threads(): readonly ThreadFigures[] {
    return this.#rows.slice(0, -1).map((row) => ({
      clients: row[CELL.clients] as number,
      active: row[CELL.active] as number,
      loopDelayMaxMs: row[CELL.loopDelayMaxMs] as number,
      loopDelayMeanMs: row[CELL.loopDelayMeanMs] as number,
      loopShare: row[CELL.loopShare] as number,
      heapUsedBytes: row[CELL.heapUsedBytes] as number,
      heapLimitBytes: row[CELL.heapLimitBytes] as number,
      externalBytes: row[CELL.externalBytes] as number,
    }))
  }

  storeAnswers(): boolean | null {
    const states = this.#rows.map((row) => row[CELL.limitStore])
    if (states.includes(STORE_DOWN)) return false
    return states.includes(STORE_UP) ? true : null
  }

  pool(upstreamSlot: number): { readonly idle: number; readonly waiting: number } {
    return { idle: this.#sum(IDLE_AT + upstreamSlot), waiting: this.#sum(WAITING_AT + upstreamSlot) }
  }

  #nameOf(place: number): string | null {
    if (place === OWN_PLACE) return OWN_ROUTE
    return place === LUMPED_PLACE ? LUMPED_ROUTE : this.#memory.names.name(place)
  }

  #sum(cell: number): number {
    return this.#rows.reduce((sum, row) => sum + (row[cell] as number), 0)
  }

  #topTenants(): readonly TenantView[] {
    const found = new Map<string, TenantTotals & { readonly error: number }>()
    for (let row = 0; row <= this.#memory.rows; row++) {
      for (const { tenant, ...count } of readSketch(this.#memory.sketch(row))) {
        const known = found.get(tenant)
        const error = count.error + (known?.error ?? 0)
        found.set(tenant, { ...plus(count, known ?? NONE), error })
      }
    }
    return (
      [...found]
        // Among very many small tenants counters change hands all the time: who just has one is not yet somebody.
        .filter(([tenant, { requests, error }]) => requests >= error && tenant !== OTHER_TENANTS)
        .sort(([, one], [, other]) => other.requests - one.requests)
        .slice(0, SHOWN_TENANTS)
        .map(([tenant, { requests, refused, ms }]) => ({ tenant, requests, refused, ms }))
    )
  }

  #tenantTotals(): TenantTotals {
    let sum = NONE
    for (let row = 0; row <= this.#memory.rows; row++) sum = plus(sum, readTotals(this.#memory.sketch(row)))
    return sum
  }
}

function plus(one: TenantTotals, other: TenantTotals): TenantTotals {
  return {
    requests: one.requests + other.requests,
    refused: one.refused + other.refused,
    ms: one.ms + other.ms,
  }
}

function minus(all: TenantTotals, parts: readonly TenantTotals[]): TenantTotals {
  const sum = parts.reduce(plus, NONE)
  return { requests: all.requests - sum.requests, refused: all.refused - sum.refused, ms: all.ms - sum.ms }
}

/** A tenant that comes to be shown leaves the rest, which as a counter stands still until it has caught up. */
function greater(one: TenantTotals, other: TenantTotals): TenantTotals {
  return {
    requests: Math.max(one.requests, other.requests),
    refused: Math.max(one.refused, other.refused),
    ms: Math.max(one.ms, other.ms),
  }
}
