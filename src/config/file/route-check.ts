import { foldName } from '../../lib/fold-name.ts'
import { ROUTE_METHODS } from '../default.ts'
import { nearestName } from '../suggestion.ts'
import { checkCaller } from './caller-check.ts'
import { checkFieldChanges } from './field-check.ts'
import { fieldName } from './match-format.ts'
import type { Path, Report } from './report.ts'
import { targetsOf } from './route-meaning.ts'
import type { RouteDocument } from './route-schema.ts'
import type { UpstreamDocument } from './upstream-schema.ts'

/** What the rules of a route need to know of the rest. */
export interface RouteSurroundings {
  readonly upstreams: ReadonlyMap<string, UpstreamDocument | null>
  readonly hasIdentity: boolean
  /** Folded names of fields that configured parts own, each with what to do instead of changing it. */
  readonly owned: ReadonlyMap<string, string>
  readonly hasPlans: boolean
}

/** The gateway answers these itself, whatever is configured: Kubernetes restarts what does not. */
const RESERVED = new Set(['/health', '/health/live', '/health/ready'])

/** Rules between the members of a route, and towards the rest of the document. */
export function checkRoute(
  route: RouteDocument,
  path: Path,
  surroundings: RouteSurroundings,
  report: Report,
): void {
  checkEnding(route, path, surroundings, report)
  checkMatch(route.match, [...path, 'match'], report)
  checkRewrite(route, path, report)
  checkFieldChanges(route.headers, [...path, 'headers'], surroundings.owned, report)
  checkCaller(route, path, surroundings, report)
  if (surroundings.hasIdentity || route.auth === undefined || route.auth === 'none') return
  report.problem([...path, 'auth'], {
    found: `is ${route.auth} while no identity is configured`,
    expected: 'something to verify credentials with',
    remedy: 'Add `identity.jwt`, or write `auth: none` if anybody may call it.',
  })
}

function checkEnding(
  route: RouteDocument,
  path: Path,
  surroundings: RouteSurroundings,
  report: Report,
): void {
  if ((route.upstream === undefined) === (route.redirect === undefined)) {
    report.problem(path, {
      found: route.upstream === undefined ? 'goes nowhere' : 'has an upstream and a redirect',
      expected: 'either `upstream` or `redirect`',
      remedy: route.upstream === undefined ? 'Add one of them.' : 'Keep one of them.',
    })
  }
  const { redirect } = route
  if (
    redirect !== undefined &&
    [redirect.scheme, redirect.host, redirect.port, redirect.path].every(isAbsent)
  ) {
    const own = route.rewrite !== undefined
    if (!own) {
      report.problem([...path, 'redirect'], {
        found: 'leads to where the request came from',
        expected: 'another scheme, host, port or path',
        remedy: 'Add one of them.',
      })
    }
  }
  const targets = targetsOf(route)
  for (const { name } of targets) {
    if (surroundings.upstreams.has(name)) continue
    const at = typeof route.upstream === 'string' ? [...path, 'upstream'] : [...path, 'upstream', name]
    const known = [...surroundings.upstreams.keys()]
    report.problem(at, {
      found: `names ${report.quote(at, name)}, which is not an upstream`,
      expected: 'a name under `upstreams`',
      remedy: known.length === 0 ? 'There are none: add it.' : `The nearest is ${nearestName(name, known)}.`,
      end: typeof route.upstream === 'string' ? 'value' : 'key',
    })
  }
  if (route.upstream === undefined || targets.some(({ weight }) => weight > 0)) return
  report.problem([...path, 'upstream'], {
    found: 'gives every upstream the weight 0',
    expected: 'at least one weight above 0',
    remedy: 'Raise one of them.',
  })
}

function isAbsent(value: unknown): boolean {
  return value === undefined
}

