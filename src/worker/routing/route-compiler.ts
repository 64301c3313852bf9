import type { Config, FieldChanges, RouteConfig } from '../../config/config.ts'
import { upstreamUrl } from '../../config/upstream-url.ts'
import { bodyLimitPolicy } from '../../policies/body-limit.ts'
import { corsPolicy } from '../../policies/cors.ts'
import { redirectPolicy } from '../../policies/redirect.ts'
import { refusePolicy } from '../../policies/respond.ts'
import { failure } from '../../proxy/failure.ts'
import {
  compileRequestPlan,
  compileRequestStrips,
  compileResponsePlan,
  type RequestPlan,
  type RequestStrips,
  type ResponsePlan,
  TRACE_FIELDS,
  UNCHANGED_RESPONSE,
} from '../../proxy/head-plan.ts'
import { compileRewrite } from '../../proxy/path-rewrite.ts'
import type { Policy } from '../../proxy/policy.ts'
import type { Route, RouteChoice, RouteTarget } from '../../proxy/route.ts'
import { compileUpstreamFailures } from '../../proxy/upstream-failure.ts'
import type { UpstreamLookup } from '../../upstreams/upstream-set.ts'

/** What the routes of a snapshot are made of. */
export interface RouteParts {
  readonly upstreams: UpstreamLookup
  /** Asks who calls; null where nothing verifies. */
  readonly identity: Policy | null
  /** The same where a request need not say; null as above. */
  readonly optionalIdentity: Policy | null
  readonly tenant: Policy
  /** The operator's own of a route, in their order. */
  readonly userPolicies: (route: RouteConfig) => readonly Policy[]
  /** Lower-case names of the fields they own, on whichever route. */
  readonly userOwned: Iterable<string>
}

/** Values by what they were made from: what is the same for many routes is there once. */
class Shared<V> {
  readonly #values = new Map<string, V>()

  of(key: string, make: () => V): V {
    const known = this.#values.get(key)
    if (known !== undefined) return known
    const made = make()
    this.#values.set(key, made)
    return made
  }
}

/** Makes routes of a config. Whatever two routes have in common they share: a route by itself is a few words. */
export class RouteCompiler {
  readonly #config: Omit<Config, 'routes'>
  readonly #parts: RouteParts
  readonly #owned: ReadonlySet<string>
  /** `#owned`, and what the gateway states itself on every route. */
  readonly #reserved: ReadonlySet<string>
  readonly #strips: RequestStrips
  readonly #origins: '*' | ReadonlySet<string>
  /** Of every route that is found: preflights never get there. */
  readonly #cors: Policy
  readonly #choices = new Shared<Omit<RouteChoice, 'weight'>>()
  readonly #targets = new Shared<RouteTarget>()
  readonly #responses = new Shared<ResponsePlan>()
  readonly #policies = new Shared<readonly Policy[]>()
  readonly #refusals = new Shared<Route>()
  readonly #methods = new Shared<ReadonlySet<string>>()
  /** By upstream, of access lines. */
  readonly #logged = new Shared<string>()

  constructor(config: Omit<Config, 'routes'>, parts: RouteParts) {
    this.#config = config
    this.#parts = parts
    // Over all policies of all routes: what one route states, no client may state on any other.
    const owners = [parts.identity, parts.optionalIdentity, parts.tenant]
    this.#owned = new Set([...owners.flatMap((policy) => policy?.owns ?? []), ...parts.userOwned])
    this.#reserved = config.tracing === null ? this.#owned : new Set([...this.#owned, ...TRACE_FIELDS])
    this.#strips = compileRequestStrips(this.#reserved)
    this.#origins = config.cors.origins === '*' ? '*' : new Set(config.cors.origins)
    this.#cors = this.cors(null)
  }

  route(route: RouteConfig): Route {
    const { name, ending } = route
    // Where there are several, forwarding says which it was.
    const upstream = ending.kind === 'forward' && ending.upstreams.length === 1 ? ending.upstreams[0] : null
    const logged = upstream
      ? this.#logged.of(upstream.name, () => `,"upstream":${JSON.stringify(upstream.name)}`)
      : ''
    return {
      name,
      policies: this.#asked(route),
      owned: this.#owned,
      response: this.#response(route.headers.response),
      target: ending.kind === 'forward' ? this.#target(route, ending.upstreams) : null,
      logText: `,"route":${JSON.stringify(name)}${logged}`,
    }
  }

