import type {
  FieldChanges,
  MatchConfig,
  NamedValue,
  RewriteConfig,
  RouteConfig,
} from '../../../src/config/config.ts'
import { NO_CHANGES, ROUTE_DEFAULTS, ROUTE_METHODS } from '../../../src/config/default.ts'

/** Of the Kubernetes Gateway API, as far as its conformance tests for matching and modifying use it. */
export interface HttpRoute {
  readonly metadata: { readonly name: string }
  readonly spec: { readonly hostnames?: readonly string[]; readonly rules: readonly Rule[] }
}

interface Rule {
  readonly matches?: readonly Match[]
  readonly filters?: readonly Filter[]
  readonly backendRefs: readonly {
    readonly name: string
    readonly weight?: number
    readonly filters?: readonly Filter[]
  }[]
}

interface Match {
  readonly path?: { readonly type: string; readonly value: string }
  readonly method?: string
  readonly headers?: readonly NamedValue[]
  readonly queryParams?: readonly NamedValue[]
}

interface Filter {
  readonly type: string
  readonly requestHeaderModifier?: Partial<FieldChanges>
  readonly responseHeaderModifier?: Partial<FieldChanges>
  readonly urlRewrite?: {
    readonly hostname?: string
    readonly path?: { readonly type: string; readonly replacePrefixMatch?: string }
  }
}

const ANY_PATH = { type: 'PathPrefix', value: '/' }

/** What our config has no words for. */
export function unsupported(rule: Rule): string | null {
  if (rule.backendRefs.some(({ filters }) => filters !== undefined))
    return 'changes fields by backend, not by route'
  for (const { urlRewrite } of rule.filters ?? []) {
    if (urlRewrite?.hostname !== undefined) return 'sends another Host than the client’s or the endpoint’s'
    if (urlRewrite?.path?.type === 'ReplaceFullPath')
      return 'replaces a whole path; ours strips and adds prefixes'
  }
  return null
}

/** Our routes of a rule, one a match; names keep the order of the manifest, which is its last tie-break. */
export function routesOf(route: HttpRoute, rule: Rule, index: number): readonly RouteConfig[] {
  return (rule.matches ?? [{}]).map((match, at) => ({
    ...ROUTE_DEFAULTS,
    name: `${route.metadata.name} ${String(index).padStart(3, '0')} ${at}`,
    match: matchOf(match, route.spec.hostnames ?? []),
    ending: {
      kind: 'forward',
      upstreams: rule.backendRefs.map(({ name, weight }) => ({ name, weight: weight ?? 1 })),
    },
    auth: 'none',
    rewrite: rewriteOf(rule, match),
    headers: {
      request: changesOf(rule, 'requestHeaderModifier'),
      response: changesOf(rule, 'responseHeaderModifier'),
    },
  }))
}

function matchOf(
  { path = ANY_PATH, method, headers, queryParams }: Match,
  hosts: readonly string[],
): MatchConfig {
  return {
    hosts,
    path: path.type === 'Exact' ? path.value : `${withoutSlash(path.value)}/*`,
    methods: method === undefined ? ROUTE_METHODS : [method],
    headers: (headers ?? []).map(({ name, value }) => ({ name: name.toLowerCase(), value })),
    query: queryParams ?? [],
  }
}

function rewriteOf(rule: Rule, { path = ANY_PATH }: Match): RewriteConfig | null {
  const added = (rule.filters ?? []).find(({ urlRewrite }) => urlRewrite?.path)?.urlRewrite?.path
    ?.replacePrefixMatch
  return added === undefined
    ? null
    : { stripPrefix: withoutSlash(path.value), addPrefix: withoutSlash(added) }
}

function changesOf(rule: Rule, kind: 'requestHeaderModifier' | 'responseHeaderModifier'): FieldChanges {
  const modifier = (rule.filters ?? []).find((filter) => filter[kind] !== undefined)?.[kind]
  const { set, add, remove } = { ...NO_CHANGES, ...modifier }
  return { set, add, remove: remove.map((name) => name.toLowerCase()) }
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}
