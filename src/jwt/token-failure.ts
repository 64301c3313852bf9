export type TokenFailureCode =
  | 'token_invalid'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'claims_missing'
  | 'tenant_invalid'

/** Why a token is refused: one of a closed set of frozen values, never made per request. */
export interface TokenFailure {
  readonly ok: false
  readonly code: TokenFailureCode
  /** Only where it is not the code's own text: `claims_missing` names the absent ones. */
  readonly detail: string | null
}

function refused(code: TokenFailureCode): TokenFailure {
  return Object.freeze({ ok: false, code, detail: null })
}

export const TOKEN_INVALID = refused('token_invalid')
export const TOKEN_EXPIRED = refused('token_expired')
export const TOKEN_NOT_YET_VALID = refused('token_not_yet_valid')
export const TENANT_INVALID = refused('tenant_invalid')

/** In the order in which the absent ones are named. */
const REQUIRED_CLAIMS = ['sub', 'company_id', 'exp'] as const

interface ClaimsMissing extends TokenFailure {
  readonly detail: string
}

/** Every set of absent claims; bit n of the index stands for claim n. Index 0 stands for none and is never asked for. */
const BY_ABSENCE: readonly ClaimsMissing[] = Array.from(
  { length: 1 << REQUIRED_CLAIMS.length },
  (_, bits) => {
    const absent = REQUIRED_CLAIMS.filter((_, index) => (bits & (1 << index)) !== 0)
    const detail = `Token missing required claims: ${absent.join(', ')}`
    return Object.freeze({ ok: false, code: 'claims_missing', detail })
  },
)

/** All that `claimsMissing` can return, so that whoever answers with them can prepare. */
export const CLAIMS_MISSING: readonly ClaimsMissing[] = BY_ABSENCE.slice(1)

/** The failure that names the required claims absent from these. */
export function claimsMissing(
  claims: { readonly [claim in (typeof REQUIRED_CLAIMS)[number]]?: unknown },
): TokenFailure {
  let bits = 0
  for (const [index, claim] of REQUIRED_CLAIMS.entries()) {
    if (claims[claim] === undefined) bits |= 1 << index
  }
  return BY_ABSENCE[bits] as TokenFailure // bits is below 1 << REQUIRED_CLAIMS.length
}
