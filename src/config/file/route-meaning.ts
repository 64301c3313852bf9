import type { RouteConfig } from '../config.ts'
import type { RouteDocument } from './route-schema.ts'

/** Names of upstreams, by weight. */
export function targetsOf(
  route: RouteDocument,
): readonly { readonly name: string; readonly weight: number }[] {
  const { upstream } = route
  if (upstream === undefined) return []
  if (typeof upstream === 'string') return [{ name: upstream, weight: 1 }]
  return Object.entries(upstream).map(([name, weight]) => ({ name, weight }))
}

/** Where a route does not say. */
export function authOf(
  document: RouteDocument,
  { hasIdentity }: { readonly hasIdentity: boolean },
): RouteConfig['auth'] {
  return document.auth ?? (hasIdentity && document.redirect === undefined ? 'required' : 'none')
}
