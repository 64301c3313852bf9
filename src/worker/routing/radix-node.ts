import { flatCopy } from '../../lib/flat-copy.ts'

/** Above so many, children are found by their place instead of one after the other. */
const SCANNED_CHILDREN = 4
/** V8 makes a cut of fewer characters a text of its own. */
const SHORTEST_VIEW = 13
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
    this.label = flat(label)
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

  /** The node that `key`, read from here, leads to; made where there is none. `from`: what comes before has been read. */
  reach(key: string, from = 0): RadixNode<V> {
    if (from === key.length) return this
    const child = this.child(key.charCodeAt(from))
    if (child === null) {
      const made = new RadixNode<V>(key.slice(from))
      this.#adopt(made)
      return made
    }
    const { label } = child
    const longest = Math.min(label.length, key.length - from)
    let shared = 1
    while (shared < longest && label.charCodeAt(shared) === key.charCodeAt(from + shared)) shared++
    const next = shared === label.length ? child : this.#split(child, shared)
    return next.reach(key, from + shared)
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
    child.label = flat(child.label.slice(length))
    between.#adopt(child)
    return between
  }
}

/** What is beyond Latin-1 would be copied into another text; no request's bytes are ever like it, so it stays as it is. */
function flat(label: string): string {
  if (label.length < SHORTEST_VIEW) return label
  const copy = flatCopy(label)
  return copy === label ? copy : label
}
