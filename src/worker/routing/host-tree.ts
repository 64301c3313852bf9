import type { Route } from '../../proxy/route.ts'
import { PathTree } from './path-tree.ts'
import { RadixNode } from './radix-node.ts'
import type { Walk } from './walk.ts'

const DOT = 46
const ZERO = 48
const NINE = 57
const COLON = 58
const WILDCARD = '*'

type Node = RadixNode<Place>

interface Place {
  exact: PathTree | null
  /** For every name below: the characters read end in a dot. */
  below: PathTree | null
}

/**
 * The hosts that routes name, read from their ends: an exact name wins over a wildcard, a longer wildcard over a
 * shorter one; a host that has nothing for the request gives way to the next.
 */
export class HostTree {
  readonly #root: Node = new RadixNode()

  /** The paths of a host as configured; `*.` stands for any name below a domain. */
  treeOf(host: string): PathTree {
    const isWildcard = host.startsWith(`${WILDCARD}.`)
    const key = (isWildcard ? host.slice(WILDCARD.length) : host).toLowerCase()
    const node = this.#root.reach([...withoutDot(key)].reverse().join(''))
    node.value ??= { exact: null, below: null }
    const place = node.value
    if (isWildcard) {
      place.below ??= new PathTree()
      return place.below
    }
    place.exact ??= new PathTree()
    return place.exact
  }

  pick(walk: Walk): Route | null {
    const { head } = walk
    if (head.hostStart < 0) return null
    return search(this.#root, nameEnd(head.text, head.hostStart, head.hostEnd), walk)
  }
}

function withoutDot(host: string): string {
  return host.endsWith('.') ? host.slice(0, -1) : host
}

/** Where a host without its port and without the dot of the root ends. */
function nameEnd(text: string, start: number, end: number): number {
  let at = end
  while (at > start && isDigit(text.charCodeAt(at - 1))) at--
  if (at === start || text.charCodeAt(at - 1) !== COLON) at = end
  else at--
  return at > start + 1 && text.charCodeAt(at - 1) === DOT ? at - 1 : at
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}

/** `at`: everything from there on has been read. */
function search(node: Node, at: number, walk: Walk): Route | null {
  const { text, hostStart } = walk.head
  const place = node.value
  if (at === hostStart) return place?.exact ? pickIn(place.exact, walk) : null
  const child = node.child(lowerCase(text.charCodeAt(at - 1)))
  if (child !== null && isNext(child.label, text, at, hostStart)) {
    const found = search(child, at - child.label.length, walk)
    if (found !== null) return found
  }
  return place?.below ? pickIn(place.below, walk) : null
}

function pickIn(tree: PathTree, walk: Walk): Route | null {
  return tree.pick(walk) ?? tree.pickAny(walk)
}

function isNext(label: string, text: string, at: number, start: number): boolean {
  if (at - start < label.length) return false
  for (let index = 0; index < label.length; index++) {
    if (label.charCodeAt(index) !== lowerCase(text.charCodeAt(at - 1 - index))) return false
  }
  return true
}

function lowerCase(code: number): number {
  return code >= 65 && code <= 90 ? code | 32 : code
}
