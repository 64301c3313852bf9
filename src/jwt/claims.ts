import type { Identity } from '../proxy/exchange.ts'
import { parseJsonObject } from './json-object.ts'
import { tenantClaim } from './tenant-claim.ts'
import {
  claimsMissing,
  TENANT_INVALID,
  TOKEN_EXPIRED,
  TOKEN_INVALID,
  TOKEN_NOT_YET_VALID,
  type TokenFailure,
} from './token-failure.ts'

interface Claims {
  readonly sub?: unknown
  readonly company_id?: unknown
  readonly exp?: unknown
  readonly nbf?: unknown
}

/** Claims that name somebody, and when they may be believed: from `startsAtS` until `identity.expiresAtS`. */
export interface AcceptedClaims {
  readonly ok: true
  readonly identity: Identity
  /** Seconds since the epoch; -Infinity where the token does not say. */
  readonly startsAtS: number
}

/**
 * Judges the claims of a token whose signature holds (RFC 7519 section 4.1), in the order of the contract: types, time,
 * presence, tenant. `clockSkewS` widens both ends and is contained in the times returned.
 */
export function judgeClaims(
  payload: Buffer,
  nowS: number,
  clockSkewS: number,
): AcceptedClaims | TokenFailure {
  const claims: Claims | null = parseJsonObject(payload)
  if (claims === null) return TOKEN_INVALID
  const { sub, exp, nbf } = claims
  if (exp !== undefined && !Number.isFinite(exp)) return TOKEN_INVALID // 1e400 is JSON, but Infinity
  if (sub !== undefined && (typeof sub !== 'string' || sub === '')) return TOKEN_INVALID
  if (nbf !== undefined && !Number.isFinite(nbf)) return TOKEN_INVALID

  const expiresAtS = typeof exp === 'number' ? exp + clockSkewS : Number.POSITIVE_INFINITY
  const startsAtS = typeof nbf === 'number' ? nbf - clockSkewS : Number.NEGATIVE_INFINITY
  const untimely = judgeTime(startsAtS, expiresAtS, nowS)
  if (untimely !== null) return untimely

  if (typeof sub !== 'string' || claims.company_id === undefined || exp === undefined)
    return claimsMissing(claims)
  const tenant = tenantClaim(claims.company_id, payload)
  if (tenant === null) return TENANT_INVALID
  return { ok: true, identity: Object.freeze({ subject: sub, tenant, expiresAtS }), startsAtS }
}

export function judgeTime(startsAtS: number, expiresAtS: number, nowS: number): TokenFailure | null {
  if (nowS >= expiresAtS) return TOKEN_EXPIRED
  if (nowS < startsAtS) return TOKEN_NOT_YET_VALID
  return null
}
