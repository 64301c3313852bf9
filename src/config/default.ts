import { CLAIM_NAMES } from '../lib/claim.ts'
import type {
  FieldChanges,
  IdentityConfig,
  JwtConfig,
  LogConfig,
  RouteConfig,
  StoreConfig,
  TenantConfig,
  UpstreamConfig,
} from './config.ts'

/** The methods a route takes unless it names its own. */
export const ROUTE_METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']

export const NO_CHANGES: FieldChanges = { set: [], add: [], remove: [] }

/** Every finished exchange has a line with all its fields on standard output. */
export const LOG_DEFAULTS: Omit<LogConfig, 'level'> = {
  access: true,
  output: 'stdout',
  fields: { add: [], redact: [] },
  sampleSuccesses: 1,
  slowerThanMs: null,
}

/** What an upstream is unless the operator says otherwise; every door completes its upstreams with it. */
export const UPSTREAM_DEFAULTS: Omit<UpstreamConfig, 'name' | 'endpoints'> = {
  balance: { kind: 'least-loaded' },
  connections: { max: 100, idle: 20, idleTimeoutMs: 4_000 },
  timeouts: { connectMs: 10_000, headMs: 60_000, idleMs: 60_000, totalMs: null },
  // Nothing was sent: another endpoint may be tried without anybody noticing.
  retry: { attempts: 1, budget: 0.2, on: ['connect'] },
  breaker: null,
  health: null,
  slowStartMs: 0,
  tls: null,
  admission: null,
  streams: null,
  hostHeader: 'upstream',
}

/** What a route is unless the operator says otherwise. */
export const ROUTE_DEFAULTS: Omit<RouteConfig, 'name' | 'match' | 'ending' | 'auth'> = {
  rewrite: null,
  headers: { request: NO_CHANGES, response: NO_CHANGES },
  timeouts: {},
  body: { maxBytes: null },
  policies: [],
  require: null,
  credentials: [{ kind: 'header' }],
  limit: null,
  shadow: [],
}

/** Where the verified tenant is stated unless the operator names another field. */
export const TENANT_HEADER = 'X-Company-ID'

/** Where the signed statement of who calls is, where the operator wants one. */
export const ASSERTION_HEADER = 'X-Tenant-Assertion'

/** Nothing is shared between replicas. */
export const STORE_DEFAULTS: StoreConfig = { redis: null, buckets: 1_048_576 }

/** Tenants without plans. */
export const TENANT_DEFAULTS: TenantConfig = {
  header: TENANT_HEADER,
  plans: [],
  defaultPlan: null,
  planOfTenant: {},
  assertion: null,
}

/** Who verifies by one key of the operator's own, `iss` and `aud` not looked at. */
export function ownIssuer({ key, algorithm, clockSkewS }: JwtConfig): IdentityConfig['issuers'][number] {
  return {
    name: 'default',
    issuer: null,
    audience: [],
    algorithms: [algorithm],
    keys: algorithm.startsWith('HS') ? { kind: 'secret', secret: key } : { kind: 'pem', pem: key },
    clockSkewS,
    maxLifetimeS: null,
    requiredClaims: [],
    claims: CLAIM_NAMES,
  }
}
