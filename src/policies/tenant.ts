import type { Policy } from '../proxy/policy.ts'

/**
 * States the verified tenant to the upstream. Compiled into every snapshot, routes without identity included: that it
 * owns the field is what keeps a client's own copy from getting through anywhere.
 */
export function tenantPolicy(fieldName: string): Policy {
  return {
    kind: 'tenant',
    owns: [fieldName.toLowerCase()],
    admit(exchange) {
      if (exchange.identity !== null) exchange.assert(fieldName, exchange.identity.tenant)
      return null
    },
  }
}
