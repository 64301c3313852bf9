/** Entries of a set, looked through one after the other: their ids lie in two cache lines. */
const WAYS = 16
/** Bytes before the entries: the hash key, then counters, on a cache line of their own. */
const HEADER_BYTES = 64
const KEY_LOW = 0
const KEY_HIGH = 1
const EVICTED = 2
/** Of one entry: id, state, expiry. */
const ENTRY_BYTES = 8 + 8 + 4

/** An entry's generation, in the low bits of its id and the high bits of its state. */
const GENERATION_BITS = 10
const GENERATION_MASK = (1 << GENERATION_BITS) - 1
/** In the state's high word: 10 bits generation, 1 bit `unconfirmed`, 21 bits of the value. */
const GENERATION_SHIFT = 22
const UNCONFIRMED = 1 << 21
const VALUE_MASK = UNCONFIRMED - 1
const TWO_32 = 2 ** 32

/** Which entries may be taken for another key: those that are due, or else the one due soonest; or only empty ones. */
export type Eviction = 'soonest' | 'when empty'

/**
 * Numbers by key, in memory that all threads share: set-associative, without locks. What a key holds is changed by one
 * compare-and-swap, so a thread that is killed at any instruction leaves nothing half done and nobody waiting.
 *
 * An entry belongs to a key while its id names the key and the generations in id and state are equal. It is given to
 * another key in two swaps: the state moves to the next generation, which makes every swap against the old one fail
 * and the entry nobody's; then the id names the new key. Two threads that enter one key at once, in two places, both
 * find both afterwards: an entry counts only once it is confirmed, and is confirmed only by who has looked at the
 * whole set and found no other of that key; of two unconfirmed ones the first stays.
 *
 * Cells are 32-bit words of a little-endian machine, which all that Node runs on but s390x are.
 */
export class BucketTable {
  /** What the entry that was last found held: an integer, 0 ≤ value < 2⁵³; 0 is what a new entry holds. */
  value = 0
  readonly sets: number
  readonly #header: Int32Array
  readonly #ids: BigInt64Array
  readonly #idCells: Int32Array
  readonly #states: BigInt64Array
  readonly #expiriesS: Int32Array
  readonly #eviction: Eviction
  readonly #emptyModulus: number
  /** Called with what an entry holds before it may be taken from its key. */
  beforeRetire: ((value: number) => void) | null = null
  /** Whether the entry that was last picked was in use by a key. */
  #isCrowded = false
  /** The state that was last read, whole, and its words; written to make one. */
  #state = 0n
  readonly #word = new BigInt64Array(1)
  readonly #wordCells = new Int32Array(this.#word.buffer)

  /**
   * Memory for at least that many entries (a power of two, 20 bytes each), pages of which cost nothing until used.
   * Choose twice the number of keys that are to be held at once. `key`: 8 random bytes.
   */
  static create(entries: number, key: Uint8Array): SharedArrayBuffer {
    const capacity = Math.max(WAYS, 2 ** Math.ceil(Math.log2(entries)))
    const memory = new SharedArrayBuffer(HEADER_BYTES + capacity * ENTRY_BYTES)
    new Uint8Array(memory).set(key.subarray(0, 8))
    return memory
  }

  /** An entry is empty if what it holds is a multiple of `emptyModulus`; Infinity: only 0 is. */
  constructor(memory: SharedArrayBuffer, eviction: Eviction, emptyModulus = Number.POSITIVE_INFINITY) {
    const capacity = (memory.byteLength - HEADER_BYTES) / ENTRY_BYTES
    const statesAt = HEADER_BYTES + capacity * 8
    this.#eviction = eviction
    this.#emptyModulus = emptyModulus
    this.sets = capacity / WAYS
    this.#header = new Int32Array(memory, 0, HEADER_BYTES / 4)
    this.#ids = new BigInt64Array(memory, HEADER_BYTES, capacity)
    this.#idCells = new Int32Array(memory, HEADER_BYTES, capacity * 2)
    this.#states = new BigInt64Array(memory, statesAt, capacity)
    this.#expiriesS = new Int32Array(memory, statesAt + capacity * 8, capacity)
  }

  get capacity(): number {
    return this.sets * WAYS
  }

  get keyLow(): number {
    return this.#header[KEY_LOW] as number // within the header
  }

  get keyHigh(): number {
    return this.#header[KEY_HIGH] as number // within the header
  }

