import { flatCopy } from '../../jwt/flat-copy.ts'

/** Above so many, children are found by their place instead of one after the other. */
const SCANNED_CHILDREN = 4
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
  /** Children by the code their labels begin with, from `#base` on; empty while there are few. */
  #places: readonly (RadixNode<V> | null)[] = NONE
  #base = 0

  constructor(label = '') {
    this.label = flatCopy(label)
  }

  /** The child whose label begins with that character code; the caller compares the rest. */
  child(code: number): RadixNode<V> | null {
    if (this.#places.length > 0) {
      const place = code - this.#base
      // A negative index would be looked up as a name.
      return place < 0 ? null : (this.#places[place] ?? null)
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
    this.#place()
  }

  #place(): void {
    if (this.#children.length <= SCANNED_CHILDREN) return
    const codes = this.#children.map(({ label }) => label.charCodeAt(0))
    this.#base = Math.min(...codes)
    const places = new Array<RadixNode<V> | null>(Math.max(...codes) - this.#base + 1).fill(null)
    for (const child of this.#children) places[child.label.charCodeAt(0) - this.#base] = child
    this.#places = places
  }

  /** Puts a node between this one and `child`, after the first `length` characters of its label. */
  #split(child: RadixNode<V>, length: number): RadixNode<V> {
    const between = new RadixNode<V>(child.label.slice(0, length))
    this.#children = this.#children.with(this.#children.indexOf(child), between)
    this.#place()
    child.label = flatCopy(child.label.slice(length))
    between.#adopt(child)
    return between
  }
}
