import { isDeepStrictEqual } from 'node:util'
import type { Config, RouteConfig, UpstreamConfig } from './config.ts'
import { writtenMember } from './described-value.ts'
import { writtenIssuer, writtenPlan, writtenRest, writtenRoute, writtenUpstream } from './written-form.ts'

/** One effective change between two configs. */
export interface Difference {
  /** Where it is, as the operator writes it: `routes.query.timeouts.head`. */
  readonly path: string
  /** One line without secrets: `route query: timeouts.head 60s → 5s`. */
  readonly words: string
  /** A reload cannot bring it about. */
  readonly needsRestart: boolean
}

/**
 * What changes when `after` takes the place of `before`; empty if nothing does. Lists whose order means nothing
 * (routes, upstreams, issuers, plans, endpoints, methods) are compared without it. Values that may hold secrets are never
 * shown: keys, tokens, hashes, PEM texts, the store's URL, field values, and the data of the operator's own policies are
 * `changed`.
 */
export function configDifference(before: Config, after: Config): readonly Difference[] {
  const { routes: oldRoutes, upstreams: oldUpstreams } = before
  const { routes: newRoutes, upstreams: newUpstreams } = after
  const found: Difference[] = []
  compare(writtenRest(before), writtenRest(after), { path: [], subject: '', subjectDepth: 0 }, found)
  comparePeers(ISSUER, pairs(before.identity.issuers, after.identity.issuers), writtenIssuer, found)
  comparePeers(PLAN, pairs(before.tenant.plans, after.tenant.plans), writtenPlan, found)
  compareTenants(before.tenant.planOfTenant, after.tenant.planOfTenant, found)
  comparePeers(UPSTREAM, pairs(oldUpstreams, newUpstreams), writtenUpstream, found)
  const routes = pairs(oldRoutes, newRoutes).map((pair) => withTimeouts(pair, oldUpstreams, newUpstreams))
  comparePeers(ROUTE, routes, writtenRoute, found)
  return found
}

interface Pair<T> {
  readonly old: T | null
  readonly recent: T | null
}

interface Place {
  /** Names as the operator writes them. */
  readonly path: readonly string[]
  /** `route query`, or empty. */
  readonly subject: string
  /** How many members of `path` the subject stands for. */
  readonly subjectDepth: number
}

/** The addresses are bound and the threads counted once, when the process starts. */
const NEEDS_RESTART = /^(?:listen\.(?:host|port)|admin\..*|log\.output(?:\..*)?|workers|store\.buckets)$/

/** Members whose values may hold secrets, interpolated ones included, or are too long for a line. */
const WITHHELD: ReadonlySet<string> = new Set([
  ...['token', 'secret', 'publicKey', 'redis'],
  ...['key', 'with', 'ca', 'certificate', 'value'],
])

/** Things of one kind, each with a name. */
interface Kind {
  /** As a line calls one. */
  readonly noun: string
  /** Where they stand. */
  readonly path: readonly string[]
}

const ROUTE: Kind = { noun: 'route', path: ['routes'] }
const UPSTREAM: Kind = { noun: 'upstream', path: ['upstreams'] }
const ISSUER: Kind = { noun: 'issuer', path: ['identity', 'jwt'] }
const PLAN: Kind = { noun: 'plan', path: ['tenant', 'plans'] }

function comparePeers<T extends { readonly name: string }>(
  { noun, path }: Kind,
  peers: readonly Pair<T>[],
  view: (peer: T) => unknown,
  found: Difference[],
): void {
  for (const { old, recent } of peers) {
    // Nearly all of ten thousand routes are as they were: this takes a third of the time of comparing them in words.
    if (isDeepStrictEqual(old, recent)) continue
    const name = (old ?? recent)?.name ?? ''
    const place = { path: [...path, name], subject: `${noun} ${name}`, subjectDepth: path.length + 1 }
    if (old !== null && recent !== null) compare(view(old), view(recent), place, found)
    else report(place, recent === null ? 'removed' : 'added', found)
  }
}

/** Names of tenants may be any text, members' names too: they are compared by themselves. */
function compareTenants(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
  found: Difference[],
): void {
  const [left, right] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  for (const tenant of new Set([...left.keys(), ...right.keys()])) {
    const [old, recent] = [left.get(tenant) ?? 'none', right.get(tenant) ?? 'none']
    const place = { path: ['tenant', 'plan', tenant], subject: '', subjectDepth: 0 }
    if (old !== recent) report(place, `${old} → ${recent}`, found)
  }
}

function compare(before: unknown, after: unknown, place: Place, found: Difference[]): void {
  if (Array.isArray(before) && Array.isArray(after)) {
    compareLists(before, after, place, found)
    return
  }
  if (!isObject(before) || !isObject(after) || Array.isArray(before) || Array.isArray(after)) {
    reportValues('', before, after, place, found)
    return
  }
  const left = membersOf(before)
  const right = membersOf(after)
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const inside = { ...place, path: [...place.path, writtenMember(key).name] }
    const [old, recent] = [left.get(key) ?? null, right.get(key) ?? null]
    if (old === recent) continue
    if (isObject(old) && isObject(recent) && !WITHHELD.has(key)) compare(old, recent, inside, found)
    else reportValues(key, old, recent, inside, found)
  }
}

