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
    const bytes = this.#bytes
    this.#fill(random)
    for (let text = 0; text < BATCH; text++) {
      const from = text * digits.length
      const start = text * this.#length
      correct(random, from)
      for (let index = 0; index < digits.length; index++) {
        const byte = random[from + index] as number
        const at = start + (digits[index] as number)
        bytes[at] = HEX[byte >> 4] as number
        bytes[at + 1] = HEX[byte & 15] as number
      }
    }
    this.#texts = bytes.toString('latin1')
    this.#next = 0
  }
}
