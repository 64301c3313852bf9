/** Tenants a thread counts by name at a time; any with more than 1/512 of its requests is among them for certain. */
export const SKETCH_TENANTS = 512

/** lib/tenant-text.ts lets no tenant be longer. */
const NAME_BYTES = 256

// Cells of Float64: the thread's totals, then four a counter.
const TOTAL_REQUESTS = 0
const TOTAL_REFUSED = 1
const TOTAL_MS = 2
const TOTAL_CELLS = 4
const COUNT = 0
const ERROR = 1
const REFUSED = 2
const MS = 3
const COUNTER_CELLS = 4
// Cells of Int32: how many counters are used, then two a counter.
const VERSION = 0
const LENGTH = 1
const WORD_CELLS = 2

const FLOATS = TOTAL_CELLS + SKETCH_TENANTS * COUNTER_CELLS
const WORDS = 2 + SKETCH_TENANTS * WORD_CELLS

/** What is known of a tenant's exchanges. */
export interface TenantCount {
  readonly tenant: string
  /** Seen since it took its counter: no more than there were. */
  readonly requests: number
  readonly refused: number
  readonly ms: number
  /** How many requests more it may have had before. */
  readonly error: number
}

export interface TenantTotals {
  readonly requests: number
  readonly refused: number
  readonly ms: number
}

/** A sketch's memory, as whoever reads it has it. */
export interface SketchMemory {
  readonly floats: Float64Array
  readonly words: Int32Array
  readonly names: Buffer
}

/** Bytes of shared memory that a sketch needs; a multiple of 8. */
export const SKETCH_BYTES: number = FLOATS * 8 + WORDS * 4 + SKETCH_TENANTS * NAME_BYTES

export function sketchMemory(memory: SharedArrayBuffer, byteOffset: number): SketchMemory {
  const words = byteOffset + FLOATS * 8
  return {
    floats: new Float64Array(memory, byteOffset, FLOATS),
    words: new Int32Array(memory, words, WORDS),
    names: Buffer.from(memory, words + WORDS * 4, SKETCH_TENANTS * NAME_BYTES),
  }
}

/**
 * Who sends most, in bounded memory however many tenants there are: Space-Saving (Metwally, Agrawal, El Abbadi:
 * Efficient computation of frequent and top-k elements in data streams, 2005). A tenant without a counter takes the one
 * with the lowest count, and that count is what it may be wrong by. One writer; anybody may read meanwhile.
 */
export class TenantSketch {
  readonly #memory: SketchMemory
  readonly #places = new Map<string, number>()
  readonly #tenants: string[] = []
  /** Counters as a binary heap, lowest count first, and where in it each is. */
  readonly #heap = new Int32Array(SKETCH_TENANTS)
  readonly #heapAt = new Int32Array(SKETCH_TENANTS)

  /** The memory must be clear. */
  constructor(memory: SketchMemory) {
    this.#memory = memory
  }

  /** An exchange of a tenant has ended. `refused`: 1 if the gateway refused it, else 0. */
  count(tenant: string, refused: number, ms: number): void {
    this.add(tenant, 1, refused, ms)
    this.addTotals(1, refused, ms)
  }

  /** `requests` at once, without their part of the totals. */
  add(tenant: string, requests: number, refused: number, ms: number): void {
    const { floats } = this.#memory
    const counter = this.#places.get(tenant) ?? this.#give(tenant)
    const at = floatAt(counter)
    grow(floats, at + COUNT, requests)
    grow(floats, at + REFUSED, refused)
    grow(floats, at + MS, ms)
    this.#sink(this.#heapAt[counter] as number)
  }

  addTotals(requests: number, refused: number, ms: number): void {
    const { floats } = this.#memory
    grow(floats, TOTAL_REQUESTS, requests)
    grow(floats, TOTAL_REFUSED, refused)
    grow(floats, TOTAL_MS, ms)
  }

  #give(tenant: string): number {
    const { floats, words, names } = this.#memory
    const used = this.#tenants.length
    const isNew = used < SKETCH_TENANTS
    const counter = isNew ? used : (this.#heap[0] as number)
    const at = floatAt(counter)
    const version = wordAt(counter) + VERSION
    Atomics.add(words, version, 1)
    if (!isNew) this.#places.delete(this.#tenants[counter] as string)
    floats[at + ERROR] = floats[at + COUNT] as number
    floats[at + REFUSED] = 0
    floats[at + MS] = 0
    words[wordAt(counter) + LENGTH] = names.write(tenant, counter * NAME_BYTES, NAME_BYTES, 'latin1')
    Atomics.add(words, version, 1)
    this.#tenants[counter] = tenant
    this.#places.set(tenant, counter)
    if (isNew) {
      this.#heap[used] = counter
      this.#heapAt[counter] = used
      // Its count is none yet: nothing is lower, so it goes to the top.
      this.#rise(used)
      Atomics.store(words, 0, used + 1)
    }
    return counter
  }

  #rise(from: number): void {
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      if (this.#countAt(above) <= this.#countAt(at)) return
      this.#swap(at, above)
      at = above
    }
  }

  #sink(from: number): void {
    const size = this.#tenants.length
    let at = from
    for (;;) {
      let lowest = at
      const left = 2 * at + 1
      if (left < size && this.#countAt(left) < this.#countAt(lowest)) lowest = left
      if (left + 1 < size && this.#countAt(left + 1) < this.#countAt(lowest)) lowest = left + 1
      if (lowest === at) return
      this.#swap(at, lowest)
      at = lowest
    }
  }

  #countAt(position: number): number {
    return this.#memory.floats[floatAt(this.#heap[position] as number) + COUNT] as number
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap
    const first = heap[one] as number
    const second = heap[other] as number
    heap[one] = second
    heap[other] = first
    this.#heapAt[second] = one
    this.#heapAt[first] = other
  }
}

/** Tries at a counter that changes hands meanwhile; then it is left out, as one of the least. */
const TRIES = 8

export function readSketch({ floats, words, names }: SketchMemory): readonly TenantCount[] {
  const used = Atomics.load(words, 0)
  const counts: TenantCount[] = []
  for (let counter = 0; counter < used; counter++) {
    for (let tries = 0; tries < TRIES; tries++) {
      const version = Atomics.load(words, wordAt(counter) + VERSION)
      const at = floatAt(counter)
      const start = counter * NAME_BYTES
      const tenant = names.toString('latin1', start, start + (words[wordAt(counter) + LENGTH] as number))
      const [count = 0, error = 0, refused = 0, ms = 0] = floats.subarray(at, at + COUNTER_CELLS)
      if (version % 2 !== 0 || Atomics.load(words, wordAt(counter) + VERSION) !== version) continue
      counts.push({ tenant, requests: count - error, refused, ms, error })
      break
    }
  }
  return counts
}

export function readTotals({ floats }: SketchMemory): TenantTotals {
  return {
    requests: floats[TOTAL_REQUESTS] as number,
    refused: floats[TOTAL_REFUSED] as number,
    ms: floats[TOTAL_MS] as number,
  }
}

/** For a new writer: only when the one before is gone. */
export function clearSketch({ floats, words }: SketchMemory): void {
  floats.fill(0)
  words.fill(0)
}

function floatAt(counter: number): number {
  return TOTAL_CELLS + counter * COUNTER_CELLS
}

function wordAt(counter: number): number {
  return 2 + counter * WORD_CELLS
}

function grow(cells: Float64Array, at: number, by: number): void {
  cells[at] = (cells[at] as number) + by
}
