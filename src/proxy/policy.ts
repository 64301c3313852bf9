import type { Answer } from './answer.ts'
import type { Exchange } from './exchange.ts'
import type { Failure } from './failure.ts'

/** Failure: refuse. Answer: the gateway answers itself. Null: go on. */
export type Verdict = Failure | Answer | null

/** One reason to refuse, or one fact to state. Lives as long as its Snapshot; keeps no per-request state. */
export interface Policy {
  readonly kind: string
  /** Request fields only this policy may assert, lower case; the client's copies are stripped on every route. */
  readonly owns: readonly string[]
  /** Synchronous unless it truly waits: a promise costs more than most policies do. */
  admit(exchange: Exchange): Verdict | Promise<Verdict>
  /** Once, when the exchange is over, if `admit` let it through. Must not throw. */
  settle?(exchange: Exchange): void
}