  /** One the gateway serves or refuses itself. */
  own(policies: readonly Policy[]): Route {
    return {
      name: null,
      policies,
      owned: this.#owned,
      response: UNCHANGED_RESPONSE,
      target: null,
      logText: '',
    }
  }

  /** For a path that is known by these methods only. */
  otherwise(methods: ReadonlySet<string>): Route {
    const allowed = [...methods]
    return this.#refusals.of(allowed.join(), () => {
      const refusal = failure('method_not_allowed', { fields: `Allow: ${allowed.join(', ')}\r\n` })
      return this.own([this.cors(allowed), refusePolicy(refusal)])
    })
  }

  /** `methods`: what a preflight may ask for; null where none is answered. */
  cors(methods: readonly string[] | null): Policy {
    return corsPolicy({ origins: this.#origins, maxAgeS: this.#config.cors.maxAgeS, methods })
  }

  methods(names: readonly string[]): ReadonlySet<string> {
    return this.#methods.of(names.join(), () => new Set(names))
  }

  #asked(route: RouteConfig): readonly Policy[] {
    const { auth, ending } = route
    const { maxBytes } = route.body
    const shared = this.#policies.of(`${auth} ${maxBytes}`, () => {
      const limit = maxBytes === null ? [] : [bodyLimitPolicy(maxBytes)]
      return [this.#cors, ...limit, ...this.#identity(auth)]
    })
    const own = route.policies.length === 0 ? [] : this.#parts.userPolicies(route)
    if (ending.kind === 'redirect') {
      return [...shared, ...own, redirectPolicy(ending, compileRewrite(route.rewrite))]
    }
    return own.length === 0 ? shared : [...shared, ...own]
  }

  #identity(auth: RouteConfig['auth']): readonly Policy[] {
    const { identity, optionalIdentity, tenant } = this.#parts
    const asked = auth === 'required' ? identity : auth === 'optional' ? optionalIdentity : null
    return asked === null ? [] : [asked, tenant]
  }

  #response(changes: FieldChanges): ResponsePlan {
    if (changes.set.length + changes.add.length + changes.remove.length === 0) return UNCHANGED_RESPONSE
    return this.#responses.of(JSON.stringify(changes), () => compileResponsePlan(changes))
  }

  #target(
    route: RouteConfig,
    upstreams: readonly { readonly name: string; readonly weight: number }[],
  ): RouteTarget {
    const { rewrite, timeouts, body } = route
    const { set, add, remove } = route.headers.request
    const isPlain = rewrite === null && set.length + add.length + remove.length === 0
    const own = isPlain ? '' : JSON.stringify([rewrite, route.headers.request])
    const { headMs, idleMs, totalMs } = timeouts
    const limits = `${headMs} ${idleMs} ${totalMs} ${body.maxBytes} ${own.length} ${own}`
    // Names come last, so that no name reads like another target's limits.
    const [only] = upstreams
    const where = upstreams.length === 1 && only ? `${only.weight} ${only.name}` : JSON.stringify(upstreams)
    return this.#targets.of(`${limits} ${where}`, () => ({
      choices: upstreams.map(({ name, weight }) => ({ ...this.#choice(name, own, route), weight })),
      limits: {
        headMs: timeouts.headMs ?? null,
        idleMs: timeouts.idleMs ?? null,
        totalMs: timeouts.totalMs === null ? Number.POSITIVE_INFINITY : (timeouts.totalMs ?? null),
        maxBodyBytes: body.maxBytes ?? Number.POSITIVE_INFINITY,
      },
    }))
  }

  /** `own`: what the plan depends on beside the upstream. */
  #choice(name: string, own: string, route: RouteConfig): Omit<RouteChoice, 'weight'> {
    return this.#choices.of(JSON.stringify([name, own]), () => {
      const upstream = this.#parts.upstreams.get(name)
      const configured = this.#config.upstreams.find((candidate) => candidate.name === name)
      if (upstream === null || configured === undefined)
        throw new Error(`route ${route.name} leads to an unknown upstream: ${name}`)
      return {
        upstream,
        plan: this.#plan(
          route,
          upstreamUrl(configured.endpoints[0]?.url ?? '').basePath,
          configured.hostHeader,
        ),
        failures: compileUpstreamFailures(name),
      }
    })
  }

  #plan(route: RouteConfig, basePath: string, hostHeader: RequestPlan['hostHeader']): RequestPlan {
    return compileRequestPlan({
      ...{ basePath, hostHeader, owned: this.#reserved, strips: this.#strips },
      rewrite: route.rewrite,
      changes: route.headers.request,
    })
  }
}
