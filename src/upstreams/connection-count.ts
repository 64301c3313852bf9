/** Open connections, and threads that wait for one. */
const CELLS = 2
const OPEN = 0
const WANTED = 1

/**
 * Open connections per upstream for the whole process, in memory that every thread shares: for each upstream a total
 * and how many threads wait for a slot, then a row a thread with its own part of both, so that control can give back
 * what a dead thread held.
 */
export class ConnectionCount {
  readonly #cells: Int32Array
  readonly #upstreams: number
  readonly #row: number

  /** Memory that many upstreams and data threads need. */
  static byteLength(upstreams: number, threads: number): number {
    return upstreams * (threads + 1) * CELLS * Int32Array.BYTES_PER_ELEMENT
  }

  /** `row`: the data thread's, 0 … threads - 1; control takes no slots and passes `threads`, which no memory stands behind. */
  constructor(
    memory: SharedArrayBuffer,
    byteOffset: number,
    upstreams: number,
    threads: number,
    row: number,
  ) {
    this.#cells = new Int32Array(memory, byteOffset, upstreams * (threads + 1) * CELLS)
    this.#upstreams = upstreams
    this.#row = this.#rowStart(row)
  }

  /**
   * Takes a slot unless `max` are open. The total and the row move with no loop, call or allocation of ours between
   * them, which is where V8 stops a thread; if it ever did, a slot would be lost, never a limit exceeded.
   */
  tryTake(upstream: number, max: number): boolean {
    const cells = this.#cells
    const total = upstream * CELLS + OPEN
    let open = Atomics.load(cells, total)
    while (open < max) {
      const found = Atomics.compareExchange(cells, total, open, open + 1)
      if (found === open) {
        Atomics.add(cells, this.#row + total, 1)
        return true
      }
      open = found
    }
    return false
  }

  /** Gives back a slot this thread took. */
  give(upstream: number): void {
    const total = upstream * CELLS + OPEN
    Atomics.sub(this.#cells, this.#row + total, 1)
    Atomics.sub(this.#cells, total, 1)
  }

  /** Open now, in all threads. */
  open(upstream: number): number {
    return Atomics.load(this.#cells, upstream * CELLS + OPEN)
  }

  /** Says that this thread has exchanges waiting for a slot; again is the same as once. */
  want(upstream: number): void {
    const total = upstream * CELLS + WANTED
    if (Atomics.exchange(this.#cells, this.#row + total, 1) === 0) Atomics.add(this.#cells, total, 1)
  }

  /** Takes `want` back. */
  unwant(upstream: number): void {
    const total = upstream * CELLS + WANTED
    if (Atomics.exchange(this.#cells, this.#row + total, 0) === 1) Atomics.sub(this.#cells, total, 1)
  }

  /** How many threads, this one included, have exchanges waiting for a slot. */
  wanted(upstream: number): number {
    return Atomics.load(this.#cells, upstream * CELLS + WANTED)
  }

  /** For control, when a data thread is gone and before its replacement starts: takes its row out of the totals. */
  reclaim(row: number): void {
    const cells = this.#cells
    const start = this.#rowStart(row)
    for (let cell = 0; cell < this.#upstreams * CELLS; cell++) {
      const held = Atomics.exchange(cells, start + cell, 0)
      if (held !== 0) Atomics.sub(cells, cell, held)
    }
  }

  #rowStart(row: number): number {
    return (row + 1) * this.#upstreams * CELLS
  }
}
