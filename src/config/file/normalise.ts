import type {
  AssertionConfig,
  Config,
  IdentityConfig,
  RouteConfig,
  UpstreamConfig,
  UpstreamTlsConfig,
} from '../config.ts'
import { UPSTREAM_DEFAULTS } from '../default.ts'
import { logConfigOf, tracingConfigOf } from './observe-section.ts'
import type { Overrides } from './override.ts'
import { normaliseTenant } from './plan.ts'
import type { Salvage } from './salvage.ts'
import { endpointsOf } from './upstream-check.ts'
import type { UpstreamDocument } from './upstream-schema.ts'

export interface ConfigParts {
  readonly overrides: Overrides
  readonly cores: number
  /** Makes a path absolute. */
  readonly resolve: (path: string) => string
  readonly identity: IdentityConfig
  readonly assertion: AssertionConfig | null
  readonly upstreams: readonly UpstreamConfig[]
  readonly routes: readonly RouteConfig[]
}

/** The one shape that every door yields, of a document that was judged good. */
export function normalise(document: Salvage['sections'], parts: ConfigParts): Config {
  const { overrides, cores, identity, assertion, upstreams, routes } = parts
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
    identity,
    store: {
      redis: document.store.redis === '' ? null : document.store.redis,
      buckets: document.store.buckets,
    },
    tenant: { ...normaliseTenant(document.tenant), assertion },
    upstreams,
    routes,
  }
}

export function normaliseUpstream(
  name: string,
  document: UpstreamDocument,
  tls: UpstreamTlsConfig | null,
): UpstreamConfig {
  const { balance, connections, timeouts, breaker, health, admission } = document
  return {
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
    admission:
      admission === undefined
        ? null
        : { concurrency: admission.concurrency, queue: admission.queue, timeoutMs: admission.timeout },
    streams: document.streams ?? null,
    hostHeader: document.hostHeader,
  }
}

type HashOn = Extract<UpstreamDocument['balance'], object>['hash']['on']

function hashed(on: HashOn): HashOn {
  return typeof on === 'string' ? on : { header: on.header.toLowerCase() }
}
