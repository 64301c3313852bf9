import type { ClaimNames } from '../lib/claim.ts'
import type { IssuerConfig } from './issuer.ts'
import { MissingClaims } from './token-failure.ts'

/** How the claims of one issuer's tokens are judged and what is kept of them; compiled. */
export interface ClaimRules {
  /** The issuer's configured name. */
  readonly issuerName: string
  /** What `iss` must be; null: anything. */
  readonly issuer: string | null
  /** What `aud` must hold one of; null: anything. */
  readonly audience: ReadonlySet<string> | null
  readonly clockSkewS: number
  readonly maxLifetimeS: number | null
  readonly names: ClaimNames
  /** Subject, tenant and `exp` are always the first three. */
  readonly required: MissingClaims
  /** Claims the policies ask about; nothing else of a token is kept. */
  readonly kept: readonly string[]
}

export type ClaimConfig = Pick<
  IssuerConfig,
  'name' | 'issuer' | 'audience' | 'clockSkewS' | 'maxLifetimeS' | 'requiredClaims' | 'claims'
>

/** `kept`: names of claims that some route requires a value of. */
export function compileClaimRules(config: ClaimConfig, kept: readonly string[]): ClaimRules {
  const { claims: names, maxLifetimeS } = config
  const dated = maxLifetimeS === null ? [] : ['iat']
  return {
    issuerName: config.name,
    issuer: config.issuer,
    audience: config.audience.length === 0 ? null : new Set(config.audience),
    clockSkewS: config.clockSkewS,
    maxLifetimeS,
    names,
    required: new MissingClaims([
      ...new Set([names.subject, names.tenant, 'exp', ...dated, ...config.requiredClaims]),
    ]),
    kept: [...new Set(kept)],
  }
}
