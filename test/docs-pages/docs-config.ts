import type { Config, RouteConfig } from '../../src/config/config.ts'
import { LOG_DEFAULTS, ownIssuer, STORE_DEFAULTS, TENANT_DEFAULTS } from '../../src/config/default.ts'
import { routeTo, upstreamOf } from '../support/config-part.ts'

export const STANDARD_ROUTES: readonly RouteConfig[] = [
  routeTo('ingest', '/api/v1/ingest/*', 'required'),
  routeTo('query', '/api/v1/query/*', 'required'),
  routeTo('auth', '/api/auth/*', 'none'),
]

/** A whole config, so that nothing of it can reach a page unseen: every secret and host below is looked for. */
export function docsConfig(
  routes: readonly RouteConfig[] = STANDARD_ROUTES,
  name = 'Nyro API Gateway',
): Config {
  return {
    name,
    production: false,
    listen: {
      host: '0.0.0.0',
      port: 8080,
      timeouts: { headMs: 10_000, bodyMs: 60_000, idleMs: 75_000 },
      maxConnections: 10_000,
    },
    admin: { host: '127.0.0.1', port: 9901, token: 'private-admin-token' },
    workers: 1,
    log: { ...LOG_DEFAULTS, level: 'info' },
    tracing: null,
    trustedProxies: [],
    cors: { origins: '*', maxAgeS: 600 },
    shutdown: { delayMs: 0, timeoutMs: 30_000 },
    docs: true,
    identity: {
      issuers: [ownIssuer({ key: 'private-jwt-key', algorithm: 'HS256', clockSkewS: 0 })],
      apiKeys: null,
    },
    tenant: TENANT_DEFAULTS,
    store: STORE_DEFAULTS,
    upstreams: ['ingest', 'query', 'auth'].map((name) =>
      upstreamOf(name, `http://private-host-of-${name}:80`),
    ),
    routes,
  }
}
