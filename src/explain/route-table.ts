import type { Config, MatchConfig, RouteConfig, RouteEnding } from '../config/config.ts'

/** One line of the table of routes, in the order they are tried where several could match. */
export interface RouteRow {
  readonly name: string
  readonly host: string
  readonly path: string
  readonly methods: readonly string[]
  /** Header and query conditions, in words. */
  readonly conditions: readonly string[]
  readonly auth: RouteConfig['auth']
  readonly ending: string
}

const LITERAL = 0
const PARAMETER = 1
const REST = 2

/**
 * The table in match order: exact hosts before wildcards before any, literal segments before parameters before the
 * rest, more conditions first, fewer methods first. A route with several hosts has a line for each.
 */
export function routeTable(config: Config): readonly RouteRow[] {
  return config.routes
    .flatMap((route) => hostsOf(route.match).map((host) => ({ route, host })))
    .sort((a, b) => compareHosts(a.host, b.host) || compareMatches(a.route, b.route))
    .map(({ route, host }) => rowOf(route, host))
}

function hostsOf({ hosts }: MatchConfig): readonly string[] {
  return hosts.length === 0 ? ['*'] : hosts
}

function compareHosts(a: string, b: string): number {
  return (
    rankOfHost(a) - rankOfHost(b) || (isWildcard(a) ? b.length - a.length : 0) || (a < b ? -1 : a > b ? 1 : 0)
  )
}

function rankOfHost(host: string): number {
  if (host === '*') return 2
  return isWildcard(host) ? 1 : 0
}

function isWildcard(host: string): boolean {
  return host.startsWith('*.')
}

function compareMatches(a: RouteConfig, b: RouteConfig): number {
  return (
    comparePaths(a.match.path, b.match.path) ||
    countOf(b.match) - countOf(a.match) ||
    a.match.methods.length - b.match.methods.length ||
    (a.name < b.name ? -1 : 1)
  )
}

/** Segment by segment, so that a table reads from the special to the general below each place. */
function comparePaths(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')]
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [one, other] = [left[at], right[at]]
    if (one === undefined || other === undefined) return one === undefined ? 1 : -1
    const rank = rankOfSegment(one) - rankOfSegment(other)
    if (rank !== 0) return rank
    if (rankOfSegment(one) === LITERAL && one !== other) return one < other ? -1 : 1
  }
  return 0
}

function rankOfSegment(segment: string): number {
  if (segment === '*') return REST
  return segment.startsWith(':') ? PARAMETER : LITERAL
}

function countOf({ headers, query }: MatchConfig): number {
  return headers.length + query.length
}

function rowOf({ name, match, auth, ending }: RouteConfig, host: string): RouteRow {
  const conditions = [
    ...match.headers.map((field) => `${field.name}: ${field.value}`),
    ...match.query.map((pair) => `?${pair.name}=${pair.value}`),
  ]
  return {
    name,
    host,
    path: match.path,
    methods: match.methods,
    conditions,
    auth,
    ending: endingText(ending),
  }
}

function endingText(ending: RouteEnding): string {
  if (ending.kind === 'forward') {
    const [only, second] = ending.upstreams
    if (only !== undefined && second === undefined) return only.name
    return ending.upstreams.map(({ name, weight }) => `${name} ${weight}`).join(', ')
  }
  const { status, scheme, host, port, path } = ending
  const where = `${scheme === null ? '' : `${scheme}://`}${host ?? ''}${port === null ? '' : `:${port}`}${path ?? ''}`
  return `redirect ${status}${where === '' ? '' : ` to ${where}`}`
}

/** The table as text; columns as wide as what they hold. */
export function routeTableText(rows: readonly RouteRow[]): string {
  const head = ['ROUTE', 'HOST', 'PATH', 'METHODS', 'CONDITIONS', 'AUTH', 'TO']
  const cells = rows.map((row) => [
    row.name,
    row.host,
    row.path,
    row.methods.join(','),
    row.conditions.join(' ') || '-',
    row.auth,
    row.ending,
  ])
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)),
  )
  const lineOf = (line: readonly string[]): string =>
    `${line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}\n`
  return [head, ...cells].map(lineOf).join('')
}
