import { SPAN_END, SPAN_START, TRACE_END, TRACE_START, traceLines } from './trace-parent.ts'

const BATCH = 128
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
 * Random ids: field lines of traces that begin here and are not kept, with flags 00, and spans. Lines are rendered 128
 * at a time and handed out as slices: one short string each instead of the many that digits cut and joined one by one
 * are. `fill`: a cryptographic source of bytes.
 */
export class FreshTraces {
  readonly #fill: (bytes: Buffer) => void
  readonly #random = Buffer.alloc(BATCH * TRACE_BYTES)
  readonly #bytes: Buffer
  /** The same. */
  readonly #pairs: Uint16Array
  /** Characters of a line: an even number, and the trace's digits begin at one. */
  readonly #length: number
  #lines = ''
  #next = BATCH

  constructor(fill: (bytes: Buffer) => void) {
    this.#fill = fill
    // One span for all lines: it tells things of one trace apart, and in a trace that is not kept this is the only one
    // that is ours.
    const span = Buffer.alloc(SPAN_BYTES)
    fill(span)
    avoidZero(span, 0)
    const line = traceLines('0'.repeat(2 * TRACE_BYTES), span.toString('hex'), '00', '')
    this.#length = line.length
    this.#bytes = Buffer.alloc(BATCH * line.length, line, 'latin1')
    this.#pairs = new Uint16Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length / 2)
  }

  /** The line of a trace of its own. */
  next(): string {
    if (this.#next === BATCH) this.#refill()
    const start = this.#next++ * this.#length
    return this.#lines.slice(start, start + this.#length)
  }

  /** A span's own id. */
  nextSpan(): string {
    return this.next().slice(VALUE_START + TRACE_END - 2 * SPAN_BYTES, VALUE_START + TRACE_END)
  }

  #refill(): void {
    const random = this.#random
    const pairs = this.#pairs
    this.#fill(random)
    let to = (VALUE_START + TRACE_START) / 2
    for (let from = 0; from < random.length; from += TRACE_BYTES) {
      avoidZero(random, from + TRACE_BYTES - SPAN_BYTES)
      for (let index = 0; index < TRACE_BYTES; index++)
        pairs[to + index] = PAIRS[random[from + index] as number] as number
      to += this.#length / 2
    }
    this.#lines = this.#bytes.toString('latin1')
    this.#next = 0
  }
}

export function traceIdOf(line: string): string {
  return line.slice(VALUE_START + TRACE_START, VALUE_START + TRACE_END)
}

export function spanIdOf(line: string): string {
  return line.slice(VALUE_START + SPAN_START, VALUE_START + SPAN_END)
}

/** An id of zeros alone is none (W3C Trace Context, sections 3.2.2.3 and 3.2.2.4). Of eight bytes. */
function avoidZero(random: Buffer, from: number): void {
  for (let index = from; index < from + SPAN_BYTES; index++) {
    if (random[index] !== 0) return
  }
  random[from + SPAN_BYTES - 1] = 1
}
