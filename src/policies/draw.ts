import type { Policy } from '../proxy/policy.ts'
import { drawChoice } from '../proxy/route-choice.ts'

/** Draws which of the route's upstreams an exchange goes to, for policies that must know it before it is forwarded. */
export function drawPolicy(): Policy {
  return {
    kind: 'draw',
    owns: [],
    admit(exchange) {
      const { target } = exchange.route
      if (target !== null) drawChoice(exchange, target)
      return null
    },
  }
}
