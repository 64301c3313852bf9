const BATCH = 128

/**
 * Texts of one form with random digits in them, rendered 128 at a time and handed out as slices: one short string each
 * instead of the many that digits cut and joined one by one are.
 */
export abstract class RandomText {
  readonly #fill: (bytes: Buffer) => void
  readonly #random: Buffer
  readonly #bytes: Buffer
  readonly #length: number
  #texts = ''
  #next = BATCH

  /**
   * `template`: how a text looks, in ASCII; what no digit is written over stays. `randomBytes`: how many a text takes.
   * `fill`: a cryptographic source of bytes.
   */
  constructor(template: string, randomBytes: number, fill: (bytes: Buffer) => void) {
    this.#fill = fill
    this.#random = Buffer.alloc(BATCH * randomBytes)
    this.#bytes = Buffer.alloc(BATCH * template.length, template, 'latin1')
    this.#length = template.length
  }

  next(): string {
    if (this.#next === BATCH) this.#refill()
    const start = this.#next++ * this.#length
    return this.#texts.slice(start, start + this.#length)
  }

  /** Writes the digits of all texts into `bytes`, where they lie one behind the other; may correct what is random. */
  protected abstract render(random: Buffer, bytes: Buffer): void

  #refill(): void {
    this.#fill(this.#random)
    this.render(this.#random, this.#bytes)
    this.#texts = this.#bytes.toString('latin1')
    this.#next = 0
  }
}
