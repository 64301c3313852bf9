import { LUMPED_PLACE, OWN_PLACE, ROUTE_PLACES } from './layout.ts'

/** Longer ones are told apart by their beginning alone. */
const NAME_BYTES = 240
const STATE = 0
const HASH = 1
const LENGTH = 2
const HEAD_CELLS = 4
const ENTRY_BYTES = HEAD_CELLS * Int32Array.BYTES_PER_ELEMENT + NAME_BYTES

const FREE = 0
const CLAIMED = 1
const READY = 2

/** Reads of an entry that another thread is writing; it takes a fraction of a microsecond, unless that thread died. */
const PATIENCE = 20_000

const FIRST_PLACE = Math.max(OWN_PLACE, LUMPED_PLACE) + 1

/**
 * Names of routes in memory that all threads share, each with a place among the counts: whichever thread compiles a
 * route first enters it, and a name keeps its place for the life of the process, so counts outlast reloads. Should two
 * threads enter one name twice (one died in the middle), whoever reads adds the two.
 */
export class NameTable {
  static readonly byteLength: number = ROUTE_PLACES * ENTRY_BYTES
  readonly #cells: Int32Array
  readonly #bytes: Buffer

  constructor(memory: SharedArrayBuffer, byteOffset: number) {
    this.#cells = new Int32Array(memory, byteOffset, NameTable.byteLength / Int32Array.BYTES_PER_ELEMENT)
    this.#bytes = Buffer.from(memory, byteOffset, NameTable.byteLength)
  }

  /** The name's place, entered if it is new; LUMPED_PLACE when the table is full. */
  place(name: string): number {
    const text = Buffer.from(name).subarray(0, NAME_BYTES)
    const hash = hashOf(text)
    const span = ROUTE_PLACES - FIRST_PLACE
    const start = (hash >>> 0) % span
    for (let step = 0; step < span; step++) {
      const place = FIRST_PLACE + ((start + step) % span)
      if (this.#isHere(place, hash, text)) return place
    }
    return LUMPED_PLACE
  }

  /** Null: nobody has it. */
  name(place: number): string | null {
    if (Atomics.load(this.#cells, cellOf(place) + STATE) !== READY) return null
    return this.#text(place).toString()
  }

  #isHere(place: number, hash: number, text: Buffer): boolean {
    const cells = this.#cells
    const at = cellOf(place)
    if (Atomics.compareExchange(cells, at + STATE, FREE, CLAIMED) === FREE) {
      cells[at + HASH] = hash
      cells[at + LENGTH] = text.length
      text.copy(this.#bytes, textAt(place))
      Atomics.store(cells, at + STATE, READY)
      return true
    }
    for (let look = 0; look < PATIENCE && Atomics.load(cells, at + STATE) !== READY; look++);
    return (
      Atomics.load(cells, at + STATE) === READY && cells[at + HASH] === hash && this.#text(place).equals(text)
    )
  }

  #text(place: number): Buffer {
    const start = textAt(place)
    return this.#bytes.subarray(start, start + (this.#cells[cellOf(place) + LENGTH] as number))
  }
}

function cellOf(place: number): number {
  return (place * ENTRY_BYTES) / Int32Array.BYTES_PER_ELEMENT
}

function textAt(place: number): number {
  return place * ENTRY_BYTES + HEAD_CELLS * Int32Array.BYTES_PER_ELEMENT
}

/** FNV-1a. */
function hashOf(text: Buffer): number {
  let hash = 0x811c9dc5 | 0
  for (const byte of text) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}