  /** Entries that were taken from a key before they had expired, since the memory was made; modulo 2³². */
  get evicted(): number {
    return Atomics.load(this.#header, EVICTED) >>> 0
  }

  /** The key's entry, with what it holds in `value`; -1 and 0 where it has none. */
  find(first: number, second: number): number {
    const at = this.#find(first, second | 1)
    if (at >= 0) return at
    this.value = 0
    return -1
  }

  /**
   * The key's entry, made if there is none, with what it holds in `value`. -1 only where nothing may be evicted and
   * the set is full of entries that hold something.
   */
  claim(first: number, second: number, nowS: number): number {
    for (;;) {
      const at = this.#find(first, second | 1)
      if (at < 0) {
        if (!this.#enter(first, second | 1, nowS)) return -1
      } else if (((this.#wordCells[1] as number) & UNCONFIRMED) === 0) return at
      else this.#confirm(at, first, second | 1)
    }
  }

  /** The entry's value as it is now, into `value`; for one that is known to be held. */
  read(at: number): void {
    this.#load(at)
  }

  /**
   * Says, before the swap that makes it true, that the entry holds something until `expiryS`: whoever finds it due
   * read the state before, and loses the swap. An expiry only ever grows.
   */
  keepUntil(at: number, expiryS: number): void {
    let known = Atomics.load(this.#expiriesS, at)
    while (known < expiryS) {
      const found = Atomics.compareExchange(this.#expiriesS, at, known, expiryS)
      if (found === known) return
      known = found
    }
  }

  /** Puts `value` where `find`, `claim` or `read` found `at`, unless it has changed since. */
  swap(at: number, value: number): boolean {
    const high = (this.#wordCells[1] as number) & ~VALUE_MASK
    return this.#exchange(at, this.#state, high | Math.floor(value / TWO_32), value | 0)
  }

  #find(first: number, second: number): number {
    const from = this.#setOf(first)
    for (let at = from; at < from + WAYS; at++) if (this.#isOf(at, first, second)) return at
    return -1
  }

  #setOf(first: number): number {
    return (first & (this.sets - 1)) * WAYS
  }

  /** Whether the entry belongs to the key; if so, its state is loaded. */
  #isOf(at: number, first: number, second: number): boolean {
    if (Atomics.load(this.#idCells, at * 2) !== second) return false
    const rest = Atomics.load(this.#idCells, at * 2 + 1)
    if (rest >>> GENERATION_BITS !== first >>> GENERATION_BITS) return false
    this.#load(at)
    return (rest & GENERATION_MASK) === this.#generation()
  }

  #load(at: number): void {
    const state = Atomics.load(this.#states, at)
    this.#state = state
    this.#word[0] = state
    this.value =
      ((this.#wordCells[1] as number) & VALUE_MASK) * TWO_32 + ((this.#wordCells[0] as number) >>> 0)
  }

  #generation(): number {
    return (this.#wordCells[1] as number) >>> GENERATION_SHIFT
  }

  #exchange(at: number, expected: bigint, high: number, low: number): boolean {
    this.#wordCells[0] = low
    this.#wordCells[1] = high
    return Atomics.compareExchange(this.#states, at, expected, this.#word[0] as bigint) === expected
  }

  /** Makes the entry, whose state is loaded, nobody's: false if it changed in the meantime. */
  #retire(at: number): boolean {
    const generation = (this.#generation() + 1) & GENERATION_MASK
    return this.#exchange(at, this.#state, (generation << GENERATION_SHIFT) | UNCONFIRMED, 0)
  }

  /** One try to enter a key, unconfirmed; whoever calls looks for it again. False: no entry may be taken. */
  #enter(first: number, second: number, nowS: number): boolean {
    const at = this.#pick(this.#setOf(first), nowS)
    if (at < 0) return false
    const id = Atomics.load(this.#ids, at)
    this.#load(at)
    this.#word[0] = id
    const owner = (this.#wordCells[1] as number) & GENERATION_MASK
    this.#word[0] = this.#state
    let generation = this.#generation()
    if (owner === generation) {
      const isDue = this.#isDue(at, nowS)
      // Somebody else has taken it in the meantime, and may have counted there.
      if (!isDue && !this.#isCrowded) return true
      this.beforeRetire?.(this.value)
      if (!this.#retire(at)) return true
      if (!isDue) Atomics.add(this.#header, EVICTED, 1)
      generation = (generation + 1) & GENERATION_MASK
    }
    this.#wordCells[0] = second
    this.#wordCells[1] = (first & ~GENERATION_MASK) | generation
    Atomics.compareExchange(this.#ids, at, id, this.#word[0] as bigint)
    return true
  }

  /** The first entry of a set that is nobody's or due, else the one due soonest; -1 where that may not be. */
  #pick(from: number, nowS: number): number {
    let soonest = from
    this.#isCrowded = false
    for (let at = from; at < from + WAYS; at++) {
      const owner = Atomics.load(this.#idCells, at * 2 + 1) & GENERATION_MASK
      this.#load(at)
      if (owner !== this.#generation() || this.#isDue(at, nowS)) return at
      if (this.#expiryOf(at) < this.#expiryOf(soonest)) soonest = at
    }
    if (this.#eviction === 'when empty') return -1
    this.#isCrowded = true
    return soonest
  }

  /** Whether the entry, whose state was loaded before, holds nothing any more. */
  #isDue(at: number, nowS: number): boolean {
    return (
      this.value % this.#emptyModulus === 0 || (this.#eviction === 'soonest' && this.#expiryOf(at) <= nowS)
    )
  }

  #expiryOf(at: number): number {
    return Atomics.load(this.#expiriesS, at)
  }

  /** Decides whether an entry, found unconfirmed, stays: whoever calls looks again. */
  #confirm(at: number, first: number, second: number): void {
    const state = this.#state
    const high = this.#wordCells[1] as number
    const from = this.#setOf(first)
    for (let other = from; other < from + WAYS; other++) {
      if (other === at || !this.#isOf(other, first, second)) continue
      const isConfirmed = ((this.#wordCells[1] as number) & UNCONFIRMED) === 0
      if (!isConfirmed && other > at) {
        if (this.#retire(other)) continue
        return
      }
      this.#state = state
      this.#wordCells[1] = high
      this.#retire(at)
      return
    }
    this.#exchange(at, state, high & ~UNCONFIRMED, 0)
  }
}
