import { ROUTE_METHODS } from '../default.ts'
import { claimName } from './list-format.ts'
import { checkRate } from './plan.ts'
import type { Path, Report } from './report.ts'
import type { RouteSurroundings } from './route-check.ts'
import { authOf, targetsOf } from './route-meaning.ts'
import type { RouteDocument } from './route-schema.ts'

/** Rules of what a route asks of its callers, and of what it counts of them. */
export function checkCaller(
  route: RouteDocument,
  path: Path,
  surroundings: RouteSurroundings,
  report: Report,
): void {
  if (authOf(route, surroundings) === 'none') checkAnonymous(route, path, report)
  if (route.require !== undefined) checkRequire(route.require, [...path, 'require'], report)
  checkCredentials(route, [...path, 'credentials'], report)
  if (route.limit !== undefined) checkRate(route.limit.rate, route.limit.burst, [...path, 'limit'], report)
  checkShadow(route, [...path, 'shadow'], surroundings, report)
}

/** Where nobody says who they are, nothing may count on it. */
function checkAnonymous(route: RouteDocument, path: Path, report: Report): void {
  const { require, credentials, limit } = route
  const anonymous = 'while the route asks nobody who they are'
  const remedy = 'Remove it, or write `auth: required`.'
  if (require !== undefined) {
    const found = `is set ${anonymous}`
    report.problem([...path, 'require'], { found, expected: 'a route with identity', remedy })
  }
  if (credentials.some(({ kind }) => kind !== 'header')) {
    const found = `is set ${anonymous}`
    report.problem([...path, 'credentials'], { found, expected: 'a route with identity', remedy })
  }
  if (limit?.per === 'tenant' || limit?.per === 'subject') {
    report.problem([...path, 'limit', 'per'], {
      found: `is ${limit.per} ${anonymous}`,
      expected: '`ip` or `route`',
      remedy: 'Write `per: ip`, or `auth: required`.',
    })
  }
}

function checkRequire(
  { scopes, claims }: NonNullable<RouteDocument['require']>,
  path: Path,
  report: Report,
): void {
  if (scopes.length === 0 && Object.keys(claims).length === 0) {
    report.problem(path, {
      found: 'asks for nothing',
      expected: '`scopes` or `claims`',
      remedy: 'Add one, or remove it.',
    })
  }
  for (const [name, values] of Object.entries(claims)) {
    const at = [...path, 'claims', name]
    const parsed = claimName.parse(name)
    if (!parsed.fits || name === '') {
      const remedy = parsed.fits || parsed.fault === null ? 'Correct it.' : parsed.fault
      report.problem(at, { found: 'is no claim to require', expected: claimName.accepts, remedy, end: 'key' })
    }
    if (!Array.isArray(values) || values.length > 0) continue
    report.problem(at, {
      found: 'is empty, which no caller satisfies',
      expected: 'at least one value',
      remedy: 'Add what it may be.',
    })
  }
}

function checkCredentials(route: RouteDocument, path: Path, report: Report): void {
  const { credentials, match } = route
  if (credentials.length === 0) {
    report.problem(path, {
      found: 'is empty',
      expected: 'at least one place',
      remedy: 'Remove it for the default, header.',
    })
  }
  const at = credentials.findIndex(({ kind }) => kind === 'subprotocol')
  if (at < 0 || (match.methods ?? ROUTE_METHODS).includes('GET')) return
  // RFC 6455 section 4.1.
  report.problem([...path, at], {
    found: 'is subprotocol on a route that does not take GET',
    expected: 'a route of WebSockets, which open with GET',
    remedy: 'Add GET to `match.methods`, or remove it.',
  })
}

/** What a shadow needs: something of its kind on the route. */
function checkShadow(
  route: RouteDocument,
  path: Path,
  surroundings: RouteSurroundings,
  report: Report,
): void {
  const isThere = {
    limit: route.limit !== undefined || surroundings.hasPlans,
    require: route.require !== undefined,
    policies: route.policies.length > 0,
    admission: targetsOf(route).some(({ name }) => surroundings.upstreams.get(name)?.admission !== undefined),
  }
  for (const [index, kind] of route.shadow.entries()) {
    if (isThere[kind]) continue
    report.warn([...path, index], `is ${kind}, of which the route has none: nothing is shadowed.`)
  }
}
