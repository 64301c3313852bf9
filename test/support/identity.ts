import type { Identity } from '../../src/proxy/exchange.ts'

/** Somebody of tenant acme, without plan, scopes or claims, unless `own` says otherwise. */
export function identityOf(own: Partial<Identity> = {}): Identity {
  return {
    subject: 'user-1',
    tenant: 'acme',
    expiresAtS: Number.POSITIVE_INFINITY,
    plan: null,
    scopes: new Set(),
    claims: new Map(),
    issuer: 'default',
    jti: null,
    ...own,
  }
}
