import type { MatchConfig } from '../../config/config.ts'
import type { Route } from '../../proxy/route.ts'
import { type Conditions, compileConditions, isMet } from './condition.ts'
import type { Walk } from './walk.ts'

/** A route at its place in the table: what it asks beyond host and path. */
export interface Candidate {
  readonly route: Route
  readonly methods: ReadonlySet<string>
  readonly conditions: Conditions | null
}

/** The candidates at one path, most specific first. */
export type Group = readonly Candidate[]

export function candidateOf(
  match: Pick<MatchConfig, 'headers' | 'query' | 'methods'>,
  methods: ReadonlySet<string>,
  route: Route,
): Candidate {
  return { route, methods, conditions: compileConditions(match) }
}

/** The route of the first whose conditions and method the request meets. */
export function pick(group: Group, walk: Walk): Route | null {
  for (const { route, methods, conditions } of group) {
    if (conditions !== null && !isMet(conditions, walk)) continue
    if (walk.missed === null && methods.has(walk.method)) return route
    walk.isKnown = true
    if (walk.missed !== null) for (const method of methods) walk.missed.add(method)
  }
  return null
}

/** `group` with one more, in order whatever the order of insertion. */
export function inserted(group: Group | null, candidate: Candidate): Group {
  if (group === null) return [candidate]
  let low = 0
  let high = group.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compare(group[middle] as Candidate, candidate) <= 0) low = middle + 1
    else high = middle
  }
  return group.toSpliced(low, 0, candidate)
}

/**
 * More conditions first, then fewer methods: who names less says more. Where both are the same, fields say more than
 * parameters, and the name decides last, so that the order of a file never does.
 */
function compare(a: Candidate, b: Candidate): number {
  return (
    countOf(b) - countOf(a) ||
    a.methods.size - b.methods.size ||
    (b.conditions?.headers.length ?? 0) - (a.conditions?.headers.length ?? 0) ||
    ((a.route.name ?? '') < (b.route.name ?? '') ? -1 : 1)
  )
}

function countOf({ conditions }: Candidate): number {
  return conditions === null ? 0 : conditions.headers.length + conditions.query.length
}
