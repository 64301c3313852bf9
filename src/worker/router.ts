import type { Head } from '../http1/head.ts'
import { isPathUnsafe, needsLook } from '../proxy/path-safety.ts'
import type { Route } from '../proxy/route.ts'
import type { Snapshot } from '../proxy/snapshot.ts'
import type { HostTree } from './routing/host-tree.ts'
import type { PathTree } from './routing/path-tree.ts'
import { Walk } from './routing/walk.ts'

/** Whole table, in the order it is asked. */
export interface RouterParts {
  /** What nothing configured can take: the probes of Kubernetes. */
  readonly fixed: PathTree
  /** Null where no route names a host. */
  readonly hosts: HostTree | null
  /** Routes for any host. */
  readonly anyHost: PathTree
  /** Own pages: for them, every route but a catch-all comes first. */
  readonly pages: PathTree
  /** `/`, which even a catch-all takes. */
  readonly greeting: PathTree
  readonly unreadable: Route
  readonly unknown: Route
  readonly unsafe: Route
  /** For a path that is known by these methods only: answers preflights, refuses the rest. */
  readonly otherwise: (methods: ReadonlySet<string>) => Route
}

/**
 * Finds a request's route: most specific first by host, path, conditions and methods, whatever the order of the
 * config; what has nothing for the request gives way to what is less specific. Matches on the path as received: nothing
 * is decoded, letters are case-sensitive.
 */
export class Router implements Snapshot {
  readonly unreadable: Route
  readonly #parts: RouterParts
  readonly #walk = new Walk()

  constructor(parts: RouterParts) {
    this.#parts = parts
    this.unreadable = parts.unreadable
  }

  match(head: Head): Route {
    const walk = this.#walk
    walk.begin(head)
    if (needsLook(walk.text, walk.start, walk.end) && isPathUnsafe(head.path)) return this.#parts.unsafe
    if (walk.method === 'OPTIONS') {
      const wanted = head.find('origin', 0) < 0 ? null : head.get('access-control-request-method')
      const allowed = wanted === null ? null : this.#known(walk, 'preflight')
      if (allowed !== null && wanted !== null && allowed.has(wanted)) return this.#parts.otherwise(allowed)
      walk.begin(head)
    }
    return this.#find(walk) ?? this.#refusal(walk)
  }

  #find(walk: Walk): Route | null {
    const { fixed, hosts, anyHost, pages, greeting } = this.#parts
    const own = fixed.pick(walk)
    if (own !== null) return own
    // Whatever else would take it: nobody may answer a probe's path in the gateway's stead, by no method.
    if (walk.isKnown) return null
    return (
      hosts?.pick(walk) ??
      anyHost.pick(walk) ??
      pages.pick(walk) ??
      anyHost.pickAny(walk) ??
      greeting.pick(walk)
    )
  }

  #refusal(walk: Walk): Route {
    return walk.isKnown ? this.#parts.otherwise(this.#known(walk, 'request')) : this.#parts.unknown
  }

  /** The methods by which what is asked for is known. */
  #known(walk: Walk, kind: Walk['kind']): ReadonlySet<string> {
    const missed = new Set<string>()
    walk.isKnown = false
    walk.missed = missed
    walk.kind = kind
    this.#find(walk)
    return missed
  }
}
