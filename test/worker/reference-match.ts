import type { MatchConfig, RouteConfig } from '../../src/config/config.ts'

/** A request as far as matching sees it. */
export interface Asked {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly query: string
  readonly fields: Readonly<Record<string, string>>
}

/**
 * What a table says of a request, told from the rules alone: every route is looked at, those that match are sorted.
 * A route's name, `405` with the methods sorted, or `404`.
 */
export function referenceMatch(routes: readonly RouteConfig[], asked: Asked): string {
  const matching = routes
    .map((route) => ({ route, host: hostRank(route.match, asked.host) }))
    .filter(({ route, host }) => host !== null && isMatch(route.match, asked))
  const taking = matching.filter(({ route }) => route.match.methods.includes(asked.method))
  if (matching.length === 0) return '404'
  if (taking.length === 0) {
    const methods = new Set(matching.flatMap(({ route }) => route.match.methods))
    return `405 ${[...methods].sort().join(', ')}`
  }
  taking.sort(
    (a, b) =>
      compare([b.host ?? 0, ...rank(b.route)], [a.host ?? 0, ...rank(a.route)]) || byName(a.route, b.route),
  )
  return taking[0]?.route.name ?? ''
}

function byName(a: RouteConfig, b: RouteConfig): number {
  return a.name < b.name ? -1 : 1
}

/** Higher is more specific; null where no host of the route is the request's. */
function hostRank({ hosts }: MatchConfig, asked: string): number | null {
  if (hosts.length === 0) return 0
  const ranks = hosts.map((host) => {
    if (host === asked) return 1_000
    return host.startsWith('*.') && asked.endsWith(host.slice(1)) && asked.length >= host.length
      ? host.length
      : -1
  })
  const best = Math.max(...ranks)
  return best < 0 ? null : best
}

function isMatch({ path, headers, query }: MatchConfig, asked: Asked): boolean {
  const pattern = path
    .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/:[a-z]+/g, '[^/]+')
    .replace(/\/\\\*$/, '(?:/.*)?')
  if (!new RegExp(`^${pattern}$`).test(asked.path)) return false
  const parameters = asked.query === '' ? [] : asked.query.split('&').map((pair) => pair.split('='))
  return (
    headers.every(({ name, value }) => asked.fields[name] === value) &&
    query.every(({ name, value }) => parameters.find(([key]) => key === name)?.[1] === value)
  )
}

/** Segment by segment: literal 3, parameter 2, wildcard 1, nothing more 4 (an end is exact); then the rest. */
function rank({ match }: RouteConfig): readonly number[] {
  const segments = match.path.split('/').slice(1)
  const ranks = segments.map((segment) => (segment === '*' ? 1 : segment.startsWith(':') ? 2 : 3))
  const padded = Array.from({ length: 8 }, (_, index) => ranks[index] ?? 4)
  const { headers, query, methods } = match
  return [...padded, headers.length + query.length, -methods.length, headers.length]
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
