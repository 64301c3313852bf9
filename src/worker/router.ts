import type { Head } from '../http1/head.ts'
import { isPathUnsafe } from '../proxy/path-safety.ts'
import type { Route } from '../proxy/route.ts'
import type { Snapshot } from '../proxy/snapshot.ts'

/** What stands at one path: by method, or nothing for it. */
export interface PathEntry {
  readonly methods: ReadonlySet<string>
  readonly route: Route
  /** For every other method: answers preflights, refuses the rest. */
  readonly otherwise: Route
}

export interface PrefixEntry extends PathEntry {
  /** Without the slash: `/api/v1/query` stands for itself and everything below. */
  readonly prefix: string
}

interface Prefix extends PrefixEntry {
  /** Some whole path lies below it and wins. Where none does, the look-up by path, a hash of all of it, is spared. */
  readonly holdsExact: boolean
}

/** Matches on the path as received: nothing is decoded, letters are case-sensitive; a whole path
 * wins over a prefix, and a longer prefix over a shorter one. */
export class Router implements Snapshot {
  readonly unreadable: Route
  readonly #exact: ReadonlyMap<string, PathEntry>
  readonly #prefixes: readonly Prefix[]
  readonly #unknown: Route
  readonly #unsafe: Route

  constructor(
    exact: ReadonlyMap<string, PathEntry>,
    prefixes: readonly PrefixEntry[],
    endings: { readonly unreadable: Route; readonly unknown: Route; readonly unsafe: Route },
  ) {
    this.#exact = exact
    const paths = [...exact.keys()]
    this.#prefixes = prefixes
      .map((entry) => ({ ...entry, holdsExact: paths.some((path) => isWithin(path, entry.prefix)) }))
      .sort((a, b) => b.prefix.length - a.prefix.length)
    this.unreadable = endings.unreadable
    this.#unknown = endings.unknown
    this.#unsafe = endings.unsafe
  }

  match(head: Head): Route {
    const { path } = head
    if (isPathUnsafe(path)) return this.#unsafe
    const entry = this.#find(path)
    if (entry === null) return this.#unknown
    return entry.methods.has(head.method) ? entry.route : entry.otherwise
  }

  #find(path: string): PathEntry | null {
    for (const entry of this.#prefixes) {
      if (!isWithin(path, entry.prefix)) continue
      return entry.holdsExact ? (this.#exact.get(path) ?? entry) : entry
    }
    return this.#exact.get(path) ?? null
  }
}

const SLASH = 47

/** Whether `path` is `prefix` itself or lies below it. */
function isWithin(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false
  return path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH
}
