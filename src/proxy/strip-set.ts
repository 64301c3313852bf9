import { fieldNameHash, foldsTo } from '../http1/field-name.ts'
import { FIELD_STRIDE, type Head } from '../http1/head.ts'
import { foldName } from '../lib/fold-name.ts'

/** What becomes of a field: kept as it is, dropped, or kept only if spelt exactly (framing fields, whose aliases are dropped). */
type Fate = 'drop' | 'drop-aliases'

interface Entry {
  readonly folded: string
  readonly fate: Fate
}

const LOW_BITS = 0x3ff

/**
 * Field names that do not pass, found by a hash that folds case, `_` and `.`: every spelling an upstream could take
 * for one of them goes with it. A hit is compared in full, so no other name is ever dropped for its hash.
 */
export class StripSet {
  readonly #entries = new Map<number, Entry[]>()
  /** 1 where some entry's hash has these low bits: tells most fields apart without a lookup. */
  readonly #present = new Uint8Array(LOW_BITS + 1)

  constructor(dropped: Iterable<string>, exactOnly: Iterable<string> = []) {
    for (const name of dropped) this.#add(name, 'drop') // first: where a name is in both, it goes
    for (const name of exactOnly) this.#add(name, 'drop-aliases')
  }

  /** Whether field `index` of `head` is dropped. */
  drops(head: Head, index: number): boolean {
    const at = index * FIELD_STRIDE
    const hash = head.fields[at + 4] as number
    if (this.#present[hash & LOW_BITS] === 0) return false
    const entries = this.#entries.get(hash)
    if (entries === undefined) return false
    const start = head.fields[at] as number
    const end = head.fields[at + 1] as number
    for (const { folded, fate } of entries) {
      if (!foldsTo(head.text, start, end, folded)) continue
      return fate === 'drop' || head.text.slice(start, end).toLowerCase() !== folded
    }
    return false
  }

  #add(name: string, fate: Fate): void {
    const folded = foldName(name)
    const hash = fieldNameHash(folded)
    this.#present[hash & LOW_BITS] = 1
    const entries = this.#entries.get(hash)
    if (entries === undefined) this.#entries.set(hash, [{ folded, fate }])
    else if (!entries.some((entry) => entry.folded === folded)) entries.push({ folded, fate })
  }
}
