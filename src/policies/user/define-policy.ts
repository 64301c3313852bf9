import type { Identity } from '../../proxy/exchange.ts'
import type { PolicyVerdict } from './policy-verdict.ts'
import type { PolicySchema } from './standard-schema.ts'

/** A request's head as a policy reads it. Strings are latin1, a byte a character; nothing is decoded. */
export interface PolicyHead {
  readonly method: string
  /** As received, with the query. */
  readonly target: string
  /** As received, without the query. */
  readonly path: string
  readonly host: string
  /** The first value of a field, by lower-case name; null where there is none. A client may send a field twice: see `all`. */
  get(lowerCaseName: string): string | null
  /** Every value of a field, in order, by lower-case name. */
  all(lowerCaseName: string): string[]
}

/** What policies read of an exchange, in `admit` and in `settle`. */
export interface PolicySubject {
  /** To be read while the exchange lasts; later its memory is another request's, so it throws. */
  readonly head: PolicyHead
  /** The route's name in the config. */
  readonly route: string
  /** Who calls; null where the route asks for nobody or nobody came. Shared and frozen. */
  readonly identity: Identity | null
  /** Of the peer, or of the client behind trusted proxies. */
  readonly clientIp: string
  readonly requestId: string
  /** How the client came: http or https. */
  readonly scheme: string
}

/** An exchange that is to be admitted. */
export interface PolicyExchange extends PolicySubject {
  /**
   * States a field to the upstream, once for each call. `name` must be in the policy's `owns`; `value` must be visible
   * ASCII with single spaces between, 1 to 8,192 characters: anything else is a defect and throws, so what comes from
   * a client or a token is encoded first.
   */
  assert(name: string, value: string): void
  /**
   * States a field to the client, whatever becomes of the exchange. `value` as for `assert`. Fields of framing, of the
   * body (`Content-*`), of CORS and those the gateway states itself throw.
   */
  answer(name: string, value: string): void
}

/** An exchange that is over. */
export interface SettledExchange extends PolicySubject {
  /** Of the response the client was sent; 0 if there was none. */
  readonly status: number
  /** The failure's code (docs/failures.md) where the gateway answered with one. */
  readonly code: string | null
  /** Body bytes from and to the client. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** The client left before the end. */
  readonly aborted: boolean
}

export type PolicyLogLevel = 'debug' | 'info' | 'warning' | 'error'

/** What a policy is given to work with: its only clocks, so that its tests own time. */
export interface PolicyParts {
  /** Monotonic milliseconds: for durations. */
  nowMs(): number
  /** Milliseconds since the epoch: for what is compared with the outside (exp). */
  wallMs(): number
  /** A line in the gateway's log, with the policy's kind. No secrets: lines go wherever logs go. */
  log(
    level: PolicyLogLevel,
    event: string,
    fields?: Readonly<Record<string, string | number | boolean | null>>,
  ): void
}

/** A policy at work: one for each use and config, shared by all exchanges of a data thread. */
export interface PolicyInstance {
  /** Null admits. Synchronous unless it truly waits. What it throws is a defect: 500 for the client, the stack in the log. */
  admit(exchange: PolicyExchange): PolicyVerdict | Promise<PolicyVerdict>
  /** Once, when an exchange that `admit` let through is over. */
  settle?(exchange: SettledExchange): void
}

/** A policy as its file exports it: `export const policy = definePolicy({ … })`. */
export interface PolicyDefinition<Options> {
  /** Names it in logs: lower-case letters, digits and dashes. */
  readonly kind: string
  /** Request fields only this policy states: the client's copies, however spelt, are stripped on every route. Default: none. */
  readonly owns?: readonly string[]
  /** Judges `with`; an absent `with` is judged as `{}`. Without a schema, `with` must be absent. */
  readonly schema?: PolicySchema<Options>
  /** Longest an `admit` may wait, milliseconds, 1 to 60,000; then policy_unavailable. Default 5,000. */
  readonly timeoutMs?: number
  /**
   * Once for each `use` with its `with`, in every data thread, at start and at reload; also by `nyro check`, so it
   * opens nothing. What it throws keeps the config from being used.
   */
  create(options: Options, parts: PolicyParts): PolicyInstance | Promise<PolicyInstance>
}

/** Types a policy: `options` of `create` is what the schema yields, or null without one. */
export function definePolicy<Options = null>(
  definition: PolicyDefinition<Options>,
): PolicyDefinition<Options> {
  return Object.freeze(definition)
}
