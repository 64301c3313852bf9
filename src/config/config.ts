import type { AdmissionConfig } from '../admission/scheduler.ts'
import type { CredentialSource } from '../identity/credential-source.ts'
import type { IssuerConfig, JwtAlgorithm } from '../jwt/issuer.ts'
import type { PlanConfig, RequireConfig, RouteLimitConfig } from './demand.ts'

/**
 * What the operator wrote, validated: plain data that any thread may receive by structured clone.
 * Every door (environment, file) yields this shape; `worker/` compiles it into a Snapshot.
 */
export interface Config {
  /** Shown in `/`, `/health`, the docs pages and logs. */
  readonly name: string
  /** Tightens defaults (no CORS origin unless listed). */
  readonly production: boolean
  readonly listen: ListenConfig
  readonly admin: AdminConfig
  /** Data threads. */
  readonly workers: number
  readonly log: LogConfig
  /** Null: no traces are made, and trace fields pass like any other. */
  readonly tracing: TracingConfig | null
  /** CIDRs (or single addresses) whose forwarding fields are believed. */
  readonly trustedProxies: readonly string[]
  readonly cors: CorsConfig
  readonly shutdown: ShutdownConfig
  /** Serve `/docs`, `/redoc` and `/openapi.json`. */
  readonly docs: boolean
  readonly identity: IdentityConfig
  readonly store: StoreConfig
  readonly tenant: TenantConfig
  readonly upstreams: readonly UpstreamConfig[]
  readonly routes: readonly RouteConfig[]
}

export interface ListenConfig {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly timeouts: {
    /** From a connection's first byte of a head to the end of that head. Default 10 s. */
    readonly headMs: number
    /** Longest pause within a request body. Default 60 s. */
    readonly bodyMs: number
    /** Longest a connection may wait for its next request. Default 75 s. */
    readonly idleMs: number
  }
  /** Open client connections, whole process. Default 10,000. */
  readonly maxConnections: number
}

export interface AdminConfig {
  readonly host: string
  readonly port: number
  /** Required unless the host is loopback. Never printed. */
  readonly token: string | null
}

export type LogLevel = 'debug' | 'info' | 'warning' | 'error' | 'critical'

export interface LogConfig {
  readonly level: LogLevel
  /** One line per finished exchange. */
  readonly access: boolean
  /** Where all lines go. A file is written by its absolute path and opened again on SIGUSR1. */
  readonly output: 'stdout' | { readonly file: string }
  /** Of access lines. */
  readonly fields: {
    readonly add: readonly LogFieldConfig[]
    /** Left out of access lines, of debug lines and of spans. */
    readonly redact: readonly RedactedField[]
  }
  /** Share of the access lines of exchanges that succeeded and were not slow, 0 … 1. Default 1. */
  readonly sampleSuccesses: number
  /** An exchange that took so long has `"slow":true` in its line, and always has one; null: none is slow. */
  readonly slowerThanMs: number | null
}

/** Fields that say who it was, or what for. */
export type RedactedField = 'client_ip' | 'company_id' | 'subject' | 'path'

/** A field of every access line: the same in each, or the first value of a request field (lower case) where there is one. */
export type LogFieldConfig =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly header: string }

export interface TracingConfig {
  /** Where spans go: an OTLP/HTTP URL such as `http://collector:4318/v1/traces`. */
  readonly endpoint: string
  /** Share of exchanges whose trace is kept where no trusted proxy says, 0 … 1. Default 0.01. */
  readonly sample: number
  /** Sent with every export. Values are never printed. */
  readonly headers: readonly NamedValue[]
  /** How the gateway is called in traces. Default nyro-gateway. */
  readonly serviceName: string
}

export interface CorsConfig {
  /** `'*'` is never combined with credentials; listed origins are reflected with them. */
  readonly origins: '*' | readonly string[]
  readonly maxAgeS: number
}

export interface ShutdownConfig {
  /** Between "not ready" and closing the listeners. */
  readonly delayMs: number
  /** From the signal to the end, whatever still runs. */
  readonly timeoutMs: number
}

export interface IdentityConfig {
  /** Whose tokens are believed; empty: nobody's. */
  readonly issuers: readonly IssuerConfig[]
  /** Null: no API keys are believed. */
  readonly apiKeys: ApiKeysConfig | null
}

export interface ApiKeysConfig {
  /** The request field keys come in, which no upstream sees. Default X-API-Key. */
  readonly field: string
  /** The entries of the key file as it was read, plain data; `parseApiKeys` has judged them. Hashes, never keys. */
  readonly entries: readonly unknown[]
}

