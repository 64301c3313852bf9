import { UPSTREAM_SLOTS } from '../upstreams/upstream-memory.ts'
import { BUCKETS } from './bucket.ts'
import { FAILURE_CODES, METHODS, STATUS_CLASSES } from './label.ts'

/**
 * A thread's own cells, by their place in its row. Those of `COUNTED` only grow, and outlive the thread; the others say
 * how it is now, and die with it.
 */
export const CELL = {
  accepted: 0,
  turnedAway: 1,
  tokensKnown: 2,
  tokensJudged: 3,
  limitsForgotten: 4,
  limitsUncounted: 5,
  clients: 8,
  active: 9,
  loopDelayMaxMs: 10,
  loopDelayMeanMs: 11,
  /** 0 … 1. */
  loopShare: 12,
  heapUsedBytes: 13,
  heapLimitBytes: 14,
  externalBytes: 15,
  /** 0: there is none. */
  limitStore: 16,
} as const

export const STORE_UP = 1
export const STORE_DOWN = 2

export const COUNTED = 8
const THREAD_CELLS = 24

/** Idle connections, then exchanges that wait for one, each by the upstream's slot. */
export const IDLE_AT = THREAD_CELLS
export const WAITING_AT: number = IDLE_AT + UPSTREAM_SLOTS

/** Routes told apart, by their place in the table of names; the first two are not configured ones. */
export const ROUTE_PLACES = 1_024
/** What no configured route stands behind: own endpoints and what is refused before a route is found. */
export const OWN_PLACE = 0
/** Routes that found the table full, as one. */
export const LUMPED_PLACE = 1

/** A histogram: buckets, then the sum in ms. */
export const HISTOGRAM_CELLS: number = BUCKETS + 1

/** What a route's cells are, from its first on. */
export const ROUTE = routeLayout()
export const ROUTES_AT: number = WAITING_AT + UPSTREAM_SLOTS

/** Of a row. */
export const ROW_CELLS: number = ROUTES_AT + ROUTE_PLACES * ROUTE.cells

function routeLayout(): Readonly<
  Record<
    | 'requests'
    | 'failures'
    | 'bytesIn'
    | 'bytesOut'
    | 'aborted'
    | 'repeats'
    | 'shadowed'
    | 'totalMs'
    | 'ownMs'
    | 'upstreamMs'
    | 'cells',
    number
  >
> {
  const failures = METHODS.length * STATUS_CLASSES.length
  const bytesIn = failures + FAILURE_CODES.length
  const totalMs = bytesIn + 5
  return {
    /** By method, then by class of status. */
    requests: 0,
    failures,
    bytesIn,
    bytesOut: bytesIn + 1,
    aborted: bytesIn + 2,
    repeats: bytesIn + 3,
    shadowed: bytesIn + 4,
    totalMs,
    ownMs: totalMs + HISTOGRAM_CELLS,
    upstreamMs: totalMs + 2 * HISTOGRAM_CELLS,
    cells: totalMs + 3 * HISTOGRAM_CELLS,
  }
}

/** Where a route's cells begin in a row. */
export function routeAt(place: number): number {
  return ROUTES_AT + place * ROUTE.cells
}
