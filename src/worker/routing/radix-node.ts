import { flatCopy } from '../../jwt/flat-copy.ts'

/** From so many children on they are found by a table instead of one after the other. */
const SCANNED_CHILDREN = 4
const CODES = 256
const NONE: readonly never[] = []

/**
 * A node of a compressed trie of texts: what has been read leads here, `label` included. The cost of finding a text
 * grows with its length, not with how many texts there are.
 */
export class RadixNode<V> {
  /** What is read between the parent and this node; empty at a root. Flat: a view of a longer text is slower to read. */
  label: string
  value: V | null = null
  #children: readonly RadixNode<V>[] = NONE
  /** By character code: position in `#children` plus one; 0: none. Null while there are few. */
  #table: Uint8Array | null = null

  constructor(label = '') {
    this.label = flatCopy(label)
  }

  /** The child whose label begins with that character code; the caller compares the rest. */
  child(code: number): RadixNode<V> | null {
    if (this.#table !== null) {
      const position = this.#table[code]
      return position === undefined || position === 0 ? null : (this.#children[position - 1] ?? null)
    }
    for (const child of this.#children) {
      if (child.label.charCodeAt(0) === code) return child
    }
    return null
  }

  /** The node that `key`, read from here, leads to; made where there is none. `key` is Latin-1. */
  reach(key: string): RadixNode<V> {
    if (key === '') return this
    const child = this.child(key.charCodeAt(0))
    if (child === null) {
      const made = new RadixNode<V>(key)
      this.#adopt(made)
      return made
    }
    const { label } = child
    let shared = 1
    while (shared < label.length && shared < key.length && label[shared] === key[shared]) shared++
    if (shared === label.length) return child.reach(key.slice(shared))
    return this.#split(child, shared).reach(key.slice(shared))
  }

  #adopt(child: RadixNode<V>): void {
    // Copied, because an array that grows by itself keeps room for sixteen more, at every node.
    this.#children = [...this.#children, child]
    if (this.#table !== null) this.#table[child.label.charCodeAt(0)] = this.#children.length
    else if (this.#children.length > SCANNED_CHILDREN) {
      const table = new Uint8Array(CODES)
      for (const [index, { label }] of this.#children.entries()) table[label.charCodeAt(0)] = index + 1
      this.#table = table
    }
  }

  /** Puts a node between this one and `child`, after the first `length` characters of its label. */
  #split(child: RadixNode<V>, length: number): RadixNode<V> {
    const between = new RadixNode<V>(child.label.slice(0, length))
    this.#children = this.#children.with(this.#children.indexOf(child), between)
    child.label = flatCopy(child.label.slice(length))
    between.#adopt(child)
    return between
  }
}
