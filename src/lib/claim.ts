/** What a claim that policies ask about may be, or an array of. */
export type ClaimValue = string | number | boolean

/** Which top-level claim says what; exact names, never paths. */
export interface ClaimNames {
  /** Default sub. */
  readonly subject: string
  /** Default company_id. */
  readonly tenant: string
  /** A text; anything else is no plan. */
  readonly plan: string
  /** Words with spaces between, or an array of words; anything else is none. */
  readonly scopes: string
}

/** The claims of the contract, unless an issuer names its own. */
export const CLAIM_NAMES: ClaimNames = {
  subject: 'sub',
  tenant: 'company_id',
  plan: 'plan',
  scopes: 'scope',
}
