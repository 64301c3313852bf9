import type { RouteTotals } from './wire.ts'

const WINDOW_MS = 60_000

/** What was counted of all routes until a moment of this page's own clock. */
export interface RouteSample {
  readonly atMs: number
  readonly totals: readonly RouteTotals[]
}

export interface RouteRate {
  readonly perSecond: number
  readonly clientErrorShare: number
  readonly serverErrorShare: number
  /** Mean; null where nothing ended. */
  readonly latencyMs: number | null
}

/** With a newer one, and no older ones than are needed for the last minute. */
export function withSample(known: readonly RouteSample[], news: RouteSample): readonly RouteSample[] {
  return [...known.filter(({ atMs }) => atMs >= news.atMs - WINDOW_MS), news]
}

/** By name, over the time that the samples span: a minute, or as long as they are taken. */
export function ratesOf(samples: readonly RouteSample[]): ReadonlyMap<string, RouteRate> {
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined || first === last) return new Map()
  const seconds = (last.atMs - first.atMs) / 1_000
  const before = new Map(first.totals.map((totals) => [totals.route, totals]))
  return new Map(
    last.totals.map((totals) => [totals.route, rateOf(totals, before.get(totals.route), seconds)]),
  )
}

/** `before` is undefined where the route had no request yet. */
function rateOf(now: RouteTotals, before: RouteTotals | undefined, seconds: number): RouteRate {
  const requests = now.requests - (before?.requests ?? 0)
  const timed = now.timed - (before?.timed ?? 0)
  const shareOf = (part: number): number => (requests === 0 ? 0 : part / requests)
  return {
    perSecond: requests / seconds,
    clientErrorShare: shareOf(now.clientErrors - (before?.clientErrors ?? 0)),
    serverErrorShare: shareOf(now.serverErrors - (before?.serverErrors ?? 0)),
    latencyMs: timed === 0 ? null : (now.ms - (before?.ms ?? 0)) / timed,
  }
}
