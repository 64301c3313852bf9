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
 *
 * A counter that changed hands gets its tenant's name with the second request: in a crowd of small tenants most never
 * come to that, and writing names was a third of what counting them costs (bench/micro/metrics.ts).
 */
export class TenantSketch {
  readonly #memory: SketchMemory
  readonly #places = new Map<string, number>()
  readonly #tenants: string[] = []
  /**
   * Counters as a binary heap, lowest first, by the counts they had when they were put there. Counts only grow, so these
   * are lower bounds, and who only counts leaves the heap alone: `#lowest` makes up for it.
   */
  readonly #heap = Int32Array.from({ length: SKETCH_TENANTS }, (_, counter) => counter)
  readonly #counts = new Float64Array(SKETCH_TENANTS)

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
    const { floats, words } = this.#memory
    const counter = this.#places.get(tenant) ?? this.#give(tenant, requests)
    const at = floatAt(counter)
    const count = (floats[at + COUNT] as number) + requests
    floats[at + COUNT] = count
    grow(floats, at + REFUSED, refused)
    grow(floats, at + MS, ms)
    if (words[wordAt(counter) + LENGTH] === 0 && count - (floats[at + ERROR] as number) > 1) {
      this.#write(counter, tenant)
    }
  }

  addTotals(requests: number, refused: number, ms: number): void {
    const { floats } = this.#memory
    grow(floats, TOTAL_REQUESTS, requests)
    grow(floats, TOTAL_REFUSED, refused)
    grow(floats, TOTAL_MS, ms)
  }

  #give(tenant: string, requests: number): number {
    const counter = this.#tenants.length < SKETCH_TENANTS ? this.#begin(tenant) : this.#take(requests)
    this.#tenants[counter] = tenant
    this.#places.set(tenant, counter)
    return counter
  }

  /** One that nobody has had. */
  #begin(tenant: string): number {
    const { words } = this.#memory
    const counter = this.#tenants.length
    this.#write(counter, tenant)
    Atomics.store(words, 0, counter + 1)
    return counter
  }

  /** The one with the lowest count, for somebody who has `requests` to count at once. */
  #take(requests: number): number {
    const { floats, words } = this.#memory
    const counter = this.#lowest()
    const at = floatAt(counter)
    const count = floats[at + COUNT] as number
    this.#sinkTop(counter, count + requests)
    Atomics.add(words, wordAt(counter) + VERSION, 1)
    words[wordAt(counter) + LENGTH] = 0
    floats[at + ERROR] = count
    floats[at + REFUSED] = 0
    floats[at + MS] = 0
    Atomics.add(words, wordAt(counter) + VERSION, 1)
    this.#places.delete(this.#tenants[counter] as string)
    return counter
  }

  #write(counter: number, tenant: string): void {
    const { words, names } = this.#memory
    Atomics.add(words, wordAt(counter) + VERSION, 1)
    words[wordAt(counter) + LENGTH] = names.write(tenant, counter * NAME_BYTES, NAME_BYTES, 'latin1')
    Atomics.add(words, wordAt(counter) + VERSION, 1)
  }

  /**
   * When all counters are in use. Whoever is on top with the count it has is the lowest; any other is put where it
   * belongs now. Each is so at most once, and only if it has counted since the last time: a sinking for an exchange at
   * most, as if each sank its own, and at worst all 512 in one go, which takes 7 µs.
   */
  #lowest(): number {
    const { floats } = this.#memory
    for (;;) {
      const counter = this.#heap[0] as number
      const count = floats[floatAt(counter) + COUNT] as number
      if (count === this.#counts[0]) return counter
      this.#sinkTop(counter, count)
    }
  }

  #sinkTop(counter: number, count: number): void {
    const heap = this.#heap
    const counts = this.#counts
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= SKETCH_TENANTS) break
      if (child + 1 < SKETCH_TENANTS && (counts[child + 1] as number) < (counts[child] as number)) child++
      const lowest = counts[child] as number
      if (lowest >= count) break
      heap[at] = heap[child] as number
      counts[at] = lowest
      at = child
    }
    heap[at] = counter
    counts[at] = count
  }
}

/** Tries at a counter that changes hands meanwhile; then it is left out, as one of the least. */
const TRIES = 8

/** Those that have a name: none of the others had more than one request. */
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
      if (tenant !== '') counts.push({ tenant, requests: count - error, refused, ms, error })
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