/** What replicas share. */
export interface StoreConfig {
  /** `redis://` or `rediss://` URL of Redis or Valkey; null: this process's memory. Never printed. */
  readonly redis: string | null
  /**
   * How many buckets of limits this process remembers at once, 20 bytes each of which the system provides what is used;
   * twice the number of keys that are to be held. Full ones are forgotten first. A restart changes it. Default 1,048,576.
   */
  readonly buckets: number
}

export interface TenantConfig {
  /** The request field that states the verified tenant. Default X-Company-ID. */
  readonly header: string
  /** What tenants may do over all routes; empty: whatever they like. */
  readonly plans: readonly TenantPlanConfig[]
  /** For tenants without a plan or with an unknown one; one of `plans`. Null where there are none. */
  readonly defaultPlan: string | null
  /** Plans of single tenants, which win over what a credential claims. */
  readonly planOfTenant: Readonly<Record<string, string>>
  /** Null: the tenant is stated in `header` alone. */
  readonly assertion: AssertionConfig | null
}

/** A signed statement of who calls, for upstreams that want proof (RFC 7515, ES256). */
export interface AssertionConfig {
  /** The request field that holds it. Default X-Tenant-Assertion. */
  readonly header: string
  /** How long one is good for, never beyond the credential. Default 60 s. */
  readonly ttlS: number
  /** What `iss` says. Default nyro-gateway. */
  readonly issuer: string
  /** What `aud` says; null: nothing. */
  readonly audience: string | null
  /** PEM private key on P-256; null: keys that the process makes and changes every day. Never printed. */
  readonly key: string | null
}

/** A plan; null members do not limit. Default weight: 1. */
export type TenantPlanConfig = PlanConfig

/** A key of the operator's own, from which `ownIssuer` makes an issuer. */
export interface JwtConfig {
  /** HMAC secret (its UTF-8 bytes are the key), or a PEM public key for the asymmetric algorithms. Never printed. */
  readonly key: string
  /** Exactly this one is accepted. */
  readonly algorithm: JwtAlgorithm
  /** Leeway for exp and nbf, seconds. Default 0. */
  readonly clockSkewS: number
}

/** A service behind the gateway: where it can be reached and how it is treated when it fails. */
export interface UpstreamConfig {
  /** Named in failures and logs: ingest, query, auth. */
  readonly name: string
  /** At least one. All have the same scheme and base path. A name with several addresses is several endpoints. */
  readonly endpoints: readonly EndpointConfig[]
  readonly balance: BalanceConfig
  readonly connections: {
    /** Open connections, whole process. */
    readonly max: number
    /** Kept once idle for a second, whole process. */
    readonly idle: number
    /** Longest an idle connection is kept. Default 4 s, below the 5 s most servers keep theirs. */
    readonly idleTimeoutMs: number
  }
  readonly timeouts: TimeoutConfig
  readonly retry: RetryConfig
  /** Null: no endpoint is taken out of service for what it answers. */
  readonly breaker: BreakerConfig | null
  /** Null: endpoints are not probed. */
  readonly health: HealthConfig | null
  /** How long an endpoint that came back takes to get its whole share. Default 0: at once. */
  readonly slowStartMs: number
  /** Of https endpoints; null takes the defaults. */
  readonly tls: UpstreamTlsConfig | null
  /** How many exchanges it takes at once, and who waits for how long; null: all at once. */
  readonly admission: AdmissionConfig | null
  /** WebSockets, event streams and responses open for 10 s, counted apart; null: without limit. */
  readonly streams: StreamsConfig | null
  /** What Host says: the endpoint's own authority (default), or what the client sent. */
  readonly hostHeader: 'upstream' | 'keep'
}

export interface EndpointConfig {
  /** `http://host:port/base` or https. A base path is put before the received path. */
  readonly url: string
}

/** `least-loaded`: of two drawn at random the one with fewer exchanges (Mitzenmacher 2001). Default. */
export type BalanceConfig =
  | { readonly kind: 'least-loaded' }
  | { readonly kind: 'round-robin' }
  | {
      readonly kind: 'hash'
      /** What is hashed; an exchange without it is balanced as `least-loaded`. */
      readonly on: 'tenant' | 'subject' | 'ip' | 'path' | { readonly header: string }
    }

export interface TimeoutConfig {
  readonly connectMs: number
  /** From the request's last byte to the response head. */
  readonly headMs: number
  /** Longest pause without progress, before the request's last byte and within bodies. */
  readonly idleMs: number
  /** The whole exchange, tunnels and event streams excepted; null: no limit. */
  readonly totalMs: number | null
}

/** `connect`: nothing was sent. `reset`: the connection ended before a response. Numbers: the response's status. */
export type RetryCondition = 'connect' | 'reset' | number

