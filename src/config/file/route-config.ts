import type { FieldChanges, NamedValue, RewriteConfig, RouteConfig, RouteEnding } from '../config.ts'
import { NO_CHANGES, ROUTE_METHODS } from '../default.ts'
import { rateNumbers } from './plan.ts'
import { authOf, targetsOf } from './route-meaning.ts'
import type { RouteDocument } from './route-schema.ts'

export interface RouteParts {
  readonly hasIdentity: boolean
  /** Absolute paths of the policies' modules, in their order. */
  readonly modules: readonly string[]
}

export function normaliseRoute(document: RouteDocument, { hasIdentity, modules }: RouteParts): RouteConfig {
  const { match, timeouts, rewrite } = document
  const auth = authOf(document, { hasIdentity })
  return {
    name: document.name,
    match: {
      hosts: [...new Set(match.hosts ?? [])],
      path: match.path,
      methods: [...new Set(match.methods ?? ROUTE_METHODS)],
      headers: namedValues(match.headers).map(({ name, value }) => ({ name: name.toLowerCase(), value })),
      query: namedValues(match.query),
    },
    ending: endingOf(document),
    auth,
    rewrite: rewriteOf(rewrite?.stripPrefix ?? '', rewrite?.addPrefix ?? ''),
    headers: {
      request: fieldChanges(document.headers.request),
      response: fieldChanges(document.headers.response),
    },
    timeouts: {
      ...(timeouts.head === undefined ? {} : { headMs: timeouts.head }),
      ...(timeouts.idle === undefined ? {} : { idleMs: timeouts.idle }),
      ...(timeouts.total === undefined ? {} : { totalMs: timeouts.total }),
    },
    body: { maxBytes: document.body.max },
    policies: document.policies.map((policy, index) => ({
      use: modules[index] ?? '',
      with: policy.with ?? null,
    })),
    require: requireOf(document.require),
    credentials: distinct(document.credentials),
    limit: limitOf(document.limit, auth),
    shadow: [...new Set(document.shadow)],
  }
}

function requireOf(document: RouteDocument['require']): RouteConfig['require'] {
  if (document === undefined) return null
  const claims = Object.entries(document.claims).map(([name, values]) => [
    name,
    Array.isArray(values) ? [...new Set(values)] : [values],
  ])
  return { scopes: [...new Set(document.scopes)], claims: Object.fromEntries(claims) }
}

function limitOf(document: RouteDocument['limit'], auth: RouteConfig['auth']): RouteConfig['limit'] {
  if (document === undefined) return null
  const { per = auth === 'none' ? 'ip' : 'tenant', rate, burst, onStoreError } = document
  return { per, rate: rateNumbers(rate, burst), onStoreError }
}

function distinct(sources: RouteConfig['credentials']): RouteConfig['credentials'] {
  return [...new Map(sources.map((source) => [JSON.stringify(source), source])).values()]
}

function rewriteOf(stripPrefix: string, addPrefix: string): RewriteConfig | null {
  return stripPrefix === '' && addPrefix === '' ? null : { stripPrefix, addPrefix }
}

function endingOf(document: RouteDocument): RouteEnding {
  const { redirect } = document
  if (redirect === undefined) return { kind: 'forward', upstreams: targetsOf(document) }
  return {
    kind: 'redirect',
    status: redirect.status,
    scheme: redirect.scheme ?? null,
    host: redirect.host ?? null,
    port: redirect.port ?? null,
    path: redirect.path ?? null,
  }
}

function fieldChanges({ set, add, remove }: RouteDocument['headers']['request']): FieldChanges {
  const changes = {
    set: namedValues(set),
    add: namedValues(add),
    remove: [...new Set(remove.map((name) => name.toLowerCase()))],
  }
  return changes.set.length + changes.add.length + changes.remove.length === 0 ? NO_CHANGES : changes
}

function namedValues(record: Readonly<Record<string, string>>): readonly NamedValue[] {
  return Object.entries(record).map(([name, value]) => ({ name, value }))
}
