/** What a `traceparent` field says: W3C Trace Context, section 3.2. */
export interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string
  /** 16 of them, not all zero: the span that asked. */
  readonly spanId: string
  /** Whoever asked keeps this trace. */
  readonly sampled: boolean
}

/** `00-` trace id `-` span id `-` flags. */
const LENGTH = 55
export const TRACE_START = 3
export const TRACE_END = 35
const SPAN_START = 36
const SPAN_END = 52
const FLAGS_START = 53
const DASH = 45
const ZERO = 48

/**
 * Null where the value is not exactly what the specification allows. Versions beyond 00 may carry more behind what is
 * known of 00 and are read as that (section 3.2.4); version ff does not exist.
 */
export function parseTraceParent(value: string): TraceParent | null {
  if (value.length < LENGTH || !hasDashes(value)) return null
  const isKnown = value.startsWith('00')
  if (value.length > LENGTH && (isKnown || value.charCodeAt(LENGTH) !== DASH)) return null
  if (!isHex(value, 0, 2) || value.startsWith('ff')) return null
  if (!isId(value, TRACE_START, TRACE_END) || !isId(value, SPAN_START, SPAN_END)) return null
  if (!isHex(value, FLAGS_START, LENGTH)) return null
  return {
    traceId: value.slice(TRACE_START, TRACE_END),
    spanId: value.slice(SPAN_START, SPAN_END),
    // The lowest bit of the last digit; the other flags mean nothing to us.
    sampled: (digit(value.charCodeAt(LENGTH - 1)) & 1) === 1,
  }
}

/** Field lines towards an upstream. `flags`: 01 where the trace is kept, else 00. `state`: empty where there is none. */
export function traceLines(traceId: string, spanId: string, flags: '00' | '01', state: string): string {
  const parent = `traceparent: 00-${traceId}-${spanId}-${flags}\r\n`
  return state === '' ? parent : `${parent}tracestate: ${state}\r\n`
}

function hasDashes(value: string): boolean {
  return (
    value.charCodeAt(TRACE_START - 1) === DASH &&
    value.charCodeAt(TRACE_END) === DASH &&
    value.charCodeAt(SPAN_END) === DASH
  )
}

function isHex(value: string, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    if (digit(value.charCodeAt(index)) < 0) return false
  }
  return true
}

/** An id of zeros alone is none. */
function isId(value: string, start: number, end: number): boolean {
  let isZero = true
  for (let index = start; index < end; index++) {
    const code = value.charCodeAt(index)
    if (digit(code) < 0) return false
    if (code !== ZERO) isZero = false
  }
  return !isZero
}

/** Upper case is not allowed, so that ids can be compared as text. */
function digit(code: number): number {
  if (code >= ZERO && code <= 57) return code - ZERO
  return code >= 97 && code <= 102 ? code - 87 : -1
}
