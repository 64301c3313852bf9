const BATCH = 128
const BYTES = 16
const LENGTH = 36
const HEX = Buffer.from('0123456789abcdef', 'latin1')
/** Where the two digits of each byte begin (RFC 9562 section 4). */
const DIGITS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const

/**
 * Random UUIDs (version 4, RFC 9562), rendered 128 at a time and handed out as slices: one string a request instead of
 * the fifteen that node:crypto's randomUUID puts together. `fill`: a cryptographic source of bytes.
 */
export class IdSource {
  readonly #fill: (bytes: Buffer) => void
  readonly #random = Buffer.alloc(BATCH * BYTES)
  readonly #bytes = Buffer.alloc(BATCH * LENGTH, '-', 'latin1')
  #texts = ''
  #next = BATCH

  constructor(fill: (bytes: Buffer) => void) {
    this.#fill = fill
  }

  next(): string {
    if (this.#next === BATCH) this.#refill()
    const start = this.#next++ * LENGTH
    return this.#texts.slice(start, start + LENGTH)
  }

  #refill(): void {
    const random = this.#random
    const bytes = this.#bytes
    this.#fill(random)
    for (let text = 0; text < BATCH; text++) {
      const from = text * BYTES
      const to = text * LENGTH
      random[from + 6] = ((random[from + 6] as number) & 0x0f) | 0x40
      random[from + 8] = ((random[from + 8] as number) & 0x3f) | 0x80
      for (let index = 0; index < BYTES; index++) {
        const byte = random[from + index] as number
        const at = to + (DIGITS[index] as number)
        bytes[at] = HEX[byte >> 4] as number
        bytes[at + 1] = HEX[byte & 15] as number
      }
    }
    this.#texts = bytes.toString('latin1')
    this.#next = 0
  }
}
