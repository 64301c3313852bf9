import type { MatchConfig, NamedValue, RouteConfig } from '../config/config.ts'
import type { Head } from '../http1/head.ts'

/** How many of the others are told. */
const MAX_OTHERS = 8

export interface OtherRoute {
  readonly name: string
  readonly because: readonly string[]
}

/**
 * Why each of the other routes did not take a request, nearest first: those with the fewest faults, among them those
 * with the longest path in common. A second, plain reading of the rules of matching, one route at a time.
 */
export function otherRoutes(
  routes: readonly RouteConfig[],
  head: Head,
  chosen: string | null,
): readonly OtherRoute[] {
  return routes
    .filter(({ name }) => name !== chosen)
    .map(({ name, match }) => ({
      name,
      faults: faultsOf(match, head),
      near: commonLength(match.path, head.path),
    }))
    .sort((a, b) => a.faults.length - b.faults.length || b.near - a.near || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_OTHERS)
    .map(({ name, faults }) => ({
      name,
      because:
        faults.length > 0 ? faults : [`it matches too, but ${chosen ?? 'what was chosen'} is more specific`],
    }))
}

function faultsOf(match: MatchConfig, head: Head): string[] {
  const faults: string[] = []
  const host = hostName(head.host)
  if (match.hosts.length > 0 && !match.hosts.some((pattern) => hostMatches(pattern, host))) {
    faults.push(`host ${host} is not ${match.hosts.join(' or ')}`)
  }
  if (!pathMatches(match.path, head.path)) faults.push(`path ${head.path} does not match ${match.path}`)
  for (const { name, value } of match.headers) {
    const found = head.get(name)
    if (found === null) faults.push(`field ${name} is absent, not ${value}`)
    else if (found !== value) faults.push(`field ${name} is not ${value}`)
  }
  const query = queryOf(head.target)
  for (const { name, value } of match.query) {
    const found = query.find((pair) => pair.name === name)
    if (found === undefined) faults.push(`query parameter ${name} is absent, not ${value}`)
    else if (found.value !== value) faults.push(`query parameter ${name} is not ${value}`)
  }
  if (!match.methods.includes(head.method)) {
    faults.push(`method ${head.method} is not among ${match.methods.join(', ')}`)
  }
  return faults
}

function hostName(authority: string): string {
  return authority.toLowerCase().replace(/:\d*$/, '').replace(/\.$/, '')
}

function hostMatches(pattern: string, host: string): boolean {
  return pattern.startsWith('*.')
    ? host.endsWith(pattern.slice(1)) && host.length >= pattern.length
    : host === pattern
}

function pathMatches(pattern: string, path: string): boolean {
  const isPrefix = pattern.endsWith('/*')
  const wanted = (isPrefix ? pattern.slice(0, -2) : pattern).split('/')
  const given = path.split('/')
  if (isPrefix ? given.length < wanted.length : given.length !== wanted.length) return false
  return wanted.every((segment, at) => (segment.startsWith(':') ? given[at] !== '' : segment === given[at]))
}

function queryOf(target: string): readonly NamedValue[] {
  const at = target.indexOf('?')
  if (at < 0) return []
  return target
    .slice(at + 1)
    .split('&')
    .map((pair) => {
      const equals = pair.indexOf('=')
      return equals < 0
        ? { name: pair, value: '' }
        : { name: pair.slice(0, equals), value: pair.slice(equals + 1) }
    })
}

function commonLength(pattern: string, path: string): number {
  let length = 0
  while (length < pattern.length && pattern[length] === path[length]) length++
  return length
}
