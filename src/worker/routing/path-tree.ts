import type { Route } from '../../proxy/route.ts'
import { type Candidate, type Group, inserted, pick } from './candidate.ts'
import { RadixNode } from './radix-node.ts'
import type { Walk } from './walk.ts'

const SLASH = 47
const WILDCARD = '/*'
const PARAMETER = '/:'

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
      this.#all = inserted(this.#all, candidate)
      return
    }
    const isOpen = path.endsWith(WILDCARD)
    const place = placeAt(this.#nodeAt(isOpen ? path.slice(0, -WILDCARD.length) : path))
    if (isOpen) place.below = inserted(place.below, candidate)
    else place.exact = inserted(place.exact, candidate)
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
    if (!path.includes(PARAMETER)) return this.#root.reach(path)
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

/** A loop where there is one way on, a call where there may be a way back: most of a long table is one way. */
function search(from: Node, start: number, walk: Walk): Route | null {
  const { text, end } = walk
  let node = from
  let at = start
  while (at < end) {
    const code = text.charCodeAt(at)
    const child = node.child(code)
    const next = child !== null && isNext(child.label, text, at, end) ? child : null
    const place = node.value
    if (place !== null && (code === SLASH ? place.below !== null : place.parameter !== null)) {
      const found = next === null ? null : search(next, at + next.label.length, walk)
      return found ?? searchLess(place, at, walk)
    }
    if (next === null) return null
    at += next.label.length
    node = next
  }
  return node.value === null ? null : pickEnd(node.value, walk)
}

/** What the path may be where no literal leads on: below a wildcard at a slash, a parameter's segment elsewhere. */
function searchLess({ below, parameter }: Place, at: number, walk: Walk): Route | null {
  const { text, end } = walk
  if (text.charCodeAt(at) === SLASH) return below === null ? null : pick(below, walk)
  return parameter === null ? null : search(parameter, segmentEnd(text, at, end), walk)
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
