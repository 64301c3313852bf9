/**
 * Exchanges under way per endpoint for the whole process: a total each, then a row a thread with its own part, so that
 * control can take out what a dead thread held.
 */
export class ExchangeCount {
  readonly #cells: Int32Array
  readonly #endpoints: number
  readonly #row: number

  static byteLength(endpoints: number, threads: number): number {
    return endpoints * (threads + 1) * Int32Array.BYTES_PER_ELEMENT
  }

  /** `row`: the data thread's; control passes `threads`, which no memory stands behind. */
  constructor(
    memory: SharedArrayBuffer,
    byteOffset: number,
    endpoints: number,
    threads: number,
    row: number,
  ) {
    this.#cells = new Int32Array(memory, byteOffset, endpoints * (threads + 1))
    this.#endpoints = endpoints
    this.#row = (row + 1) * endpoints
  }

  enter(endpoint: number): void {
    Atomics.add(this.#cells, this.#row + endpoint, 1)
    Atomics.add(this.#cells, endpoint, 1)
  }

  leave(endpoint: number): void {
    Atomics.sub(this.#cells, this.#row + endpoint, 1)
    Atomics.sub(this.#cells, endpoint, 1)
  }

  /** Under way now, in all threads. */
  get(endpoint: number): number {
    return Atomics.load(this.#cells, endpoint)
  }

  /** For control, when a data thread is gone and before its replacement starts. */
  reclaim(row: number): void {
    const start = (row + 1) * this.#endpoints
    for (let endpoint = 0; endpoint < this.#endpoints; endpoint++) {
      const held = Atomics.exchange(this.#cells, start + endpoint, 0)
      if (held !== 0) Atomics.sub(this.#cells, endpoint, held)
    }
  }
}
