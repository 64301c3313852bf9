import type { Config, RouteConfig } from '../config/config.ts'
import { corsPolicy } from '../policies/cors.ts'
import { ownEndpoints, withoutSlash } from '../policies/own-endpoint.ts'
import { refusePolicy, respondPolicy } from '../policies/respond.ts'
import type { Answer } from '../proxy/answer.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { type Failure, failure } from '../proxy/failure.ts'
import { compileRequestPlan } from '../proxy/head-plan.ts'
import type { Policy } from '../proxy/policy.ts'
import type { Route, RouteChoice, RouteTarget } from '../proxy/route.ts'
import { compileUpstreamFailures } from '../proxy/upstream-failure.ts'
import type { Upstream } from '../upstreams/upstream.ts'
import { type PathEntry, type PrefixEntry, Router } from './router.ts'
import { type UpstreamUrl, upstreamUrl } from './upstream-url.ts'

const OWN_METHODS = ['GET', 'HEAD']
const WILDCARD = '/*'

export interface CompileParts {
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** Ask who calls, in this order; null where nothing verifies. */
  readonly identity: Policy | null
  readonly tenant: Policy
  /** The operator's own, asked after identity; every field they own is stripped on every route. */
  readonly userPolicies?: (route: RouteConfig) => readonly Policy[]
  readonly userOwned?: ReadonlySet<string>
  /** Answers of the docs pages, by path. */
  readonly docs: ReadonlyMap<string, () => Answer>
  readonly isReady: () => boolean
}

/** Makes a config the table that requests are matched against. */
export function compile(config: Config, parts: CompileParts): Router {
  return new Compiler(config, parts).router()
}

class Compiler {
  readonly #config: Config
  readonly #parts: CompileParts
  readonly #owned: ReadonlySet<string>
  readonly #origins: '*' | ReadonlySet<string>

  constructor(config: Config, parts: CompileParts) {
    this.#config = config
    this.#parts = parts
    // Over all policies of all routes: what one route states, no client may state on any other.
    const owners = parts.identity === null ? [parts.tenant] : [parts.identity, parts.tenant]
    this.#owned = new Set([...owners.flatMap((policy) => policy.owns), ...(parts.userOwned ?? [])])
    this.#origins = config.cors.origins === '*' ? '*' : new Set(config.cors.origins)
  }

  router(): Router {
    const exact = new Map<string, PathEntry>()
    for (const [path, respond] of this.#ownAnswers()) {
      exact.set(path, this.#own(respond))
      if (path !== '/') exact.set(`${path}/`, this.#own(withoutSlash))
    }
    const prefixes: PrefixEntry[] = []
    for (const route of this.#config.routes) {
      const entry = this.#proxied(route)
      const { path } = route.match
      if (path.endsWith(WILDCARD)) prefixes.push({ ...entry, prefix: path.slice(0, -WILDCARD.length) })
      else exact.set(path, entry)
    }
    return new Router(exact, prefixes, {
      unreadable: this.#dead([]),
      unknown: this.#dead([this.#cors(null), refusePolicy(failure('route_unknown'))]),
      unsafe: this.#dead([this.#cors(null), refusePolicy(failure('path_unsafe'))]),
    })
  }

  #ownAnswers(): ReadonlyMap<string, (exchange: Exchange) => Answer | Failure> {
    return new Map([...ownEndpoints(this.#config.name, this.#parts.isReady), ...this.#parts.docs])
  }

  #own(respond: (exchange: Exchange) => Answer | Failure): PathEntry {
    const cors = this.#cors(OWN_METHODS)
    return {
      methods: new Set(OWN_METHODS),
      route: this.#dead([cors, respondPolicy(respond)]),
      otherwise: this.#notAllowed(cors, OWN_METHODS),
    }
  }

  #proxied(route: RouteConfig): PathEntry {
    const { identity, tenant } = this.#parts
    const { methods } = route.match
    const upstream = route.ending.kind === 'forward' ? (route.ending.upstreams[0]?.name ?? '') : ''
    const cors = this.#cors(methods)
    const own = this.#parts.userPolicies?.(route) ?? []
    const asked =
      route.auth === 'required' && identity !== null ? [cors, identity, tenant, ...own] : [cors, ...own]
    return {
      methods: new Set(methods),
      route: {
        name: route.name,
        policies: asked,
        owned: this.#owned,
        target: this.#target(upstream),
        logText: `,"route":${JSON.stringify(route.name)},"upstream":${JSON.stringify(upstream)}`,
      },
      otherwise: this.#notAllowed(cors, methods),
    }
  }

  #target(name: string): RouteTarget {
    const upstream = this.#parts.upstreams.get(name)
    const configured = this.#config.upstreams.find((candidate) => candidate.name === name)
    if (upstream === undefined || configured === undefined)
      throw new Error(`route to an unknown upstream: ${name}`)
    const url: UpstreamUrl = upstreamUrl(configured.endpoints[0]?.url ?? '')
    const choice: RouteChoice = {
      upstream,
      plan: compileRequestPlan(url.authority, url.basePath, this.#owned),
      failures: compileUpstreamFailures(name),
      weight: 1,
    }
    const limits = { headMs: null, idleMs: null, totalMs: null, maxBodyBytes: Number.POSITIVE_INFINITY }
    return { choices: [choice], limits }
  }

  #cors(methods: readonly string[] | null): Policy {
    return corsPolicy({ origins: this.#origins, maxAgeS: this.#config.cors.maxAgeS, methods })
  }

  #notAllowed(cors: Policy, methods: readonly string[]): Route {
    return this.#dead([
      cors,
      refusePolicy(failure('method_not_allowed', { fields: `Allow: ${methods.join(', ')}\r\n` })),
    ])
  }

  #dead(policies: readonly Policy[]): Route {
    return { name: null, policies, owned: this.#owned, target: null, logText: '' }
  }
}
