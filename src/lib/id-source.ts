const BATCH = 128
const ID_LENGTH = 36
const HEX = Buffer.from('0123456789abcdef', 'latin1')
const DASH = 45

/** Where the sixteen bytes of a UUID go: the position of each one's first digit (RFC 9562 section 4). */
const POSITIONS = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const

/**
 * Random UUIDs (version 4, RFC 9562), made as text 128 at a time and handed out as slices of it: one string a request
 * instead of the fifteen that node:crypto's randomUUID puts together. `fill`: a cryptographic source of bytes.
 */
export class IdSource {
  readonly #fill: (bytes: Buffer) => void
  readonly #random = Buffer.alloc(BATCH * 16)
  readonly #text = Buffer.alloc(BATCH * ID_LENGTH, DASH)
  #ids = ''
  #next = BATCH

  constructor(fill: (bytes: Buffer) => void) {
    this.#fill = fill
  }

  next(): string {
    if (this.#next === BATCH) this.#refill()
    const start = this.#next++ * ID_LENGTH
    return this.#ids.slice(start, start + ID_LENGTH)
  }

  #refill(): void {
    const random = this.#random
    this.#fill(random)
    for (let id = 0; id < BATCH; id++) {
      const from = id * 16
      random[from + 6] = ((random[from + 6] as number) & 0x0f) | 0x40
      random[from + 8] = ((random[from + 8] as number) & 0x3f) | 0x80
      for (const [index, position] of POSITIONS.entries())
        this.#write(random[from + index] as number, id, position)
    }
    this.#ids = this.#text.toString('latin1')
    this.#next = 0
  }

  #write(byte: number, id: number, position: number): void {
    const at = id * ID_LENGTH + position
    this.#text[at] = HEX[byte >> 4] as number
    this.#text[at + 1] = HEX[byte & 15] as number
  }
}
