import type { Config, RouteConfig, UpstreamConfig } from '../../src/config/config.ts'
import { ROUTE_DEFAULTS, ROUTE_METHODS, UPSTREAM_DEFAULTS } from '../../src/config/default.ts'

/** A route that forwards to one upstream, with the defaults every door gives it. */
export function routeTo(
  upstream: string,
  path: string,
  auth: RouteConfig['auth'],
  own: Partial<RouteConfig> = {},
): RouteConfig {
  return {
    ...ROUTE_DEFAULTS,
    name: upstream,
    match: { hosts: [], path, methods: ROUTE_METHODS, headers: [], query: [] },
    ending: { kind: 'forward', upstreams: [{ name: upstream, weight: 1 }] },
    auth,
    ...own,
  }
}

/** An upstream of these endpoints, with the defaults every door gives it. */
export function upstreamOf(
  name: string,
  urls: string | readonly string[],
  own: Partial<UpstreamConfig> = {},
): UpstreamConfig {
  const endpoints = (typeof urls === 'string' ? [urls] : urls).map((url) => ({ url }))
  return { ...UPSTREAM_DEFAULTS, name, endpoints, ...own }
}

/** The key of the first issuer, wherever it is the operator's own. */
export function ownKeyOf(config: Config | null): string | undefined {
  const keys = config?.identity.issuers[0]?.keys
  if (keys?.kind === 'secret') return keys.secret
  return keys?.kind === 'pem' ? keys.pem : undefined
}
