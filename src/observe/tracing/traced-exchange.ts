import type { ChildRecord } from './span-record.ts'
import type { TraceParent } from './trace-parent.ts'

/** A policy of the operator's own may wait and an upstream be tried again, but not without end. */
const MAX_CHILDREN = 32

/** Of all that are not sampled; nobody adds to it. */
const NONE: Child[] = []

/** Times on the exchange's clock. */
type Child = { -readonly [Key in keyof ChildRecord]: ChildRecord[Key] }

/** What an exchange's trace needs beside it: made by a `Tracer`. */
export interface TracedParts {
  readonly traceId: string
  readonly spanId: string
  readonly parent: TraceParent | null
  readonly state: string
  readonly sampled: boolean
  /** Ids of children. */
  readonly newSpanId: () => string
}

/**
 * An exchange's part in a trace: who asked, what upstreams are told, and, if the trace is kept, what the exchange
 * waited for. One thing at a time: whatever begins ends what was before.
 */
export class TracedExchange {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | null
  readonly state: string
  /** Its spans are kept. */
  readonly sampled: boolean
  /** Field lines that tell the upstream. */
  lines: string
  /** Of finished and of open ones; none unless `sampled`. */
  readonly children: Child[]
  dropped = 0
  #open: Child | null = null
  readonly #newSpanId: () => string

  constructor({ traceId, spanId, parent, state, sampled, newSpanId }: TracedParts) {
    this.traceId = traceId
    this.spanId = spanId
    this.parentId = parent?.spanId ?? null
    this.state = state
    this.sampled = sampled
    this.children = sampled ? [] : NONE
    this.#newSpanId = newSpanId
    this.lines = this.#linesFrom(spanId)
  }

  /** A policy has not answered at once. */
  waits(policy: string, nowMs: number): void {
    if (this.sampled) this.#begin('policy', policy, nowMs)
  }

  /** An upstream is tried: from here on its span is the parent of whatever the upstream does. */
  attempts(upstream: string, nowMs: number): void {
    if (this.sampled) this.lines = this.#linesFrom(this.#begin('attempt', upstream, nowMs))
  }

  connects(target: string): void {
    if (this.#open !== null) this.#open.target = target
  }

  /** `target`: host:port where it is known. */
  fails(fault: string, target: string | null): void {
    if (this.#open === null) return
    this.#open.fault = fault
    if (target !== null) this.#open.target = target
  }

  responds(status: number): void {
    if (this.#open !== null) this.#open.status = status
  }

  /** What was waited for has come to its end. */
  goesOn(nowMs: number): void {
    if (this.#open === null) return
    this.#open.endMs = nowMs
    this.#open = null
  }

  /** The exchange is over. `fault`: what ended it early; null: nothing did. */
  ends(nowMs: number, fault: string | null): void {
    if (this.#open !== null) this.#open.fault ??= fault
    this.goesOn(nowMs)
  }

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
    this.children.push(child)
    return spanId
  }

  #linesFrom(spanId: string): string {
    const parent = `traceparent: 00-${this.traceId}-${spanId}${this.sampled ? '-01\r\n' : '-00\r\n'}`
    return this.state === '' ? parent : `${parent}tracestate: ${this.state}\r\n`
  }
}
