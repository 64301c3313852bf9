import type { ClaimNames } from '../jwt/issuer.ts'

/** The claims of the contract, unless an issuer names its own. */
export const CLAIM_NAMES: ClaimNames = {
  subject: 'sub',
  tenant: 'company_id',
  plan: 'plan',
  scopes: 'scope',
}
