import type { Answer } from '../proxy/answer.ts'
import type { Exchange } from '../proxy/exchange.ts'
import type { Failure } from '../proxy/failure.ts'
import type { Policy } from '../proxy/policy.ts'

/** The end of a route the gateway serves itself. */
export function respondPolicy(respond: (exchange: Exchange) => Answer | Failure): Policy {
  return { kind: 'respond', owns: [], admit: respond }
}

/** The end of a route that leads nowhere: unknown, unsafe, or not for this method. */
export function refusePolicy(refusal: Failure): Policy {
  return { kind: 'refuse', owns: [], admit: () => refusal }
}
