import type { MatchConfig, RouteConfig } from '../../src/config/config.ts'
import { tenantPolicy } from '../../src/policies/tenant.ts'
import { jsonAnswer } from '../../src/proxy/answer.ts'
import type { Route } from '../../src/proxy/route.ts'
import type { Upstream } from '../../src/upstreams/upstream.ts'
import type { UpstreamLookup } from '../../src/upstreams/upstream-set.ts'
import { type CompileParts, compile } from '../../src/worker/compile.ts'
import type { Router } from '../../src/worker/router.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'
import { parsedRequest } from '../proxy/parsed-head.ts'
import { routeTo } from '../support/config-part.ts'
import { planeConfig } from './open-plane.ts'

/** Only ever handed on by what compiles routes. */
export const ORDERS = {} as Upstream // nothing of it is read

export function lookupOf(upstreams: Readonly<Record<string, Upstream>>): UpstreamLookup {
  return { get: (name) => upstreams[name] ?? null }
}

export function compileParts(own: Partial<CompileParts> = {}): CompileParts {
  return {
    upstreams: lookupOf({ orders: ORDERS }),
    identity: null,
    tenant: tenantPolicy('X-Company-ID'),
    assertion: null,
    traffic: null,
    userPolicies: () => [],
    userOwned: [],
    docs: new Map([
      ['/docs', () => jsonAnswer(200, 'docs')],
      ['/docs/page.js', () => jsonAnswer(200, 'script')],
    ]),
    isReady: () => true,
    ...own,
  }
}

/** A route of that name, open to everybody. */
export function routeFor(
  name: string,
  match: Partial<MatchConfig>,
  own: Partial<RouteConfig> = {},
): RouteConfig {
  const plain = routeTo('orders', '/*', 'none', { name, ...own })
  return { ...plain, match: { ...plain.match, ...match } }
}

/** Routes named by what they match: `GET,POST host/path`, methods and host as far as given. */
export function routesOf(...texts: readonly string[]): readonly RouteConfig[] {
  return texts.map((text) => {
    const [, methods, host, path] = /^(?:([A-Z,]+) )?([^/]*)(\/.*)$/.exec(text) ?? []
    return routeFor(text, {
      path: path ?? '/',
      hosts: host ? [host] : [],
      ...(methods === undefined ? {} : { methods: methods.split(',') }),
    })
  })
}

export function routerOf(routes: readonly RouteConfig[], own: Partial<CompileParts> = {}): Router {
  return compile(planeConfig('http://127.0.0.1:9/base', { routes }), compileParts(own))
}

/** What a request ends in: its route's name, or the status and Allow of the gateway's own answer. */
export function endingOf(router: Router, target: string, ...lines: readonly string[]): string {
  const [method, path] = target.includes(' ') ? target.split(' ') : ['GET', target]
  const named = lines.some((line) => line.toLowerCase().startsWith('host:'))
    ? lines
    : ['Host: gw.test', ...lines]
  const head = parsedRequest(`${method} ${path} HTTP/1.1`, ...named)
  const route = router.match(head)
  return route.name ?? ownEnding(route, head)
}

function ownEnding(route: Route, head: ReturnType<typeof parsedRequest>): string {
  const exchange = exchangeOf(head, route)
  for (const policy of route.policies) {
    const verdict = policy.admit(exchange)
    if (verdict === null || verdict instanceof Promise) continue
    const allowed = /Allow(?:-Methods)?: (.*)\r\n/.exec(`${verdict.fields}${exchange.answered}`)?.[1]
    return allowed === undefined ? String(verdict.status) : `${verdict.status} ${allowed}`
  }
  return 'nothing'
}
