/** A 32-bit finaliser (Murmur3's): every bit of the input reaches every bit of the output. */
export function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Random numbers of one exchange, the same whenever and wherever they are drawn. */
export class Draw {
  #state: number

  constructor(seed: number, number: number) {
    this.#state = mix(mix(seed) ^ Math.imul(number, 0x9e37_79b1))
  }

  /** 0 … 2³² - 1. */
  next(): number {
    this.#state = (this.#state + 0x9e37_79b9) | 0
    return mix(this.#state)
  }

  /** 0 … limit - 1. */
  below(limit: number): number {
    return Math.floor((this.next() / 2 ** 32) * limit)
  }

  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32
  }

  oneOf<Item>(items: readonly Item[]): Item {
    // `below` stays within the list, and no list here is empty.
    return items[this.below(items.length)] as Item
  }
}
