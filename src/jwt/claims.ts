import type { Identity } from '../proxy/exchange.ts'
import type { ClaimRules } from './claim-rule.ts'
import { parseJsonObject } from './json-object.ts'
import { keptClaims, scopesOf } from './kept-claim.ts'
import { tenantClaim } from './tenant-claim.ts'
import {
  TENANT_INVALID,
  TOKEN_EXPIRED,
  TOKEN_INVALID,
  TOKEN_NOT_YET_VALID,
  type TokenFailure,
} from './token-failure.ts'

export type Claims = Readonly<Record<string, unknown>>

/** Claims that name somebody, and when they may be believed: from `startsAtS` until `identity.expiresAtS`. */
export interface AcceptedClaims {
  readonly ok: true
  readonly identity: Identity
  /** Seconds since the epoch; -Infinity where the token does not say. */
  readonly startsAtS: number
}

/**
 * Judges the claims of a token whose signature holds (RFC 7519 section 4.1), in the order of the contract: types, whose
 * and for whom, time, presence, lifetime, tenant. The clock skew widens both ends and is contained in the times returned.
 */
export function judgeClaims(payload: Buffer, rules: ClaimRules, nowS: number): AcceptedClaims | TokenFailure {
  const claims = parseClaims(payload)
  if (claims === null) return TOKEN_INVALID
  const { names } = rules
  const exp = claimOf(claims, 'exp')
  const nbf = claimOf(claims, 'nbf')
  const subject = claimOf(claims, names.subject)
  if (exp !== undefined && !Number.isFinite(exp)) return TOKEN_INVALID // 1e400 is JSON, but Infinity
  if (subject !== undefined && (typeof subject !== 'string' || subject === '')) return TOKEN_INVALID
  if (nbf !== undefined && !Number.isFinite(nbf)) return TOKEN_INVALID
  if (rules.issuer !== null && claimOf(claims, 'iss') !== rules.issuer) return TOKEN_INVALID
  if (rules.audience !== null && !isFor(claimOf(claims, 'aud'), rules.audience)) return TOKEN_INVALID

  const expiresAtS = typeof exp === 'number' ? exp + rules.clockSkewS : Number.POSITIVE_INFINITY
  const startsAtS = typeof nbf === 'number' ? nbf - rules.clockSkewS : Number.NEGATIVE_INFINITY
  const untimely = judgeTime(startsAtS, expiresAtS, nowS)
  if (untimely !== null) return untimely

  const missing = rules.required.find(claims)
  if (missing !== null) return missing
  if (rules.maxLifetimeS !== null && !livesAtMost(claims, rules.maxLifetimeS, nowS + rules.clockSkewS))
    return TOKEN_INVALID
  const tenant = tenantClaim(claimOf(claims, names.tenant), payload, names.tenant)
  if (tenant === null) return TENANT_INVALID

  const plan = claimOf(claims, names.plan)
  const jti = claimOf(claims, 'jti')
  const identity: Identity = Object.freeze({
    subject: subject as string, // the first of the required claims, whose type was judged above
    tenant,
    expiresAtS,
    plan: typeof plan === 'string' && plan !== '' ? plan : null,
    scopes: scopesOf(claimOf(claims, names.scopes)),
    claims: keptClaims(claims, rules.kept),
    issuer: rules.issuerName,
    jti: typeof jti === 'string' ? jti : null,
  })
  return { ok: true, identity, startsAtS }
}

export function judgeTime(startsAtS: number, expiresAtS: number, nowS: number): TokenFailure | null {
  if (nowS >= expiresAtS) return TOKEN_EXPIRED
  if (nowS < startsAtS) return TOKEN_NOT_YET_VALID
  return null
}

/** Who a token says it is from, unproven: only to choose whose keys it is tried with. Null if it does not say, or is none. */
export function claimedIssuer(payload: Buffer): string | null {
  const claims = parseClaims(payload)
  const issuer = claims === null ? null : claimOf(claims, 'iss')
  return typeof issuer === 'string' ? issuer : null
}

function parseClaims(payload: Buffer): Claims | null {
  return parseJsonObject(payload) as Claims | null // an object out of JSON has text keys only
}

/** Own ones only: what every object inherits is no claim. */
function claimOf(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}

/** RFC 7519 section 4.1.3: one text or an array of them. */
function isFor(audience: unknown, wanted: ReadonlySet<string>): boolean {
  if (typeof audience === 'string') return wanted.has(audience)
  return (
    Array.isArray(audience) && audience.some((member) => typeof member === 'string' && wanted.has(member))
  )
}

/** A token dated ahead would live longer than it says. */
function livesAtMost(claims: Claims, maxLifetimeS: number, latestStartS: number): boolean {
  const issuedAtS = claimOf(claims, 'iat')
  const expiresAtS = claimOf(claims, 'exp')
  if (typeof issuedAtS !== 'number' || typeof expiresAtS !== 'number' || !Number.isFinite(issuedAtS))
    return false
  return issuedAtS <= latestStartS && expiresAtS - issuedAtS <= maxLifetimeS
}
