import type { Config, RouteConfig } from '../../config/config.ts'
import { upstreamUrl } from '../../config/upstream-url.ts'
import type { CredentialSource } from '../../identity/credential-source.ts'
import { TRACE_FIELDS } from '../../lib/gateway-field.ts'
import { routeSpanText } from '../../observe/tracing/exchange-spans.ts'
import { bodyLimitPolicy } from '../../policies/body-limit.ts'
import { corsPolicy } from '../../policies/cors.ts'
import { optionalIdentity } from '../../policies/optional-identity.ts'
import { redirectPolicy } from '../../policies/redirect.ts'
import { requirePolicy } from '../../policies/require.ts'
import { refusePolicy } from '../../policies/respond.ts'
import { failure } from '../../proxy/failure.ts'
import {
  compileRequestPlan,
  compileRequestStrips,
  compileResponsePlan,
  type RequestPlan,
  type RequestStrips,
  type ResponsePlan,
  UNCHANGED_RESPONSE,
} from '../../proxy/head-plan.ts'
import { compileRewrite } from '../../proxy/path-rewrite.ts'
import type { Policy } from '../../proxy/policy.ts'
import type { Route, RouteChoice, RouteTarget } from '../../proxy/route.ts'
import { compileUpstreamFailures } from '../../proxy/upstream-failure.ts'
import type { UpstreamLookup } from '../../upstreams/upstream-set.ts'
import { type TrafficParts, TrafficPolicies } from './traffic-policies.ts'

/** Fields that limits state to the client. */
const LIMIT_FIELDS = ['ratelimit', 'ratelimit-policy']

/** How routes ask who calls. */
export interface IdentityParts {
  /** Lower-case names of the fields that hold nothing but credentials: no upstream sees one. */
  readonly owned: readonly string[]
  /** Asks for a credential in one of these places. */
  policy(sources: readonly CredentialSource[]): Policy
}

/** What the routes of a snapshot are made of. */
export interface RouteParts {
  readonly upstreams: UpstreamLookup
  /** Null where nothing verifies. */
  readonly identity: IdentityParts | null
  readonly tenant: Policy
  /** Proves to upstreams what `tenant` states; null where nobody wants it. */
  readonly assertion: Policy | null
  /** Who may send how much; null: everybody whatever they like. */
  readonly traffic: TrafficParts | null
  /** The operator's own of a route, in their order. */
  readonly userPolicies: (route: RouteConfig) => readonly Policy[]
  /** Lower-case names of the fields they own, on whichever route. */
  readonly userOwned: Iterable<string>
  /** Where a route of that name is counted, null for the gateway's own. Default: nowhere told apart. */
  readonly seriesOf?: (routeName: string | null) => number
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

/** What spans say of a route where none are made, or none is configured. */
const UNTOLD = { spanName: '', spanText: '' } as const

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
  readonly #traffic: TrafficPolicies | null
  readonly #choices = new Shared<Omit<RouteChoice, 'weight'>>()
  readonly #targets = new Shared<RouteTarget>()
  readonly #responses = new Shared<ResponsePlan>()
  readonly #policies = new Shared<readonly Policy[]>()
  readonly #identities = new Shared<Policy>()
  readonly #refusals = new Shared<Route>()
  readonly #methods = new Shared<ReadonlySet<string>>()
  /** By upstream, of access lines. */
  readonly #logged = new Shared<string>()
  readonly #seriesOf: (routeName: string | null) => number

  constructor(config: Omit<Config, 'routes'>, parts: RouteParts) {
    this.#config = config
    this.#parts = parts
    // Over all policies of all routes: what one route states, no client may state on any other.
    const { identity, tenant, assertion } = parts
    const owned = [identity?.owned ?? [], tenant.owns, assertion?.owns ?? []]
    this.#owned = new Set([...owned.flat(), ...parts.userOwned])
    this.#reserved = config.tracing === null ? this.#owned : new Set([...this.#owned, ...TRACE_FIELDS])
    this.#strips = compileRequestStrips(this.#reserved)
    this.#origins = config.cors.origins === '*' ? '*' : new Set(config.cors.origins)
    this.#cors = this.cors(null)
    this.#seriesOf = parts.seriesOf ?? (() => 0)
    const { traffic, upstreams } = parts
    const admissionOf = new Map(config.upstreams.map(({ name, admission }) => [name, admission]))
    this.#traffic =
      traffic === null
        ? null
        : new TrafficPolicies(traffic, upstreams, (name) => admissionOf.get(name) ?? null)
  }

