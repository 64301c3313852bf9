/**
 * HalfSipHash-1-3 with 64 bits of output (Aumasson and Bernstein; the variant Linux uses for its tables), over UTF-16
 * code units, two a word. Keyed: whoever does not know the key cannot choose texts that meet in one place of a table.
 * Written out in 32-bit integers, so that nothing is allocated; the two halves are left in `first` and `second`.
 */
export class KeyHash {
  /** 32 bits each, signed. */
  first = 0
  second = 0
  readonly #low: number
  readonly #high: number

  /** Two random 32-bit words, the same in every thread. */
  constructor(low: number, high: number) {
    this.#low = low
    this.#high = high
  }

  /** `salt` tells equal texts of different rules apart. */
  hash(salt: number, otherSalt: number, text: string): void {
    let v0 = this.#low
    let v1 = this.#high ^ 0xee
    let v2 = 0x6c796765 ^ this.#low
    let v3 = 0x74656462 ^ this.#high
    const words = (text.length + 1) >> 1
    // The salts are the first two words, three closing rounds and three more for the second half follow the last.
    for (let round = -2; round < words + 7; round++) {
      let word = 0
      if (round < 0) word = round === -2 ? salt : otherSalt
      else if (round < words) {
        const at = round * 2
        word = text.charCodeAt(at) | (at + 1 < text.length ? text.charCodeAt(at + 1) << 16 : 0)
      } else if (round === words) word = text.length
      else if (round === words + 1) v2 ^= 0xee
      else if (round === words + 4) {
        this.first = v1 ^ v3
        v1 ^= 0xdd
      }
      v3 ^= word
      v0 = (v0 + v1) | 0
      v1 = (v1 << 5) | (v1 >>> 27)
      v1 ^= v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = (v3 << 8) | (v3 >>> 24)
      v3 ^= v2
      v0 = (v0 + v3) | 0
      v3 = (v3 << 7) | (v3 >>> 25)
      v3 ^= v0
      v2 = (v2 + v1) | 0
      v1 = (v1 << 13) | (v1 >>> 19)
      v1 ^= v2
      v2 = (v2 << 16) | (v2 >>> 16)
      v0 ^= word
    }
    this.second = v1 ^ v3
  }
}
