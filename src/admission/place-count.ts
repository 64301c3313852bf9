/** Cells an upstream: exchanges in it, how many may be, whether somebody waits, and the latencies of this window. */
const CELLS = 5
const IN_USE = 0
const LIMIT = 1
const CONTENDED = 2
const LATENCY_SUM = 3
const LATENCY_COUNT = 4

/** What was seen of an upstream since the last look. */
export interface LatencyWindow {
  readonly count: number
  readonly meanMs: number
}

/**
 * Places in upstreams for the whole process, in memory that every thread shares: a total an upstream, then a row a
 * thread with its own part, so that control can give back what a dead thread held. Taking one that is free is one
 * compare-and-swap; where somebody waits, only control gives them out.
 */
export class PlaceCount {
  readonly #cells: Int32Array
  readonly #rows: Int32Array
  readonly #slots: number
  readonly #row: number

  /** Memory for that many upstreams and data threads. */
  static create(slots: number, threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(slots * (CELLS + threads) * Int32Array.BYTES_PER_ELEMENT)
  }

  /** `row`: the data thread's. Control names a row with every call that needs one and passes any. */
  constructor(memory: SharedArrayBuffer, slots: number, threads: number, row: number) {
    this.#cells = new Int32Array(memory, 0, slots * CELLS)
    this.#rows = new Int32Array(memory, slots * CELLS * Int32Array.BYTES_PER_ELEMENT, slots * threads)
    this.#slots = slots
    this.#row = row
  }

  /** For a data thread: a place, unless all are taken or somebody has been waiting for longer. */
  tryTake(slot: number): boolean {
    if (Atomics.load(this.#cells, slot * CELLS + CONTENDED) !== 0) return false
    return this.takeFor(this.#row, slot)
  }

  /** For control: a place in the name of a thread, unless all are taken. */
  takeFor(row: number, slot: number): boolean {
    const cells = this.#cells
    const limit = Atomics.load(cells, slot * CELLS + LIMIT)
    const at = slot * CELLS + IN_USE
    let inUse = Atomics.load(cells, at)
    while (inUse < limit) {
      const found = Atomics.compareExchange(cells, at, inUse, inUse + 1)
      if (found === inUse) {
        Atomics.add(this.#rows, row * this.#slots + slot, 1)
        return true
      }
      inUse = found
    }
    return false
  }

  /** Gives a place of this thread's back; true if somebody waits for one and control has to hear of it. */
  give(slot: number): boolean {
    Atomics.sub(this.#rows, this.#row * this.#slots + slot, 1)
    Atomics.sub(this.#cells, slot * CELLS + IN_USE, 1)
    return Atomics.load(this.#cells, slot * CELLS + CONTENDED) !== 0
  }

  /** Of an exchange that held a place: how long the upstream took to begin its answer. */
  addLatency(slot: number, ms: number): void {
    Atomics.add(this.#cells, slot * CELLS + LATENCY_SUM, Math.round(ms * 10))
    Atomics.add(this.#cells, slot * CELLS + LATENCY_COUNT, 1)
  }

  /** For control: what was added since the last call. */
  takeLatency(slot: number): LatencyWindow {
    const sum = Atomics.exchange(this.#cells, slot * CELLS + LATENCY_SUM, 0)
    const count = Atomics.exchange(this.#cells, slot * CELLS + LATENCY_COUNT, 0)
    return { count, meanMs: count === 0 ? 0 : sum / 10 / count }
  }

  inUse(slot: number): number {
    return Atomics.load(this.#cells, slot * CELLS + IN_USE)
  }

  limit(slot: number): number {
    return Atomics.load(this.#cells, slot * CELLS + LIMIT)
  }

  /** For control. What is in use above a lowered limit is given back in its own time. */
  setLimit(slot: number, limit: number): void {
    Atomics.store(this.#cells, slot * CELLS + LIMIT, limit)
  }

  /** For control: from now on (`waited`) or no longer (`free`) every place goes through it. */
  setContended(slot: number, state: 'waited' | 'free'): void {
    Atomics.store(this.#cells, slot * CELLS + CONTENDED, state === 'waited' ? 1 : 0)
  }

  /** For control, when a data thread is gone and before its replacement starts: takes its row out of the totals. */
  reclaim(row: number): void {
    for (let slot = 0; slot < this.#slots; slot++) {
      const held = Atomics.exchange(this.#rows, row * this.#slots + slot, 0)
      if (held !== 0) Atomics.sub(this.#cells, slot * CELLS + IN_USE, held)
    }
  }
}