export interface RetryConfig {
  /** Tries after the first; 0: none. */
  readonly attempts: number
  /** Retries of the last 10 s never exceed max(3, budget × first tries), whole process. 0 … 1. */
  readonly budget: number
  readonly on: readonly RetryCondition[]
}

export interface BreakerConfig {
  /** The share of failures that opens it, 0 … 1. */
  readonly failures: number
  readonly windowMs: number
  /** Fewer exchanges than this in a window say nothing. */
  readonly minimum: number
  /** How long it stays open before one exchange probes. */
  readonly openMs: number
}

export interface HealthConfig {
  /** Asked with GET, base path before it; 200 to 399 is healthy. */
  readonly path: string
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Failures in a row that take an endpoint out of service. */
  readonly down: number
  /** Successes in a row that bring it back. */
  readonly up: number
}

export interface UpstreamTlsConfig {
  /** PEM certificates to trust instead of the system's; null: the system's. */
  readonly ca: string | null
  /** PEM certificate and key the gateway shows; both or neither. The key is never printed. */
  readonly certificate: string | null
  readonly key: string | null
  /** Name to ask for and to verify instead of the endpoint's host; null: the host. */
  readonly serverName: string | null
}

export interface RouteConfig {
  readonly name: string
  readonly match: MatchConfig
  readonly ending: RouteEnding
  /** `optional`: a valid credential is believed, a bad one refused, none admitted. */
  readonly auth: 'required' | 'optional' | 'none'
  /** Acts on the received path, on segment boundaries; null: the path goes as it came. */
  readonly rewrite: RewriteConfig | null
  readonly headers: { readonly request: FieldChanges; readonly response: FieldChanges }
  /** Instead of the upstream's. */
  readonly timeouts: Partial<Omit<TimeoutConfig, 'connectMs'>>
  readonly body: {
    /** Larger request bodies are refused with 413; null: no limit. */
    readonly maxBytes: number | null
  }
  /** The operator's own, asked in this order after identity. */
  readonly policies: readonly UserPolicyConfig[]
  /** What an identity must have; null: nothing more than being one. */
  readonly require: RequireConfig | null
  /** Where a credential may stand. Default: header. */
  readonly credentials: readonly CredentialSource[]
  /** On top of the tenant's plan; null: none. Its name is the route's. */
  readonly limit: Omit<RouteLimitConfig, 'name'> | null
  /** Kinds of policies that decide, are counted and logged, and enforce nothing. */
  readonly shadow: readonly string[]
}

export interface StreamsConfig {
  /** At once, whole process. */
  readonly max: number
  readonly perTenant: number
  /** Ends a stream when its credential expires. Default true. One whose credential is revoked is ended anyway. */
  readonly endAtExpiry: boolean
}

/** Most specific wins, whatever the order of routes. */
export interface MatchConfig {
  /** Lower case; exact, or `*.` before a domain: any name below it. Empty: any host. */
  readonly hosts: readonly string[]
  /** Literal segments, `:name` for one segment, `/*` at the end for it and everything below. */
  readonly path: string
  readonly methods: readonly string[]
  /** All of them; names in lower case, values exact. */
  readonly headers: readonly NamedValue[]
  /** All of them, by the first parameter of that name as written, nothing decoded. */
  readonly query: readonly NamedValue[]
}

export interface NamedValue {
  readonly name: string
  readonly value: string
}

/** What becomes of an exchange that the policies admit. */
export type RouteEnding =
  | {
      readonly kind: 'forward'
      /** At least one; drawn by weight for each exchange. Weights are whole numbers; 0 gets nothing. */
      readonly upstreams: readonly { readonly name: string; readonly weight: number }[]
    }
  | ({ readonly kind: 'redirect' } & RedirectConfig)

/** Null members stay as the request has them; the query always does. */
export interface RedirectConfig {
  /** 301, 302, 303, 307 or 308. */
  readonly status: number
  readonly scheme: 'http' | 'https' | null
  readonly host: string | null
  /** Null where `scheme` is given: that scheme's own. */
  readonly port: number | null
  /** Whole path; null: the received one, after the route's `rewrite`. */
  readonly path: string | null
}

export interface RewriteConfig {
  /** `/v2`; empty: nothing is stripped. */
  readonly stripPrefix: string
  /** `/api/v1`; empty: nothing is added. */
  readonly addPrefix: string
}

export interface FieldChanges {
  /** Instead of every field of that name. */
  readonly set: readonly NamedValue[]
  /** Beside fields of that name. */
  readonly add: readonly NamedValue[]
  /** Names in lower case. */
  readonly remove: readonly string[]
}

export interface UserPolicyConfig {
  /** Absolute path of the module. */
  readonly use: string
  /** Plain data, judged by the policy's own schema. */
  readonly with: unknown
}
