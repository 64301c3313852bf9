import { jsonString } from '../log-line.ts'

/** `SpanKind` of OTLP's trace.proto. */
export const SPAN_KINDS = { internal: 1, server: 2, client: 3 } as const

/** `Status.StatusCode`. */
const ERROR = 2
/** `SpanFlags`: the trace flags (sampled), and whether the parent is somebody else's, which is known. */
const SAMPLED = 0x001
const HAS_IS_REMOTE = 0x100
const IS_REMOTE = 0x200

/** What is the same for all spans of an exchange. */
export interface SpanTrace {
  readonly traceId: string
  /** `tracestate`; empty: none. */
  readonly state: string
  /** When the clock of the times showed 0, milliseconds since the epoch. */
  readonly epochMs: number
}

export interface SpanText {
  readonly spanId: string
  /** Null: the trace begins here. */
  readonly parentId: string | null
  readonly parentIs: 'remote' | 'local'
  readonly name: string
  readonly kind: keyof typeof SPAN_KINDS
  readonly startMs: number
  readonly endMs: number
  readonly failed: boolean
  /** As the functions below write them, each with a comma before it. */
  readonly attributes: string
}

/**
 * A span in OTLP's form for JSON (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding"): ids in
 * hexadecimal, 64-bit times as text, what has its default left out. ASCII. Ids and names of ours need no escaping.
 */
export function spanText(trace: SpanTrace, span: SpanText): string {
  const { parentId, startMs, endMs } = span
  const state = trace.state === '' ? '' : `,"traceState":${jsonString(trace.state)}`
  const parent = parentId === null ? '' : `,"parentSpanId":"${parentId}"`
  const flags = SAMPLED | HAS_IS_REMOTE | (parentId !== null && span.parentIs === 'remote' ? IS_REMOTE : 0)
  const start = nanosText(trace.epochMs + startMs)
  const end = nanosText(trace.epochMs + Math.max(startMs, endMs))
  const status = span.failed ? `,"status":{"code":${ERROR}}` : ''
  return `{"traceId":"${trace.traceId}","spanId":"${span.spanId}"${parent}${state},"flags":${flags},"name":${jsonString(span.name)},"kind":${SPAN_KINDS[span.kind]},"startTimeUnixNano":"${start}","endTimeUnixNano":"${end}"${status},"attributes":[${span.attributes.slice(1)}]}`
}

/** Empty where there is nothing to say: null. */
export function stringAttribute(key: string, value: string | null): string {
  return value === null ? '' : `,{"key":"${key}","value":{"stringValue":${jsonString(value)}}}`
}

/** Of an integer that a number holds. */
export function intAttribute(key: string, value: number | null): string {
  return value === null ? '' : `,{"key":"${key}","value":{"intValue":${value}}}`
}

/** Milliseconds as nanoseconds, which a number does not hold. */
function nanosText(ms: number): string {
  const whole = Math.floor(ms)
  return `${whole}${String(Math.floor((ms - whole) * 1e6)).padStart(6, '0')}`
}
