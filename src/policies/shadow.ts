import { Exchange } from '../proxy/exchange.ts'
import { failure } from '../proxy/failure.ts'
import type { Policy, Verdict } from '../proxy/policy.ts'

/** Takes note of what a policy would have done; null: it would have admitted. Must not throw. */
export type ShadowReport = (exchange: Exchange, kind: string, verdict: Verdict) => void

/**
 * A policy that decides, is counted and logged, and changes nothing: what it asserts, answers or learns stays with a
 * copy of the exchange. One that waits for something decides while the exchange goes on.
 */
export function shadowPolicy(policy: Policy, report: ShadowReport): Policy {
  return {
    kind: policy.kind,
    owns: policy.owns,
    admit(exchange) {
      const shade = shadeOf(exchange)
      exchange.shade = shade
      const verdict = asked(policy, shade)
      if (!(verdict instanceof Promise)) conclude(policy, shade, exchange, verdict, report)
      else
        verdict.then(
          (settled) => conclude(policy, shade, exchange, settled, report),
          () => conclude(policy, shade, exchange, DEFECT, report),
        )
      return null
    },
    settle(exchange) {
      // Shadows settle in reverse, so the last that was put on is this policy's.
      const { shade } = exchange
      if (shade === null) return
      exchange.shade = shade.shade
      shade.over = true
      if (shade.admitted > 0) policy.settle?.(shade)
    },
  }
}

/** What a policy that throws would have come to; one that enforces nothing harms nobody by it. */
const DEFECT = failure('internal')

function asked(policy: Policy, shade: Exchange): Verdict | Promise<Verdict> {
  try {
    return policy.admit(shade)
  } catch {
    return DEFECT
  }
}

function shadeOf(exchange: Exchange): Exchange {
  const { head, route, clientIp, scheme, requestId, startMs } = exchange
  const shade = new Exchange(head, route, clientIp, scheme, requestId, startMs)
  shade.identity = exchange.identity
  shade.choice = exchange.choice
  shade.shade = exchange.shade
  return shade
}

function conclude(
  policy: Policy,
  shade: Exchange,
  exchange: Exchange,
  verdict: Verdict,
  report: ShadowReport,
): void {
  report(exchange, policy.kind, verdict)
  if (verdict !== null) {
    const kind = JSON.stringify(policy.kind)
    exchange.shadowed += exchange.shadowed === '' ? kind : `,${kind}`
    return
  }
  if (shade.over) policy.settle?.(shade)
  else shade.admitted = 1
}