  route(route: RouteConfig): Route {
    const { name, match, ending } = route
    // Where there are several, forwarding says which it was.
    const upstream = ending.kind === 'forward' && ending.upstreams.length === 1 ? ending.upstreams[0] : null
    const logged = upstream
      ? this.#logged.of(upstream.name, () => `,"upstream":${JSON.stringify(upstream.name)}`)
      : ''
    return {
      name,
      policies: this.#asked(route),
      owned: this.#owned,
      response: this.#response(route),
      target: ending.kind === 'forward' ? this.#target(route, ending.upstreams) : null,
      logText: `,"route":${JSON.stringify(name)}${logged}`,
      // Some 200 bytes a route.
      ...(this.#config.tracing === null ? UNTOLD : routeSpanText(name, match.path)),
      series: this.#seriesOf(name),
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
      ...{ logText: '', ...UNTOLD },
      series: this.#seriesOf(null),
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
    const { auth, credentials, require, ending, limit, shadow, policies } = route
    const { maxBytes } = route.body
    const upstreams = ending.kind === 'forward' ? ending.upstreams.map(({ name }) => name) : null
    // A route's own limit, policies and redirect are nobody else's.
    if (limit !== null || policies.length > 0 || upstreams === null) return this.#askedAlone(route)
    const identity = [auth, auth === 'none' ? null : credentials, require]
    const key = JSON.stringify([maxBytes, shadow, upstreams, identity])
    return this.#policies.of(key, () => this.#askedAlone(route))
  }

  /** In the order in which they are asked: who is refused by one of them costs the later ones nothing. */
  #askedAlone(route: RouteConfig): readonly Policy[] {
    const { ending, policies, shadow } = route
    const { maxBytes } = route.body
    const limit = this.#traffic?.limit(route) ?? null
    const first = [
      this.#cors,
      ...(maxBytes === null ? [] : [bodyLimitPolicy(maxBytes)]),
      ...this.#identity(route),
      ...(limit === null ? [] : [limit]),
    ]
    const users = policies.length === 0 ? [] : this.#parts.userPolicies(route)
    const last =
      ending.kind === 'redirect'
        ? [redirectPolicy(ending, compileRewrite(route.rewrite), route.credentials)]
        : (this.#traffic?.admission(ending.upstreams) ?? [])
    const traffic = this.#traffic
    if (traffic === null || shadow.length === 0) return [...first, ...users, ...last]
    const shadowed = (asked: readonly Policy[]): readonly Policy[] => traffic.shadowed(asked, shadow)
    return [...shadowed(first), ...traffic.shadowedUsers(users, shadow), ...shadowed(last)]
  }

  #identity({ auth, credentials, require }: RouteConfig): readonly Policy[] {
    const { identity, tenant, assertion } = this.#parts
    const stated = assertion === null ? [tenant] : [tenant, assertion]
    // Asked even where nobody can have come: a demand that cannot be met refuses.
    const demanded = require === null ? [] : [requirePolicy(require)]
    if (auth === 'none' || identity === null) return demanded
    const places = JSON.stringify(credentials)
    const required = this.#identities.of(places, () => identity.policy(credentials))
    const asked =
      auth === 'required'
        ? required
        : this.#identities.of(`optional ${places}`, () => optionalIdentity(required))
    return [asked, ...stated, ...demanded]
  }

  #response(route: RouteConfig): ResponsePlan {
    const changes = route.headers.response
    const isLimited = !route.shadow.includes('limit') && this.#traffic?.isLimited(route) === true
    const stated = isLimited ? LIMIT_FIELDS : []
    const count = changes.set.length + changes.add.length + changes.remove.length + stated.length
    if (count === 0) return UNCHANGED_RESPONSE
    return this.#responses.of(JSON.stringify([changes, stated]), () => compileResponsePlan(changes, stated))
  }

  #target(
    route: RouteConfig,
    upstreams: readonly { readonly name: string; readonly weight: number }[],
  ): RouteTarget {
    const { rewrite, timeouts, body } = route
    const { set, add, remove } = route.headers.request
    const placed = route.credentials.filter(({ kind }) => kind !== 'header')
    const isPlain = rewrite === null && set.length + add.length + remove.length + placed.length === 0
    const own = isPlain ? '' : JSON.stringify([rewrite, route.headers.request, placed])
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
      credentials: route.credentials,
      changes: route.headers.request,
    })
  }
}
