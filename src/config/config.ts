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
  /** CIDRs (or single addresses) whose forwarding fields are believed. */
  readonly trustedProxies: readonly string[]
  readonly cors: CorsConfig
  readonly shutdown: ShutdownConfig
  /** Serve `/docs`, `/redoc` and `/openapi.json`. */
  readonly docs: boolean
  readonly identity: IdentityConfig
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

export type JwtAlgorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'

export interface IdentityConfig {
  /** Null where no route verifies tokens. */
  readonly jwt: JwtConfig | null
}

export interface JwtConfig {
  /** HMAC secret (its UTF-8 bytes are the key), or a PEM public key for the asymmetric algorithms. Never printed. */
  readonly key: string
  /** Exactly this one is accepted. */
  readonly algorithm: JwtAlgorithm
  /** Leeway for exp and nbf, seconds. Default 0. */
  readonly clockSkewS: number
}

export interface UpstreamConfig {
  /** Named in failures and logs: ingest, query, auth. */
  readonly name: string
  /** `http://host:port/base` or https. A base path is put before the received path. */
  readonly url: string
  readonly connections: {
    /** Open connections, whole process. */
    readonly max: number
    /** Kept once idle for a second, whole process. */
    readonly idle: number
    /** Longest an idle connection is kept. Default 4 s, below the 5 s most servers keep theirs. */
    readonly idleTimeoutMs: number
  }
  readonly timeouts: {
    readonly connectMs: number
    /** From the request's last byte to the response head. */
    readonly headMs: number
    /** Longest pause without progress, before the request's last byte and within bodies. */
    readonly idleMs: number
  }
}

export interface RouteConfig {
  readonly name: string
  /** A literal path, or a prefix ending in slash-star; the prefix without its slash belongs to it too. */
  readonly path: string
  readonly methods: readonly string[]
  readonly upstream: string
  readonly auth: 'required' | 'none'
}