function checkMatch(match: RouteDocument['match'], path: Path, report: Report): void {
  if (RESERVED.has(match.path.replace(/(?<=.)\/$/, ''))) {
    report.problem([...path, 'path'], {
      found: 'is a path that the gateway answers itself',
      expected: 'another path than /health, /health/live and /health/ready',
      remedy: 'Give the upstream its own, or use a longer prefix before it.',
    })
  }
  for (const key of ['hosts', 'methods'] as const) {
    if (match[key]?.length !== 0) continue
    report.problem([...path, key], {
      found: 'is empty',
      expected: 'at least one entry',
      remedy: `Remove it for the default: ${key === 'hosts' ? 'any host' : ROUTE_METHODS.join(', ')}.`,
    })
  }
  const seen = new Set<string>()
  for (const name of Object.keys(match.headers)) {
    const at = [...path, 'headers', name]
    const fault = conditionFault(name, seen)
    if (fault !== null) report.problem(at, { ...fault, end: 'key' })
    seen.add(name.toLowerCase())
  }
}

function conditionFault(
  name: string,
  seen: ReadonlySet<string>,
): { readonly found: string; readonly expected: string; readonly remedy: string } | null {
  if (!fieldName.parse(name).fits) {
    return { found: 'is no field name', expected: fieldName.accepts, remedy: 'Correct it.' }
  }
  if (foldName(name) === 'host') {
    return { found: 'asks for the host', expected: 'any other field', remedy: 'Use `match.hosts`.' }
  }
  if (!seen.has(name.toLowerCase())) return null
  return {
    found: 'names a field for the second time',
    expected: 'each field once, letter case aside',
    remedy: 'Remove one of the two.',
  }
}

/** Whole segments: /v2 is the beginning of /v2/query, not of /v2x. */
function checkRewrite(route: RouteDocument, path: Path, report: Report): void {
  const prefix = route.rewrite?.stripPrefix
  if (prefix === undefined || prefix === route.match.path) return
  if (route.match.path.startsWith(`${prefix}/`) && !prefix.includes('/:')) return
  const at = [...path, 'rewrite', 'stripPrefix']
  report.problem(at, {
    found: `${report.describe(at, prefix)}, which the path of the route does not begin with`,
    expected: 'whole literal segments at the beginning of `match.path`',
    remedy: 'Correct it: what is not there cannot be stripped.',
  })
}

/** Refuses names that two routes share, and routes that no request could tell apart. */
export function checkTogether(routes: readonly (RouteDocument | null)[], report: Report): void {
  const names = new Map<string, number>()
  const taken = new Map<string, number>()
  for (const [index, route] of routes.entries()) {
    if (route === null) continue
    const path = ['routes', index]
    const other = names.get(route.name)
    if (other === undefined) names.set(route.name, index)
    else {
      report.problem([...path, 'name'], {
        found: `is the name of routes[${other}] too`,
        expected: 'a name of its own',
        remedy: `Rename one of the two${report.lineOf(['routes', other, 'name'])}.`,
      })
    }
    checkApart(route, index, routes, taken, report)
  }
}

function checkApart(
  route: RouteDocument,
  index: number,
  routes: readonly (RouteDocument | null)[],
  taken: Map<string, number>,
  report: Report,
): void {
  const rivals = new Set<number>()
  for (const key of requestsOf(route)) {
    const rival = taken.get(key)
    if (rival === undefined) taken.set(key, index)
    else if (rival !== index) rivals.add(rival)
  }
  for (const rival of rivals) {
    const at = ['routes', index, 'match']
    const [own, others] = [
      report.quote(['routes', index, 'name'], route.name),
      report.quote(['routes', rival, 'name'], routes[rival]?.name ?? ''),
    ]
    report.problem(at, {
      found: `of ${own} takes the same requests as that of ${others}${report.lineOf(['routes', rival, 'name'])}`,
      expected: 'two routes that some request can tell apart',
      remedy: 'Give one another host, path, method or condition; names of parameters do not count.',
    })
  }
}

/** One text for each host and method; two routes with one in common are as specific as each other for it. */
function requestsOf({ match }: RouteDocument): readonly string[] {
  const shape = match.path.replaceAll(/(?<=\/):\w+/g, ':')
  const headers = Object.entries(match.headers).map(([name, value]) => ['h', name.toLowerCase(), value])
  const query = Object.entries(match.query).map(([name, value]) => ['q', name, value])
  const conditions = [...headers, ...query].map((condition) => JSON.stringify(condition)).sort()
  const hosts = match.hosts ?? ['']
  const methods = match.methods ?? ROUTE_METHODS
  return hosts.flatMap((host) => methods.map((method) => JSON.stringify([host, shape, method, conditions])))
}
