import type {
  Config,
  FieldChanges,
  JwtConfig,
  NamedValue,
  RewriteConfig,
  RouteConfig,
  RouteEnding,
  UpstreamConfig,
  UpstreamTlsConfig,
} from '../config.ts'
import {
  NO_CHANGES,
  ownIssuer,
  ROUTE_DEFAULTS,
  ROUTE_METHODS,
  TENANT_DEFAULTS,
  UPSTREAM_DEFAULTS,
} from '../default.ts'
import { logConfigOf, tracingConfigOf } from './observe-section.ts'
import type { Overrides } from './override.ts'
import { targetsOf } from './route-check.ts'
import type { RouteDocument } from './route-schema.ts'
import type { Salvage } from './salvage.ts'
import { endpointsOf } from './upstream-check.ts'
import type { UpstreamDocument } from './upstream-schema.ts'

export interface ConfigParts {
  readonly overrides: Overrides
  readonly cores: number
  /** Makes a path absolute. */
  readonly resolve: (path: string) => string
  readonly jwt: JwtConfig | null
  readonly upstreams: readonly UpstreamConfig[]
  readonly routes: readonly RouteConfig[]
}

/** The one shape that every door yields, of a document that was judged good. */
export function normalise(document: Salvage['sections'], parts: ConfigParts): Config {
  const { overrides, cores, jwt, upstreams, routes } = parts
  const { listen, admin, cors, shutdown } = document
  const log = logConfigOf(document.log, parts.resolve)
  return {
    name: document.name,
    production: document.production,
    listen: {
      host: overrides.HOST ?? listen.host,
      port: overrides.PORT ?? listen.port,
      timeouts: {
        headMs: listen.timeouts.head,
        bodyMs: listen.timeouts.body,
        idleMs: listen.timeouts.idle,
      },
      maxConnections: listen.maxConnections,
    },
    admin: {
      host: overrides.ADMIN_HOST ?? admin.host,
      port: overrides.ADMIN_PORT ?? admin.port,
      token: overrides.ADMIN_TOKEN ?? admin.token ?? null,
    },
    workers: overrides.WORKERS ?? document.workers ?? Math.max(1, cores),
    log: { ...log, level: overrides.LOG_LEVEL ?? log.level },
    tracing: tracingConfigOf(document.tracing),
    trustedProxies: document.trustedProxies,
    cors: {
      origins: cors.origins ?? (document.production ? [] : '*'),
      maxAgeS: Math.round(cors.maxAge / 1_000),
    },
    shutdown: {
      delayMs: overrides.SHUTDOWN_DELAY ?? shutdown.delay,
      timeoutMs: overrides.SHUTDOWN_TIMEOUT ?? shutdown.timeout,
    },
    docs: document.docs,
    identity: { issuers: jwt === null ? [] : [ownIssuer(jwt)], apiKeys: null },
    store: { redis: null },
    tenant: { ...TENANT_DEFAULTS, header: document.tenant.header },
    upstreams,
    routes,
  }
}

export function normaliseUpstream(
  name: string,
  document: UpstreamDocument,
  tls: UpstreamTlsConfig | null,
): UpstreamConfig {
  const { balance, connections, timeouts, breaker, health } = document
  return {
    ...UPSTREAM_DEFAULTS,
    name,
    endpoints: endpointsOf(document).map((url) => ({ url })),
    balance: typeof balance === 'string' ? { kind: balance } : { kind: 'hash', on: hashed(balance.hash.on) },
    connections: {
      max: connections.max,
      idle: connections.idle ?? Math.min(UPSTREAM_DEFAULTS.connections.idle, connections.max),
      idleTimeoutMs: connections.idleTimeout,
    },
    timeouts: {
      connectMs: timeouts.connect,
      headMs: timeouts.head,
      idleMs: timeouts.idle,
      totalMs: timeouts.total,
    },
    retry: { ...document.retry, on: [...new Set(document.retry.on)] },
    breaker:
      breaker === 'off'
        ? null
        : {
            failures: breaker.failures,
            windowMs: breaker.window,
            minimum: breaker.minimum,
            openMs: breaker.open,
          },
    health:
      health === 'off'
        ? null
        : {
            path: health.path,
            intervalMs: health.interval,
            timeoutMs: health.timeout,
            down: health.down,
            up: health.up,
          },
    slowStartMs: document.slowStart,
    tls,
    hostHeader: document.hostHeader,
  }
}

type HashOn = Extract<UpstreamDocument['balance'], object>['hash']['on']

function hashed(on: HashOn): HashOn {
  return typeof on === 'string' ? on : { header: on.header.toLowerCase() }
}

export interface RouteParts {
  readonly hasIdentity: boolean
  /** Absolute paths of the policies' modules, in their order. */
  readonly modules: readonly string[]
}

export function normaliseRoute(document: RouteDocument, { hasIdentity, modules }: RouteParts): RouteConfig {
  const { match, timeouts, rewrite } = document
  return {
    ...ROUTE_DEFAULTS,
    name: document.name,
    match: {
      hosts: [...new Set(match.hosts ?? [])],
      path: match.path,
      methods: [...new Set(match.methods ?? ROUTE_METHODS)],
      headers: namedValues(match.headers).map(({ name, value }) => ({ name: name.toLowerCase(), value })),
      query: namedValues(match.query),
    },
    ending: endingOf(document),
    auth: document.auth ?? (hasIdentity && document.redirect === undefined ? 'required' : 'none'),
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
  }
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
