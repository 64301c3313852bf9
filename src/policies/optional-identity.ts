import type { Policy, Verdict } from '../proxy/policy.ts'

/** `identity` for routes that need none: a valid credential is believed, a bad one refused, none admitted. */
export function optionalIdentity(identity: Policy): Policy {
  return {
    ...identity,
    kind: `optional ${identity.kind}`,
    admit(exchange) {
      const verdict = identity.admit(exchange)
      return verdict instanceof Promise ? verdict.then(forgive) : forgive(verdict)
    },
  }
}

/** What is said where no credential is there, or one of another scheme. */
function forgive(verdict: Verdict): Verdict {
  return verdict?.kind === 'failure' && verdict.code === 'token_missing' ? null : verdict
}
