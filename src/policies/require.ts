import type { RequireConfig } from '../config/demand.ts'
import type { ClaimValue } from '../lib/claim.ts'
import type { Exchange, Identity } from '../proxy/exchange.ts'
import { type Failure, failure } from '../proxy/failure.ts'
import type { Policy } from '../proxy/policy.ts'

const MISSING = failure('token_missing', { fields: 'WWW-Authenticate: Bearer\r\n' })

/** Asked after identity. Refusals name what the route wants and the credential lacks, never what it has. */
export function requirePolicy({ scopes, claims }: RequireConfig): Policy {
  const challenge = `WWW-Authenticate: Bearer error="insufficient_scope", scope="${scopes.join(' ')}"\r\n`
  const wanted = Object.entries(claims)
  return {
    kind: 'require',
    owns: [],
    admit({ identity }: Exchange) {
      // Where auth is optional, nobody may have come: whoever may not do this can still say who they are.
      if (identity === null) return MISSING
      for (const scope of scopes) {
        if (!identity.scopes.has(scope)) return scopeMissing(identity, scopes, challenge)
      }
      for (const [name, values] of wanted) {
        if (!hasOneOf(identity.claims.get(name), values)) return claimMismatch(name)
      }
      return null
    },
  }
}

function hasOneOf(given: readonly ClaimValue[] | undefined, values: readonly ClaimValue[]): boolean {
  return given?.some((value) => values.includes(value)) ?? false
}

function scopeMissing(identity: Identity, scopes: readonly string[], challenge: string): Failure {
  const lacking = scopes.filter((scope) => !identity.scopes.has(scope))
  return failure('scope_missing', { detail: `Missing scope: ${lacking.join(', ')}`, fields: challenge })
}

function claimMismatch(name: string): Failure {
  return failure('claim_mismatch', {
    detail: `The claim ${name} has none of the values this route requires.`,
  })
}
