export type TokenFailureCode =
  | 'token_invalid'
  | 'token_expired'
  | 'token_not_yet_valid'
  | 'claims_missing'
  | 'tenant_invalid'

/** Why a token is refused: frozen values of a closed set, made once. */
export interface TokenFailure {
  readonly ok: false
  readonly code: TokenFailureCode
  /** Only where it is not the code's own text: `claims_missing` names the absent ones. */
  readonly detail: string | null
}

function refused(code: TokenFailureCode, detail: string | null = null): TokenFailure {
  return Object.freeze({ ok: false, code, detail })
}

export const TOKEN_INVALID = refused('token_invalid')
export const TOKEN_EXPIRED = refused('token_expired')
export const TOKEN_NOT_YET_VALID = refused('token_not_yet_valid')
export const TENANT_INVALID = refused('tenant_invalid')

/** The claims an issuer's tokens must have, and the failures that name absent ones. */
export class MissingClaims {
  /** In the order in which absent ones are named. */
  readonly names: readonly string[]
  /** Bit n of the key stands for name n. */
  readonly #byAbsence = new Map<number, TokenFailure>()

  constructor(names: readonly string[]) {
    this.names = names
  }

  /** Null if none of them is absent. Null counts as absent, except of the first three, which have rules of their own. */
  find(claims: Readonly<Record<string, unknown>>): TokenFailure | null {
    let bits = 0
    for (const [index, name] of this.names.entries()) {
      const claim = Object.hasOwn(claims, name) ? claims[name] : undefined
      if (claim === undefined || (claim === null && index > 2)) bits |= 1 << index
    }
    return bits === 0 ? null : this.#failure(bits)
  }

  #failure(bits: number): TokenFailure {
    const known = this.#byAbsence.get(bits)
    if (known !== undefined) return known
    const absent = this.names.filter((_, index) => (bits & (1 << index)) !== 0)
    const made = refused('claims_missing', `Token missing required claims: ${absent.join(', ')}`)
    this.#byAbsence.set(bits, made)
    return made
  }
}
