import type { RouteConfig } from './config.ts'

/** Names of the claims that some route asks about: nothing else of a token needs to be kept. */
export function askedClaims(routes: readonly Pick<RouteConfig, 'require'>[]): readonly string[] {
  return [...new Set(routes.flatMap(({ require }) => Object.keys(require?.claims ?? {})))].sort()
}
