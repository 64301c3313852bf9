const BATCH = 128
const HEX = Buffer.from('0123456789abcdef', 'latin1')

/** How a text with random hexadecimal digits in it looks. */
export interface RandomForm {
  /** ASCII; what no digit is written over stays. */
  readonly template: string
  /** Where the two digits of each random byte begin in it. */
  readonly digits: readonly number[]
  /** Corrects the random bytes of one text, which begin at `from`. */
  readonly correct: (random: Buffer, from: number) => void
}

/**
 * Texts of one form, rendered 128 at a time and handed out as slices: one short string each instead of the many that
 * digits cut and joined one by one are. `fill`: a cryptographic source of bytes.
 */
export class RandomText {
  readonly #form: RandomForm
  readonly #fill: (bytes: Buffer) => void
  readonly #random: Buffer
  readonly #bytes: Buffer
  readonly #length: number
  #texts = ''
  #next = BATCH

  constructor(form: RandomForm, fill: (bytes: Buffer) => void) {
    this.#form = form
    this.#fill = fill
    this.#random = Buffer.alloc(BATCH * form.digits.length)
    this.#bytes = Buffer.from(form.template.repeat(BATCH), 'latin1')
    this.#length = form.template.length
  }

  next(): string {
    if (this.#next === BATCH) this.#refill()
    const start = this.#next++ * this.#length
    return this.#texts.slice(start, start + this.#length)
  }

  #refill(): void {
    const { digits, correct } = this.#form
    const random = this.#random
    this.#fill(random)
    for (let text = 0; text < BATCH; text++) {
      const from = text * digits.length
      correct(random, from)
      for (const [index, place] of digits.entries())
        this.#write(random[from + index] as number, text * this.#length + place)
    }
    this.#texts = this.#bytes.toString('latin1')
    this.#next = 0
  }

  #write(byte: number, at: number): void {
    this.#bytes[at] = HEX[byte >> 4] as number
    this.#bytes[at + 1] = HEX[byte & 15] as number
  }
}
