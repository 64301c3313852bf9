import type { AssertionSigner } from '../assertion/assertion-signer.ts'
import type { Policy } from '../proxy/policy.ts'

/**
 * Proves to the upstream who calls. Compiled into every snapshot that has it, as the tenant's is: that it owns the field
 * keeps a client's own copy from getting through anywhere.
 */
export function assertionPolicy(fieldName: string, signer: AssertionSigner): Policy {
  return {
    kind: 'assertion',
    owns: [fieldName.toLowerCase()],
    admit(exchange) {
      if (exchange.identity !== null) exchange.assert(fieldName, signer.assertionOf(exchange.identity))
      return null
    },
  }
}
