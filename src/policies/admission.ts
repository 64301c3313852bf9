import type { Entered, Gate } from '../admission/gate.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { type Failure, failure } from '../proxy/failure.ts'
import type { Policy, Verdict } from '../proxy/policy.ts'

/** An upstream that has places, as configured. */
export interface AdmittingUpstream {
  /** Its place in shared memory. */
  readonly slot: number
  readonly name: string
  /** How long a place is waited for, which is also when to try again. */
  readonly timeoutMs: number
}

export interface AdmissionOptions {
  readonly gate: Gate
  /** Of each of the route's choices, in their order; null: it takes whatever comes. */
  readonly upstreams: readonly (AdmittingUpstream | null)[]
  /** The exchange's share against others that wait. */
  readonly weightOf: (exchange: Exchange) => number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** Where an exchange is let in, and what it is told where it is not. */
interface Entrance {
  readonly slot: number
  readonly refusal: Failure
}

/** Who has no identity waits in one queue with everybody else who has none. */
const NOBODY = ''

/**
 * Lets no more exchanges into an upstream than it has places, and those of one tenant wait behind that tenant's own.
 * The last policy before forwarding: whoever holds a place is about to use it. Where the route has several upstreams,
 * the one it goes to must have been drawn.
 */
export function admissionPolicy({ gate, upstreams, weightOf, nowMs }: AdmissionOptions): Policy {
  const entrances = upstreams.map((upstream) => (upstream === null ? null : entranceOf(upstream)))
  const entranceFor = (exchange: Exchange): Entrance | null => {
    const { choice, route } = exchange
    const index = choice === null ? 0 : (route.target?.choices.indexOf(choice) ?? 0)
    return entrances[index] ?? null
  }
  const take = (exchange: Exchange, { slot }: Entrance): null => {
    exchange.entered = slot
    exchange.enteredMs = nowMs()
    return null
  }
  return {
    kind: 'admission',
    owns: [],
    admit(exchange): Verdict | Promise<Verdict> {
      const entrance = entranceFor(exchange)
      if (entrance === null) return null
      if (gate.tryEnter(entrance.slot)) return take(exchange, entrance)
      const tenant = exchange.identity?.tenant ?? NOBODY
      const wanted = (): boolean => !exchange.over
      return gate
        .wait(entrance.slot, tenant, weightOf(exchange), wanted)
        .then((entered: Entered) => (entered === 'entered' ? take(exchange, entrance) : entrance.refusal))
    },
    settle(exchange) {
      const { entered } = exchange
      if (entered < 0) return
      if (exchange.respondedMs > 0) gate.observe(entered, exchange.respondedMs - exchange.enteredMs)
      leavePlace(exchange, gate)
    },
  }
}

/** Gives the exchange's place back, at its end or where it goes on without keeping the upstream busy. */
export function leavePlace(exchange: Exchange, gate: Gate): void {
  if (exchange.entered < 0) return
  gate.leave(exchange.entered)
  exchange.entered = -1
}

function entranceOf({ slot, name, timeoutMs }: AdmittingUpstream): Entrance {
  const refusal = failure('upstream_saturated', {
    detail: `Upstream service ${name} is at capacity.`,
    fields: `Retry-After: ${Math.max(1, Math.ceil(timeoutMs / 1_000))}\r\n`,
  })
  return { slot, refusal }
}
