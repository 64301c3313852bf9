const BATCH_BYTES = 3_072

/**
 * Random ids in hexadecimal, made as text by the batch and handed out as slices of it. `fill`: a cryptographic source
 * of bytes.
 */
export class HexSource {
  readonly #fill: (bytes: Buffer) => void
  readonly #random = Buffer.alloc(BATCH_BYTES)
  #text = ''
  #next = 0

  constructor(fill: (bytes: Buffer) => void) {
    this.#fill = fill
  }

  /** So many digits, at least 8, not all of them zero. */
  next(digits: number): string {
    for (;;) {
      if (this.#next + digits > this.#text.length) this.#refill()
      const id = this.#text.slice(this.#next, this.#next + digits)
      this.#next += digits
      if (!isZero(id)) return id
    }
  }

  #refill(): void {
    this.#fill(this.#random)
    this.#text = this.#random.toString('hex')
    this.#next = 0
  }
}

function isZero(id: string): boolean {
  for (let index = 0; index < id.length; index++) {
    if (id.charCodeAt(index) !== 48) return false
  }
  return true
}
