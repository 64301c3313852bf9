import { type RandomForm, RandomText } from '../../lib/random-text.ts'
import { SPAN_END, SPAN_START, TRACE_END, TRACE_START, traceLines } from './trace-parent.ts'

const TRACE_BYTES = 16
const SPAN_BYTES = 8
/** Of the value in its line. */
const VALUE_START = 'traceparent: '.length

const FORM: RandomForm = {
  template: traceLines('0'.repeat(2 * TRACE_BYTES), '0'.repeat(2 * SPAN_BYTES), '00', ''),
  digits: [...digitsFrom(TRACE_START, TRACE_BYTES), ...digitsFrom(SPAN_START, SPAN_BYTES)],
  correct(random, from) {
    correctId(random, from, TRACE_BYTES)
    correctId(random, from + TRACE_BYTES, SPAN_BYTES)
  },
}

/**
 * The field lines of traces that begin here and are not kept: a random trace, a random first span, flags 00. `fill`: a
 * cryptographic source of bytes.
 */
export class FreshTraces extends RandomText {
  constructor(fill: (bytes: Buffer) => void) {
    super(FORM, fill)
  }
}

export function traceIdOf(line: string): string {
  return line.slice(VALUE_START + TRACE_START, VALUE_START + TRACE_END)
}

export function spanIdOf(line: string): string {
  return line.slice(VALUE_START + SPAN_START, VALUE_START + SPAN_END)
}

function digitsFrom(start: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => VALUE_START + start + 2 * index)
}

/** An id of zeros alone is none (W3C Trace Context, sections 3.2.2.3 and 3.2.2.4). */
function correctId(random: Buffer, from: number, bytes: number): void {
  for (let index = from; index < from + bytes; index++) {
    if (random[index] !== 0) return
  }
  random[from + bytes - 1] = 1
}
