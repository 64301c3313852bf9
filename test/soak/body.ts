import { mix } from './draw.ts'

/** Which of an exchange's two bodies. */
export type Direction = 'request' | 'response'

/**
 * The bytes of one body: every place has its own, from the exchange's number and the direction, so that a piece of
 * another body, or a piece in the wrong place, shows whatever its length. The first four bytes are the number itself,
 * for whoever must find out whose body it is.
 */
export class BodyBytes {
  readonly #number: number
  readonly #key: number

  constructor(seed: number, number: number, direction: Direction) {
    this.#number = number
    this.#key = mix(mix(seed) ^ Math.imul(number * 2 + (direction === 'request' ? 0 : 1), 0x9e37_79b1))
  }

  /** Writes the body's bytes from `offset` on into `target[at..at + length)`. */
  fill(target: Buffer, at: number, length: number, offset: number): void {
    const end = offset + length
    let to = at
    for (let place = offset; place < end; ) {
      const word = this.#wordAt(place >>> 2)
      for (let shift = (place & 3) << 3; shift < 32 && place < end; shift += 8, place++) {
        target[to++] = (word >>> shift) & 255
      }
    }
  }

  /** Whether `buffer[start..end)` is what the body holds from `offset` on. */
  matches(buffer: Buffer, start: number, end: number, offset: number): boolean {
    let place = offset
    for (let at = start; at < end; ) {
      const word = this.#wordAt(place >>> 2)
      for (let shift = (place & 3) << 3; shift < 32 && at < end; shift += 8, place++, at++) {
        if (buffer[at] !== ((word >>> shift) & 255)) return false
      }
    }
    return true
  }

  #wordAt(index: number): number {
    if (index === 0) return this.#number
    let hash = Math.imul(index ^ this.#key, 0x9e37_79b1)
    hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca77)
    return hash ^ (hash >>> 13) ^ this.#key
  }
}
