import { RandomText } from '../../lib/random-text.ts'
import { TRACE_END, TRACE_START, traceLines } from './trace-parent.ts'

const TRACE_BYTES = 16
const SPAN_BYTES = 8
/** Of the value in its line. */
const VALUE_START = 'traceparent: '.length

/** The two digits of each byte, to be written at once. Bytes, so that their order is no matter. */
const PAIRS = new Uint16Array(
  Uint8Array.from({ length: 512 }, (_, at) => {
    const digits = (at >> 1).toString(16).padStart(2, '0')
    return digits.charCodeAt(at & 1)
  }).buffer,
)

/**
 * Random ids: field lines of traces that begin here and are not kept, with flags 00, and spans. All lines have one
 * span: it tells things of one trace apart, and in a trace that is not kept this is the only one that is ours.
 * `fill`: a cryptographic source of bytes.
 */
export class FreshTraces extends RandomText {
  constructor(fill: (bytes: Buffer) => void) {
    const span = Buffer.alloc(SPAN_BYTES)
    fill(span)
    avoidZero(span, 0)
    super(traceLines('0'.repeat(2 * TRACE_BYTES), span.toString('hex'), '00', ''), TRACE_BYTES, fill)
  }

  /** A span's own id. */
  nextSpan(): string {
    return this.next().slice(VALUE_START + TRACE_END - 2 * SPAN_BYTES, VALUE_START + TRACE_END)
  }

  /** Two digits at a time: a line has an even number of characters, and its trace begins at an even one. */
  protected override render(random: Buffer, bytes: Buffer): void {
    const pairs = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    const linePairs = (pairs.length * TRACE_BYTES) / random.length
    let to = (VALUE_START + TRACE_START) / 2
    for (let from = 0; from < random.length; from += TRACE_BYTES) {
      avoidZero(random, from + TRACE_BYTES - SPAN_BYTES)
      for (let index = 0; index < TRACE_BYTES; index++)
        pairs[to + index] = PAIRS[random[from + index] as number] as number
      to += linePairs
    }
  }
}

export function traceIdOf(line: string): string {
  return line.slice(VALUE_START + TRACE_START, VALUE_START + TRACE_END)
}

/** An id of zeros alone is none (W3C Trace Context, sections 3.2.2.3 and 3.2.2.4). Of eight bytes. */
function avoidZero(random: Buffer, from: number): void {
  for (let index = from; index < from + SPAN_BYTES; index++) {
    if (random[index] !== 0) return
  }
  random[from + SPAN_BYTES - 1] = 1
}
