import { Exchange } from '../proxy/exchange.ts'
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
      const verdict = policy.admit(shade)
      if (!(verdict instanceof Promise)) conclude(policy, shade, exchange, verdict, report)
      else
        verdict.then(
          (settled) => conclude(policy, shade, exchange, settled, report),
          () => {}, // a defect of a policy that enforces nothing must not end the thread
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
