import type { TokenFailure, TokenVerifier, VerifiedToken } from '../jwt/verify.ts'
import type { Exchange, Identity } from '../proxy/exchange.ts'
import { type Failure, failure } from '../proxy/failure.ts'
import type { Policy, Verdict } from '../proxy/policy.ts'

/** Challenges of RFC 6750 section 3. */
const CHALLENGE = 'WWW-Authenticate: Bearer\r\n'
const INVALID_REQUEST = 'WWW-Authenticate: Bearer error="invalid_request"\r\n'
const INVALID_TOKEN = 'WWW-Authenticate: Bearer error="invalid_token"\r\n'
const EXPIRED_TOKEN =
  'WWW-Authenticate: Bearer error="invalid_token", error_description="The token has expired"\r\n'

export const AUTHORIZATION_REPEATED = failure('authorization_repeated', { fields: INVALID_REQUEST })
const TOKEN_MISSING = failure('token_missing', { fields: CHALLENGE })
const TOKEN_INVALID = failure('token_invalid', { fields: INVALID_TOKEN })
export const TOKEN_REVOKED = failure('token_revoked', {
  fields: 'WWW-Authenticate: Bearer error="invalid_token", error_description="The token was revoked"\r\n',
})
const TOKEN_EXPIRED = failure('token_expired', { fields: EXPIRED_TOKEN })
const TOKEN_NOT_YET_VALID = failure('token_not_yet_valid', { fields: INVALID_TOKEN })
const TENANT_INVALID = failure('tenant_invalid')
const SCHEME = 'bearer '
const SPACE = 32

/** `optional`: who sends none is admitted as nobody; a bad one is refused all the same. */
export type JwtDemand = 'required' | 'optional'

/** Whether a credential counts for nothing, although it is good. */
export type IsRevoked = (identity: Identity) => boolean

const NOTHING_REVOKED: IsRevoked = () => false

/** Admits whoever sends exactly one `Authorization: Bearer <token>` that verifies, and says who that is. */
export function jwtPolicy(
  verifier: TokenVerifier,
  demand: JwtDemand = 'required',
  isRevoked: IsRevoked = NOTHING_REVOKED,
): Policy {
  // No field, another scheme and nothing behind the scheme are the same: no token.
  const withoutToken = demand === 'optional' ? null : TOKEN_MISSING
  return {
    kind: 'jwt',
    owns: [],
    admit(exchange) {
      const { head } = exchange
      const index = head.find('authorization', 0)
      if (index < 0) return withoutToken
      if (head.find('authorization', index + 1) >= 0) return AUTHORIZATION_REPEATED
      const token = bearerToken(head.value(index))
      if (token === null) return withoutToken
      const outcome = verifier.verify(token)
      if (!(outcome instanceof Promise)) return conclude(exchange, outcome, isRevoked)
      return outcome.then((settled) => conclude(exchange, settled, isRevoked))
    },
  }
}

function conclude(exchange: Exchange, outcome: VerifiedToken | TokenFailure, isRevoked: IsRevoked): Verdict {
  if (!outcome.ok) return toFailure(outcome)
  if (isRevoked(outcome.identity)) return TOKEN_REVOKED
  exchange.identity = outcome.identity
  return null
}

/**
 * What follows the scheme and its spaces (RFC 9110 section 11.4); null for another scheme or nothing. A tab does not
 * end a scheme; whatever else is in there, a space included, is for the verifier to refuse.
 */
export function bearerToken(credentials: string): string | null {
  if (credentials.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return null
  let start = SCHEME.length
  while (credentials.charCodeAt(start) === SPACE) start++
  return start < credentials.length ? credentials.slice(start) : null
}

export function toFailure(refusal: TokenFailure): Failure {
  switch (refusal.code) {
    case 'token_invalid':
      return TOKEN_INVALID
    case 'token_expired':
      return TOKEN_EXPIRED
    case 'token_not_yet_valid':
      return TOKEN_NOT_YET_VALID
    case 'tenant_invalid':
      return TENANT_INVALID
    case 'claims_missing':
      return failure('claims_missing', {
        fields: INVALID_TOKEN,
        ...(refusal.detail === null ? {} : { detail: refusal.detail }),
      })
  }
}
