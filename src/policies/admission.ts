import type { Entered, Gate } from '../admission/gate.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { type Failure, failure } from '../proxy/failure.ts'
import type { Policy, Verdict } from '../proxy/policy.ts'

export interface AdmissionOptions {
  readonly gate: Gate
  /** The upstream's place in shared memory. */
  readonly slot: number
  /** The upstream as configured, for the refusal. */
  readonly upstream: string
  /** How long a place is waited for, which is also when to try again. */
  readonly timeoutMs: number
  /** The exchange's share against others that wait. */
  readonly weightOf: (exchange: Exchange) => number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** Who has no identity waits in one queue with everybody else who has none. */
const NOBODY = ''

/**
 * Lets no more exchanges into an upstream than it has places, and those of one tenant wait behind that tenant's own.
 * The last policy before forwarding: whoever holds a place is about to use it.
 */
export function admissionPolicy(options: AdmissionOptions): Policy {
  const { gate, slot, weightOf, nowMs } = options
  const refusal = saturated(options)
  const take = (exchange: Exchange): null => {
    exchange.entered = slot
    exchange.enteredMs = nowMs()
    return null
  }
  return {
    kind: 'admission',
    owns: [],
    admit(exchange): Verdict | Promise<Verdict> {
      if (gate.tryEnter(slot)) return take(exchange)
      const tenant = exchange.identity?.tenant ?? NOBODY
      const wanted = (): boolean => !exchange.over
      return gate
        .wait(slot, tenant, weightOf(exchange), wanted)
        .then((entered: Entered) => (entered === 'entered' ? take(exchange) : refusal))
    },
    settle(exchange) {
      if (exchange.entered < 0) return
      if (exchange.respondedMs > 0) gate.observe(slot, exchange.respondedMs - exchange.enteredMs)
      leavePlace(exchange, gate)
    },
  }
}

/** Gives the exchange's place back before its end, where it goes on without keeping the upstream busy. */
export function leavePlace(exchange: Exchange, gate: Gate): void {
  if (exchange.entered < 0) return
  gate.leave(exchange.entered)
  exchange.entered = -1
}

function saturated({ upstream, timeoutMs }: AdmissionOptions): Failure {
  return failure('upstream_saturated', {
    detail: `Upstream service ${upstream} is at capacity.`,
    fields: `Retry-After: ${Math.max(1, Math.ceil(timeoutMs / 1_000))}\r\n`,
  })
}
