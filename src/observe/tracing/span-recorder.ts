import { traceLines } from './trace-parent.ts'

/** A policy of the operator's own may wait and an upstream be tried again, but not without end. */
const MAX_CHILDREN = 32

/** One thing an exchange waited for: a policy, or a try at an upstream. Times on the exchange's clock, ms. */
export interface ChildSpan {
  readonly kind: 'policy' | 'attempt'
  /** Of the policy's kind, or of the upstream. */
  readonly name: string
  readonly spanId: string
  readonly startMs: number
  readonly endMs: number
  /** host:port; null: it never got that far. */
  readonly target: string | null
  /** Of the response; 0: none. */
  readonly status: number
  /** What kept it from one; null: nothing did. */
  readonly fault: string | null
}

type Child = { -readonly [Key in keyof ChildSpan]: ChildSpan[Key] }

/** Of an exchange, what its tries at upstreams leave there. */
export interface TriedExchange {
  /** host:port of the endpoint that was last tried. */
  readonly endpoint: string | null
  /** How often the request was handed to an upstream. */
  readonly attempts: number
  readonly status: number
  /** When the response that is passed on came, ms; 0: not yet. */
  readonly respondedMs: number
}

/**
 * What an exchange whose trace is kept waited for. One thing at a time: whatever begins ends what was before. Those
 * that are not kept have none, and what goes well is read from the exchange when a try is over: every call on the way
 * of all exchanges takes from the code that V8 compiles in one piece.
 */
export class SpanRecorder {
  readonly spanId: string
  /** Of whoever asked; null: the trace begins here. */
  readonly parentId: string | null
  /** `tracestate` as it is passed on; empty: none. */
  readonly state: string
  /** Of finished and of open ones. */
  readonly children: Child[] = []
  /** Children beyond those that are kept. */
  dropped = 0
  #open: Child | null = null
  /** The exchange's `attempts` when that began. */
  #before = 0
  readonly #exchange: TriedExchange
  readonly #traceId: string
  readonly #newSpanId: () => string

  constructor(
    exchange: TriedExchange,
    traceId: string,
    spanId: string,
    parentId: string | null,
    state: string,
    newSpanId: () => string,
  ) {
    this.#exchange = exchange
    this.#traceId = traceId
    this.spanId = spanId
    this.parentId = parentId
    this.state = state
    this.#newSpanId = newSpanId
  }

  /** A policy has not answered at once. */
  waits(policy: string, nowMs: number): void {
    this.#begin('policy', policy, nowMs)
  }

  /** An upstream is tried; returns field lines that make this try the parent of whatever the upstream does. */
  attempts(upstream: string, nowMs: number): string {
    return traceLines(this.#traceId, this.#begin('attempt', upstream, nowMs), '01', this.state)
  }

  /** `target`: host:port where it is known. */
  fails(fault: string, target: string | null): void {
    if (this.#open === null) return
    this.#open.fault = fault
    if (target !== null) this.#open.target = target
  }

  /** With what is not passed on as the exchange's response. */
  responds(status: number): void {
    if (this.#open !== null) this.#open.status = status
  }

  /** What was waited for has come to its end. */
  goesOn(nowMs: number): void {
    const open = this.#open
    if (open === null) return
    const { attempts, endpoint, respondedMs, status } = this.#exchange
    if (attempts > this.#before) open.target ??= endpoint
    if (open.kind === 'attempt' && respondedMs > 0) open.status = status
    open.endMs = nowMs
    this.#open = null
  }

  /** The exchange is over. `fault`: what ended it early; null: nothing did. */
  ends(nowMs: number, fault: string | null): void {
    if (this.#open !== null) this.#open.fault ??= fault
    this.goesOn(nowMs)
  }

  /** The new one's id. */
  #begin(kind: Child['kind'], name: string, nowMs: number): string {
    this.goesOn(nowMs)
    const spanId = this.#newSpanId()
    if (this.children.length === MAX_CHILDREN) {
      this.dropped++
      return spanId
    }
    const child: Child = {
      ...{ kind, name, spanId, startMs: nowMs, endMs: nowMs },
      ...{ target: null, status: 0, fault: null },
    }
    this.#open = child
    this.#before = this.#exchange.attempts
    this.children.push(child)
    return spanId
  }
}
