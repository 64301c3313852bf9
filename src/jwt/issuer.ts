import type { ClaimNames } from '../lib/claim.ts'

/** Of RFC 7518 section 3.1 and RFC 8037. */
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

/** Somebody whose tokens are believed: what was written, plain data. `findIssuerProblems` judges it. */
export interface IssuerConfig {
  /** As logs, metrics and `Identity.issuer` name it; no two alike. */
  readonly name: string
  /** Takes tokens whose `iss` is exactly this. Null: those whose `iss` no other issuer claims; one of all may be so. */
  readonly issuer: string | null
  /** `aud` must hold one of them. Empty: it is not looked at. */
  readonly audience: readonly string[]
  /** Exactly these are accepted; a key verifies those of them that it fits. */
  readonly algorithms: readonly JwtAlgorithm[]
  readonly keys: KeySource
  /** Leeway at both ends of a token's time, seconds. */
  readonly clockSkewS: number
  /** Longest from `iat` to `exp`, seconds; `iat` is required then. Null: any. */
  readonly maxLifetimeS: number | null
  /** Must be there and not null, beside subject, tenant and `exp`. At most 16. */
  readonly requiredClaims: readonly string[]
  readonly claims: ClaimNames
}

export type KeySource =
  /** For HS*: its UTF-8 bytes. Never printed. */
  | { readonly kind: 'secret'; readonly secret: string }
  /** A public key or certificate. */
  | { readonly kind: 'pem'; readonly pem: string }
  | RemoteKeySource

/** Keys that control fetches: from this URL, or from where the issuer's discovery document says (OpenID Connect Discovery 1.0). */
export interface RemoteKeySource {
  readonly kind: 'jwks' | 'discovery'
  /** `jwks`: of the key set. `discovery`: the issuer itself, without the well-known path. */
  readonly url: string
  /** Longest between two fetches; a shorter Cache-Control max-age is kept. Default 10 min. */
  readonly refreshMs: number
  /** Shortest between two fetches, whoever asks. Default 30 s. */
  readonly cooldownMs: number
  /** How long the last good keys serve while fetching fails. Default 24 h. */
  readonly maxStaleMs: number
  /** Hosts that may be asked without TLS, beside loopback. */
  readonly plainHosts: readonly string[]
}
