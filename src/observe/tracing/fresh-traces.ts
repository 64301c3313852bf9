const BATCH = 128
const TRACE_BYTES = 16
const SPAN_BYTES = 8
const ID_BYTES = TRACE_BYTES + SPAN_BYTES
const TEMPLATE = `traceparent: 00-${'0'.repeat(2 * TRACE_BYTES)}-${'0'.repeat(2 * SPAN_BYTES)}-00\r\n`
const TRACE_START = TEMPLATE.indexOf('-') + 1
const TRACE_END = TRACE_START + 2 * TRACE_BYTES
const SPAN_START = TRACE_END + 1
const SPAN_END = SPAN_START + 2 * SPAN_BYTES
const HEX = Buffer.from('0123456789abcdef', 'latin1')

/**
 * The field lines of traces that begin here and are not kept: a random trace, a random first span, flags 00. They are
 * rendered 128 at a time and handed out as slices: two short strings an exchange instead of the eight of ids cut and
 * joined one by one. `fill`: a cryptographic source of bytes.
 */
export class FreshTraces {
  readonly #fill: (bytes: Buffer) => void
  readonly #random = Buffer.alloc(BATCH * ID_BYTES)
  readonly #text = Buffer.from(TEMPLATE.repeat(BATCH), 'latin1')
  #lines = ''
  #next = BATCH

  constructor(fill: (bytes: Buffer) => void) {
    this.#fill = fill
  }

  next(): string {
    if (this.#next === BATCH) this.#refill()
    const start = this.#next++ * TEMPLATE.length
    return this.#lines.slice(start, start + TEMPLATE.length)
  }

  #refill(): void {
    this.#fill(this.#random)
    for (let index = 0; index < BATCH; index++) {
      const from = index * ID_BYTES
      const at = index * TEMPLATE.length
      this.#write(from, TRACE_BYTES, at + TRACE_START)
      this.#write(from + TRACE_BYTES, SPAN_BYTES, at + SPAN_START)
    }
    this.#lines = this.#text.toString('latin1')
    this.#next = 0
  }

  /** An id of zeros alone is none (W3C Trace Context, sections 3.2.2.3 and 3.2.2.4). */
  #write(from: number, bytes: number, at: number): void {
    let any = 0
    for (let index = 0; index < bytes; index++) {
      const byte = this.#random[from + index] as number
      any |= byte
      this.#text[at + 2 * index] = HEX[byte >> 4] as number
      this.#text[at + 2 * index + 1] = HEX[byte & 15] as number
    }
    if (any === 0) this.#text[at + 2 * bytes - 1] = HEX[1] as number
  }
}

export function traceIdOf(line: string): string {
  return line.slice(TRACE_START, TRACE_END)
}

export function spanIdOf(line: string): string {
  return line.slice(SPAN_START, SPAN_END)
}
