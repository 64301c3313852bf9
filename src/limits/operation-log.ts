/** Rows are numbered from 1 within an operation, so that 0 is none. */
const ROW_RANGE = 2 ** 7
/** Threads that can take part. */
export const MOST_ROWS = ROW_RANGE - 2
const SEQUENCE_RANGE = 2 ** 30
const SEQUENCE_MASK = SEQUENCE_RANGE - 1
/** Bits above the sequence in an Int32: shifting them out makes comparisons go round. */
const ROUND_SHIFT = 2

/** Cells of a row before what it holds of each entry. */
const CELLS = 5
/** The number of the row's last operation. */
const LAST = 0
/** The operation under way: its number or 0, its entry, and what the row holds there once it is done. */
const PENDING = 1
const PENDING_AT = 2
const PENDING_HELD = 3
/** The latest operation of the row that somebody saw to have happened, before they overwrote what showed it. */
const WITNESSED = 4

/**
 * What each thread holds of shared counts, kept so that it is known exactly even if the thread is killed between
 * changing a count and noting it: an operation is announced first and leaves its number in the count itself; whoever
 * overwrites that number first notes that it was there (detectable compare-and-swap: Attiya, Ben-Baruch and Hendler
 * 2018, "Nesting-safe recoverable linearizability").
 */
export class OperationLog {
  readonly #cells: Int32Array
  readonly #entries: number

  static create(entries: number, rows: number): SharedArrayBuffer {
    if (rows > MOST_ROWS) throw new RangeError(`${rows} rows: expected at most ${MOST_ROWS}`)
    return new SharedArrayBuffer((entries + CELLS) * rows * Int32Array.BYTES_PER_ELEMENT)
  }

  constructor(memory: SharedArrayBuffer, entries: number) {
    this.#cells = new Int32Array(memory)
    this.#entries = entries
  }

  /** Announces a change of what `row` holds of an entry: the operation, 1 … 2³⁷ - 1, to be left in the count. */
  begin(row: number, at: number, change: 1 | -1): number {
    const cells = this.#cells
    const from = this.#from(row)
    const last = cells[from + LAST] as number
    const sequence = last === SEQUENCE_MASK ? 1 : last + 1
    cells[from + LAST] = sequence
    Atomics.store(cells, from + PENDING_AT, at)
    Atomics.store(cells, from + PENDING_HELD, (cells[from + CELLS + at] as number) + change)
    Atomics.store(cells, from + PENDING, sequence)
    return sequence * ROW_RANGE + row + 1
  }

  /** It happened. */
  end(row: number, at: number): void {
    const from = this.#from(row)
    Atomics.store(this.#cells, from + CELLS + at, this.#cells[from + PENDING_HELD] as number)
    Atomics.store(this.#cells, from + PENDING, 0)
  }

  /** It did not happen. */
  drop(row: number): void {
    Atomics.store(this.#cells, this.#from(row) + PENDING, 0)
  }

  /** Notes that an operation happened, before what shows it is overwritten. */
  witness(operation: number): void {
    if (operation === 0) return
    const cell = this.#from((operation % ROW_RANGE) - 1) + WITNESSED
    const sequence = Math.floor(operation / ROW_RANGE)
    let known = Atomics.load(this.#cells, cell)
    while ((sequence - known) << ROUND_SHIFT > 0) {
      const found = Atomics.compareExchange(this.#cells, cell, known, sequence)
      if (found === known) return
      known = found
    }
  }

  /** The entry of the operation during which a dead row's thread died; -1: during none. */
  pendingAt(row: number): number {
    const from = this.#from(row)
    return Atomics.load(this.#cells, from + PENDING) === 0 ? -1 : Atomics.load(this.#cells, from + PENDING_AT)
  }

  /** Puts what a dead row holds right, given the operation that its pending one's entry shows now. */
  conclude(row: number, shown: number): void {
    const cells = this.#cells
    const from = this.#from(row)
    const pending = Atomics.load(cells, from + PENDING)
    const isShown = shown === pending * ROW_RANGE + row + 1
    // Read after the entry: who overwrote it has noted it by then.
    const hasHappened = isShown || Atomics.load(cells, from + WITNESSED) === pending
    if (hasHappened) this.end(row, Atomics.load(cells, from + PENDING_AT))
    else this.drop(row)
  }

  /** What a dead row holds of an entry; it holds nothing there afterwards. */
  takeHeld(row: number, at: number): number {
    return Atomics.exchange(this.#cells, this.#from(row) + CELLS + at, 0)
  }

  #from(row: number): number {
    return row * (this.#entries + CELLS)
  }
}
