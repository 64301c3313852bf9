import type { Plan } from './plan.ts'

/** Endings that must not be: one of them fails the soak. */
export const HARD_ENDINGS = [
  'MIXUP',
  'WRONG_BODY',
  'WRONG_STATUS',
  'WRONG_TRAILER',
  'TRUNCATED',
  'CLEAN_END',
  'REFUSED',
  'GARBAGE',
  'HANG',
] as const

/**
 * `exact`: the planned response, to the byte. `failed`: the gateway said so (502, 503, 504) where the origin was at
 * fault. `broken`: the connection ended where the origin, or an exchange before this one on the connection, gave cause.
 * `lost`: the origin answered early and the connection ended before that answer was whole. `left`: the client left. `collateral`: the gateway failed it, or the connection ended, and nothing in its own plan says
 * why; a pooled connection that died under it does, now and then.
 */
export type Ending =
  | 'exact'
  | 'failed'
  | 'broken'
  | 'lost'
  | 'left'
  | 'collateral'
  | (typeof HARD_ENDINGS)[number]

/** What the client saw of a response, as far as it came. */
export interface Seen {
  /** Null: not even a head came. */
  readonly head: {
    readonly status: number
    /** X-Nonce, null where the gateway answered itself. */
    readonly nonce: string | null
    readonly requestId: string | null
  } | null
  readonly bytes: number
  /** Every byte was the planned one. */
  readonly intact: boolean
  /** The message ended as its framing says. */
  readonly complete: boolean
  /** Its framing was the end of the connection. */
  readonly untilClose: boolean
  readonly trailer: string | null
  /** Another exchange on this connection is why the connection ended. */
  readonly behind: boolean
}

export function isHard(ending: Ending): boolean {
  return (HARD_ENDINGS as readonly Ending[]).includes(ending)
}

const OWN_FAILURES: readonly number[] = [502, 503, 504]

/** Holds what came against what was planned. */
export function judge(plan: Plan, seen: Seen): Ending {
  const { head } = seen
  if (head === null) return judgeNothing(plan, seen)
  if (head.requestId !== plan.nonce) return 'MIXUP'
  if (head.nonce === null) return judgeOwnAnswer(plan, head.status)
  if (head.nonce !== plan.nonce) return 'MIXUP'
  if (head.status !== plan.status) return 'WRONG_STATUS'
  if (!seen.intact) return 'WRONG_BODY'
  if (!seen.complete) return judgeTorso(plan, seen)
  const wanted = plan.method === 'HEAD' ? 0 : plan.response.bytes
  if (seen.bytes !== wanted) {
    const cut = seen.untilClose && seen.bytes < wanted && mayBreak(plan)
    return cut ? 'CLEAN_END' : 'WRONG_BODY'
  }
  // HTTP/1.0 has no chunks, so no trailers.
  const trailer = plan.response.trailer && plan.minor === 1 ? plan.nonce : null
  return seen.trailer === trailer ? 'exact' : 'WRONG_TRAILER'
}

function judgeNothing(plan: Plan, seen: Seen): Ending {
  if (plan.clientFault !== 'none' && plan.clientFault !== 'halfClose') return 'left'
  if (seen.behind) return 'broken'
  return isEarly(plan) ? 'lost' : 'collateral'
}

function judgeOwnAnswer(plan: Plan, status: number): Ending {
  if (!OWN_FAILURES.includes(status)) return 'REFUSED'
  return plan.upstreamFault === 'none' ? 'collateral' : 'failed'
}

function judgeTorso(plan: Plan, seen: Seen): Ending {
  if (plan.clientFault === 'abortResponse' || plan.clientFault === 'abortSent') return 'left'
  if (isEarly(plan)) return 'lost'
  return mayBreak(plan) || seen.behind ? 'broken' : 'TRUNCATED'
}

/** Whether the origin ends the connection in the middle of the response's body. */
export function mayBreak(plan: Plan): boolean {
  return plan.upstreamFault === 'resetBody' || plan.upstreamFault === 'cutBody'
}

function isEarly(plan: Plan): boolean {
  return plan.upstreamFault === 'early' || plan.upstreamFault === 'earlyClose'
}
