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

/** Matches on the path as received: nothing is decoded, letters are case-sensitive; a whole path
 * wins over a prefix, and a longer prefix over a shorter one. */
export class Router implements Snapshot {
  readonly unreadable: Route
  readonly #exact: ReadonlyMap<string, PathEntry>
  readonly #prefixes: readonly PrefixEntry[]
  readonly #unknown: Route
  readonly #unsafe: Route

  constructor(
    exact: ReadonlyMap<string, PathEntry>,
    prefixes: readonly PrefixEntry[],
    endings: { readonly unreadable: Route; readonly unknown: Route; readonly unsafe: Route },
  ) {
    this.#exact = exact
    this.#prefixes = [...prefixes].sort((a, b) => b.prefix.length - a.prefix.length)
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
    const exact = this.#exact.get(path)
    if (exact !== undefined) return exact
    for (const entry of this.#prefixes) {
      const { prefix } = entry
      if (!path.startsWith(prefix)) continue
      if (path.length === prefix.length || path.charCodeAt(prefix.length) === 47) return entry
    }
    return null
  }
}
