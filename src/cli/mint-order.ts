/** What was asked for, judged. */
export interface MintOrder {
  readonly tenant: string
  readonly sub: string
  readonly scopes: readonly string[]
  readonly ttlS: number
  /** Null: the issuer's first. */
  readonly alg: string | null
  /** Claims more, or instead. */
  readonly claims: Readonly<Record<string, unknown>>
}

export interface Minted {
  readonly token: string
  readonly claims: Readonly<Record<string, unknown>>
}
