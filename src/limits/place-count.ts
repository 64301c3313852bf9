import { BucketTable } from './bucket-table.ts'
import { KeyHash } from './key-hash.ts'
import { OperationLog } from './operation-log.ts'

/** No place was to be had. */
export const NO_PLACE = -1
/** Nowhere to count it. */
export const UNCOUNTED = -2

/** An entry's value: how many are taken, and above that which operation made it so (see OperationLog). */
const COUNT_RANGE = 2 ** 15
export const MOST_PLACES = COUNT_RANGE - 1

export interface PlaceMemory {
  readonly table: SharedArrayBuffer
  readonly rows: SharedArrayBuffer
}

/**
 * How many exchanges each tenant has under way, whole process, with a row a thread of its own part, so that control can
 * give back what a dead thread held: exactly, at whatever instant it died. Only tenants with an exchange under way take
 * room.
 */
export class PlaceCount {
  readonly #table: BucketTable
  readonly #hash: KeyHash
  readonly #log: OperationLog
  readonly #row: number
  #uncounted = 0

  /**
   * Memory for so many exchanges at once and data threads (126 at most): four times the entries, 20 bytes each and 4
   * more a thread. `key`: 8 random bytes.
   */
  static create(exchanges: number, threads: number, key: Uint8Array): PlaceMemory {
    const table = BucketTable.create(exchanges * 4, key)
    const { capacity } = new BucketTable(table, 'when empty', COUNT_RANGE)
    return { table, rows: OperationLog.create(capacity, threads) }
  }

  /** `row`: the data thread's, 0 … threads - 1; control takes no places and passes `threads`. */
  constructor(memory: PlaceMemory, row: number) {
    this.#table = new BucketTable(memory.table, 'when empty', COUNT_RANGE)
    this.#hash = new KeyHash(this.#table.keyLow, this.#table.keyHigh)
    this.#log = new OperationLog(memory.rows, this.#table.capacity)
    this.#table.beforeRetire = (value) => this.#log.witness(Math.floor(value / COUNT_RANGE))
    this.#row = row
  }

  /** Exchanges of this thread that found a set full of other tenants, and went uncounted. */
  get uncounted(): number {
    return this.#uncounted
  }

  /**
   * Takes a place for `tenant` unless `max` (up to MOST_PLACES) are taken: what to give back later. NO_PLACE: they are.
   * UNCOUNTED: its set is full of other tenants, which is not its fault: it goes on, with nothing to give back.
   */
  tryTake(tenant: string, max: number): number {
    const table = this.#table
    this.#hash.hash(0, 0, tenant)
    for (;;) {
      const at = table.claim(this.#hash.first, this.#hash.second, 0)
      if (at < 0) {
        this.#uncounted++
        return UNCOUNTED
      }
      if (table.value % COUNT_RANGE >= max) return NO_PLACE
      if (this.#move(at, 1)) return at
    }
  }

  /** Gives back what `tryTake` gave this thread. */
  give(place: number): void {
    if (place < 0) return
    do this.#table.read(place)
    while (!this.#move(place, -1))
  }

  /** Taken now, in all threads. */
  taken(tenant: string): number {
    this.#hash.hash(0, 0, tenant)
    this.#table.find(this.#hash.first, this.#hash.second)
    return this.#table.value % COUNT_RANGE
  }

  /** For control, when a data thread is gone and before its replacement starts: gives back what its row holds. */
  reclaim(row: number): void {
    const log = this.#log
    const pendingAt = log.pendingAt(row)
    if (pendingAt >= 0) {
      this.#table.read(pendingAt)
      log.conclude(row, Math.floor(this.#table.value / COUNT_RANGE))
    }
    const { capacity } = this.#table
    for (let at = 0; at < capacity; at++) {
      const held = log.takeHeld(row, at)
      if (held > 0) this.#giveBack(at, held)
    }
  }

  /** One operation of this thread on the entry that was just read: false if it has changed since. */
  #move(at: number, change: 1 | -1): boolean {
    const { value } = this.#table
    this.#log.witness(Math.floor(value / COUNT_RANGE))
    const operation = this.#log.begin(this.#row, at, change)
    const isDone = this.#table.swap(at, (value % COUNT_RANGE) + change + operation * COUNT_RANGE)
    if (isDone) this.#log.end(this.#row, at)
    else this.#log.drop(this.#row)
    return isDone
  }

  #giveBack(at: number, held: number): void {
    for (;;) {
      this.#table.read(at)
      const { value } = this.#table
      this.#log.witness(Math.floor(value / COUNT_RANGE))
      if (this.#table.swap(at, (value % COUNT_RANGE) - held)) return
    }
  }
}
