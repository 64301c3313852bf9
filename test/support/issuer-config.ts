import type { IssuerConfig, RemoteKeySource } from '../../src/jwt/issuer.ts'
import { CLAIM_NAMES } from '../../src/lib/claim.ts'
import { SECRET } from './token.ts'

/** An issuer named idp that takes any token made with the tests' secret, unless `own` says otherwise. */
export function issuerConfig(own: Partial<IssuerConfig> = {}): IssuerConfig {
  return {
    name: 'idp',
    issuer: null,
    audience: [],
    algorithms: ['HS256'],
    keys: { kind: 'secret', secret: SECRET },
    clockSkewS: 0,
    maxLifetimeS: null,
    requiredClaims: [],
    claims: CLAIM_NAMES,
    ...own,
  }
}

/** Keys at a URL, with the times of the operator's manual. */
export function remoteKeys(own: Partial<RemoteKeySource> = {}): RemoteKeySource {
  return {
    kind: 'jwks',
    url: 'https://id.example.com/jwks',
    refreshMs: 600_000,
    cooldownMs: 30_000,
    maxStaleMs: 86_400_000,
    plainHosts: [],
    ...own,
  }
}