function reportValues(key: string, before: unknown, after: unknown, place: Place, found: Difference[]): void {
  const values = [before ?? null, after ?? null].map((value) => JSON.stringify(sorted(value)))
  if (values[0] === values[1]) return
  const change = WITHHELD.has(key)
    ? changeOf(before, after)
    : `${describe(key, before)} → ${describe(key, after)}`
  report(place, change, found)
}

function changeOf(before: unknown, after: unknown): string {
  if (before === null || before === undefined) return 'added'
  return after === null || after === undefined ? 'removed' : 'changed'
}

/** Each item by what it is: itself, its URL, its name, its module. Several of one name are one item. */
function compareLists(
  before: readonly unknown[],
  after: readonly unknown[],
  place: Place,
  found: Difference[],
): void {
  const left = Map.groupBy(before, identify)
  const right = Map.groupBy(after, identify)
  const noun = place.path.at(-1) === 'endpoints' ? 'endpoint' : place.path.slice(place.subjectDepth).join('.')
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const inside = { ...place, path: [...place.path, name] }
    const items = [left.get(name), right.get(name)].map((list) => (list === undefined ? null : sorted(list)))
    const [old, recent] = items.map((list) => JSON.stringify(list))
    if (old === recent) continue
    found.push(differenceAt(inside, `${noun} ${name} ${changeOf(items[0], items[1])}`))
  }
  const wasMoved = place.path.at(-1) === 'policies' && isReordered(before, after)
  if (wasMoved) found.push(differenceAt(place, 'policies asked in another order'))
}

function isReordered(before: readonly unknown[], after: readonly unknown[]): boolean {
  const [left, right] = [before.map(identify), after.map(identify)]
  const isSame = JSON.stringify(left.toSorted()) === JSON.stringify(right.toSorted())
  return isSame && JSON.stringify(left) !== JSON.stringify(right)
}

function identify(item: unknown): string {
  if (!isObject(item)) return String(item)
  const members = membersOf(item)
  return String(members.get('name') ?? members.get('url') ?? members.get('use'))
}

function report(place: Place, change: string, found: Difference[]): void {
  found.push(differenceAt(place, `${place.path.slice(place.subjectDepth).join('.')} ${change}`))
}

function differenceAt({ path, subject }: Place, clause: string): Difference {
  const joined = path.join('.')
  const colon = subject === '' || clause.startsWith(' ') ? '' : ': '
  return {
    path: oneLine(joined),
    words: oneLine(`${subject}${colon}${clause}`),
    needsRestart: NEEDS_RESTART.test(joined),
  }
}

/** Names and values are the operator's: what they hold must not break a line or steer a terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\uFFFD')
}

function describe(key: string, value: unknown): string {
  const member = writtenMember(key)
  if (value === null || value === undefined) return member.absent
  if (WITHHELD.has(key)) return '(not shown)'
  if (typeof value === 'number') return member.describe(value)
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (Array.isArray(value)) {
    if (value.length === 0) return 'none'
    return value.map((item) => (isObject(item) ? identify(item) : describe('', item))).join(', ')
  }
  if (!isObject(value)) return String(value)
  const members = Object.entries(value).filter(([, inner]) => inner !== null)
  if (members.length === 0) return 'none'
  return members.map(([name, inner]) => `${writtenMember(name).name} ${describe(name, inner)}`).join(', ')
}

/** Members in the order of their names, so that texts of equals are equal. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return members.map(([name, inner]) => [name, sorted(inner)])
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function membersOf(value: object): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(value))
}

function pairs<T extends { readonly name: string }>(
  old: readonly T[],
  recent: readonly T[],
): readonly Pair<T>[] {
  const left = new Map(old.map((item) => [item.name, item]))
  const right = new Map(recent.map((item) => [item.name, item]))
  const names = new Set([...left.keys(), ...right.keys()])
  return [...names].map((name) => ({ old: left.get(name) ?? null, recent: right.get(name) ?? null }))
}

/** Where only one of the two sets a timeout, the other has that of its upstream in force. */
function withTimeouts(
  { old, recent }: Pair<RouteConfig>,
  oldUpstreams: readonly UpstreamConfig[],
  newUpstreams: readonly UpstreamConfig[],
): Pair<RouteConfig> {
  if (old === null || recent === null) return { old, recent }
  return {
    old: { ...old, timeouts: { ...inForce(old, recent, oldUpstreams), ...old.timeouts } },
    recent: { ...recent, timeouts: { ...inForce(recent, old, newUpstreams), ...recent.timeouts } },
  }
}

/** Of the timeouts that `other` sets, those of the route's upstream; of several upstreams the first speaks. */
function inForce(
  { ending }: RouteConfig,
  other: RouteConfig,
  upstreams: readonly UpstreamConfig[],
): RouteConfig['timeouts'] {
  if (ending.kind === 'redirect') return {}
  const upstream = upstreams.find(({ name }) => name === ending.upstreams[0]?.name)
  if (upstream === undefined) return {}
  const { headMs, idleMs, totalMs } = upstream.timeouts
  const { timeouts } = other
  return {
    ...('headMs' in timeouts ? { headMs } : {}),
    ...('idleMs' in timeouts ? { idleMs } : {}),
    ...('totalMs' in timeouts ? { totalMs } : {}),
  }
}
