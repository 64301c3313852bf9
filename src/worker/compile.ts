import type { Config, RouteConfig } from '../config/config.ts'
import { ownEndpoints, withoutSlash } from '../policies/own-endpoint.ts'
import { refusePolicy, respondPolicy } from '../policies/respond.ts'
import type { Answer } from '../proxy/answer.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { type Failure, failure } from '../proxy/failure.ts'
import type { Policy } from '../proxy/policy.ts'
import { Router } from './router.ts'
import { candidateOf } from './routing/candidate.ts'
import { HostTree } from './routing/host-tree.ts'
import { PathTree } from './routing/path-tree.ts'
import { RouteCompiler, type RouteParts } from './routing/route-compiler.ts'

const OWN_METHODS = ['GET', 'HEAD']
const GREETING = '/'

export interface CompileParts extends RouteParts {
  /** Answers of the docs pages, by path. */
  readonly docs: ReadonlyMap<string, () => Answer>
  readonly isReady: () => boolean
}

/** Makes a config the table that requests are matched against. */
export function compile(config: Config, parts: CompileParts): Router {
  const builder = new SnapshotBuilder(config, parts)
  builder.add(config.routes)
  return builder.finish()
}

/**
 * The same in slices, so that a data thread can serve between them: whatever is proportional to the number of routes
 * happens in `add`. Routes may come in any order; what is looked for is fixed by `finish`, after which nothing is added.
 */
export class SnapshotBuilder {
  readonly #routes: RouteCompiler
  readonly #fixed = new PathTree()
  readonly #pages = new PathTree()
  readonly #greeting = new PathTree()
  readonly #anyHost = new PathTree()
  #hosts: HostTree | null = null

  constructor(base: Omit<Config, 'routes'>, parts: CompileParts) {
    this.#routes = new RouteCompiler(base, parts)
    const cors = this.#routes.cors(null)
    for (const [path, respond] of ownEndpoints(base.name, parts.isReady)) {
      if (path === GREETING) this.#addOwn(this.#greeting, path, respond, cors)
      else this.#addOwnTwice(this.#fixed, path, respond, cors)
    }
    for (const [path, respond] of parts.docs) this.#addOwnTwice(this.#pages, path, respond, cors)
  }

  /** Throws where a route leads to an upstream that is not there: a defect of whoever validated the config. */
  add(routes: readonly RouteConfig[]): void {
    for (const route of routes) {
      const { match } = route
      const candidate = candidateOf(match, this.#routes.methods(match.methods), this.#routes.route(route))
      if (match.hosts.length === 0) this.#anyHost.add(match.path, candidate)
      for (const host of match.hosts) {
        this.#hosts ??= new HostTree()
        this.#hosts.treeOf(host).add(match.path, candidate)
      }
    }
  }

  finish(): Router {
    const routes = this.#routes
    const cors = routes.cors(null)
    return new Router({
      fixed: this.#fixed,
      hosts: this.#hosts,
      anyHost: this.#anyHost,
      pages: this.#pages,
      greeting: this.#greeting,
      unreadable: routes.own([]),
      unknown: routes.own([cors, refusePolicy(failure('route_unknown'))]),
      unsafe: routes.own([cors, refusePolicy(failure('path_unsafe'))]),
      otherwise: (methods) => routes.otherwise(methods),
    })
  }

  #addOwnTwice(
    tree: PathTree,
    path: string,
    respond: (exchange: Exchange) => Answer | Failure,
    cors: Policy,
  ): void {
    this.#addOwn(tree, path, respond, cors)
    this.#addOwn(tree, `${path}/`, withoutSlash, cors)
  }

  #addOwn(
    tree: PathTree,
    path: string,
    respond: (exchange: Exchange) => Answer | Failure,
    cors: Policy,
  ): void {
    const route = this.#routes.own([cors, respondPolicy(respond)])
    const asked = { methods: OWN_METHODS, headers: [], query: [] }
    tree.add(path, candidateOf(asked, this.#routes.methods(OWN_METHODS), route))
  }
}
