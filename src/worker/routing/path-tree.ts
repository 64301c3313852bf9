import type { Route } from '../../proxy/route.ts'
import { type Candidate, type Group, insert, pick } from './candidate.ts'
import { RadixNode } from './radix-node.ts'
import type { Walk } from './walk.ts'

const SLASH = 47
const WILDCARD = '/*'

type Node = RadixNode<Place>

/** What stands at the end of a path read so far. */
interface Place {
  /** The path ends here. */
  exact: Group | null
  /** It ends here or goes on with a slash. */
  below: Group | null
  /** Only behind a slash: what follows one segment that is not empty, whatever it says. */
  parameter: Node | null
}

/**
 * The paths of one host. Segment by segment a literal wins over a parameter, and both over a wildcard that began
 * before; what has nothing for the request gives way to the next best.
 */
export class PathTree {
  readonly #root: Node = new RadixNode()
  #all: Group | null = null

  /** `path` as configured: literal segments, `:name`, a final `/*`. */
  add(path: string, candidate: Candidate): void {
    if (path === WILDCARD) {
      this.#all ??= []
      insert(this.#all, candidate)
      return
    }
    const isOpen = path.endsWith(WILDCARD)
    const place = placeAt(this.#nodeAt(isOpen ? path.slice(0, -WILDCARD.length) : path))
    const group = (isOpen ? place.below : place.exact) ?? []
    if (isOpen) place.below = group
    else place.exact = group
    insert(group, candidate)
  }

  /** Everything but `/*`. */
  pick(walk: Walk): Route | null {
    return search(this.#root, walk.start, walk)
  }

  /** Only `/*`: the least that can be said of a path. */
  pickAny(walk: Walk): Route | null {
    if (this.#all === null || walk.text.charCodeAt(walk.start) !== SLASH) return null
    return pick(this.#all, walk)
  }

  #nodeAt(path: string): Node {
    let node = this.#root
    let literal = ''
    for (const [index, segment] of path.split('/').entries()) {
      if (index > 0) literal += '/'
      if (segment.length < 2 || !segment.startsWith(':')) {
        literal += segment
        continue
      }
      const place = placeAt(node.reach(literal))
      place.parameter ??= new RadixNode()
      node = place.parameter
      literal = ''
    }
    return node.reach(literal)
  }
}

function placeAt(node: Node): Place {
  node.value ??= { exact: null, below: null, parameter: null }
  return node.value
}

function search(node: Node, at: number, walk: Walk): Route | null {
  const { text, end } = walk
  const place = node.value
  if (at === end) return place === null ? null : pickEnd(place, walk)
  const code = text.charCodeAt(at)
  const child = node.child(code)
  if (child !== null && isNext(child.label, text, at, end)) {
    const found = search(child, at + child.label.length, walk)
    if (found !== null) return found
  }
  if (place === null) return null
  if (place.parameter !== null && code !== SLASH) {
    const found = search(place.parameter, segmentEnd(text, at, end), walk)
    if (found !== null) return found
  }
  return place.below !== null && code === SLASH ? pick(place.below, walk) : null
}

function pickEnd({ exact, below }: Place, walk: Walk): Route | null {
  const found = exact === null ? null : pick(exact, walk)
  if (found !== null || below === null) return found
  return pick(below, walk)
}

/** The first character has been compared. */
function isNext(label: string, text: string, at: number, end: number): boolean {
  const { length } = label
  if (end - at < length) return false
  for (let index = 1; index < length; index++) {
    if (label.charCodeAt(index) !== text.charCodeAt(at + index)) return false
  }
  return true
}

function segmentEnd(text: string, start: number, end: number): number {
  let at = start
  while (at < end && text.charCodeAt(at) !== SLASH) at++
  return at
}
