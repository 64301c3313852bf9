import type {
  ApiKeysConfig,
  Config,
  FieldChanges,
  LogFieldConfig,
  NamedValue,
  RouteConfig,
  UpstreamConfig,
} from '../../config/config.ts'
import { type AdminResource, adminJson, READING } from './admin-answer.ts'

const SECRET = '(secret)'

/** `GET /config`: the effective config, defaults filled in, without a secret. */
export function configResource(config: () => Config): AdminResource {
  return { methods: READING, answer: () => adminJson(200, withoutSecrets(config())) }
}

/**
 * Values that are secret, and values that an operator may have filled from one: what a policy is given, and what is
 * sent to upstreams or asked of clients by name.
 */
export function withoutSecrets(config: Config): Config {
  const { admin, identity, tenant, log, store, tracing, upstreams, routes } = config
  const { assertion } = tenant
  return {
    ...config,
    admin: { ...admin, token: hidden(admin.token) },
    identity: {
      issuers: identity.issuers.map((issuer) =>
        issuer.keys.kind === 'secret' ? { ...issuer, keys: { kind: 'secret', secret: SECRET } } : issuer,
      ),
      apiKeys: identity.apiKeys === null ? null : hideHashes(identity.apiKeys),
    },
    tenant: {
      ...tenant,
      assertion: assertion === null ? null : { ...assertion, key: hidden(assertion.key) },
    },
    store: { ...store, redis: store.redis === null ? null : withoutCredentials(store.redis) },
    log: { ...log, fields: { ...log.fields, add: log.fields.add.map(hideAdded) } },
    tracing: tracing === null ? null : { ...tracing, headers: hideValues(tracing.headers) },
    upstreams: upstreams.map(hideInUpstream),
    routes: routes.map(hideInRoute),
  }
}

/** A digest is no key, but whoever has a list of keys could look for it there. */
function hideHashes({ field, entries }: ApiKeysConfig): ApiKeysConfig {
  // Judged when they were loaded: objects.
  return { field, entries: entries.map((entry) => ({ ...(entry as object), hash: SECRET })) }
}

/** Where the store is, and whether anything is said to it of who asks. */
function withoutCredentials(text: string): string {
  const url = URL.parse(text)
  if (url === null) return SECRET
  const credentials = url.username === '' && url.password === '' ? '' : `${SECRET}@`
  return `${url.protocol}//${credentials}${url.host}${url.pathname}`
}

function hideAdded(field: LogFieldConfig): LogFieldConfig {
  return 'value' in field ? { ...field, value: SECRET } : field
}

function hideInUpstream(upstream: UpstreamConfig): UpstreamConfig {
  const { tls } = upstream
  return tls === null ? upstream : { ...upstream, tls: { ...tls, key: hidden(tls.key) } }
}

function hideInRoute(route: RouteConfig): RouteConfig {
  const { match, headers, policies } = route
  return {
    ...route,
    match: { ...match, headers: hideValues(match.headers), query: hideValues(match.query) },
    headers: { request: hideChanges(headers.request), response: hideChanges(headers.response) },
    policies: policies.map(({ use, with: given }) => ({ use, with: given == null ? given : SECRET })),
  }
}

function hideChanges({ set, add, remove }: FieldChanges): FieldChanges {
  return { set: hideValues(set), add: hideValues(add), remove }
}

function hideValues(fields: readonly NamedValue[]): readonly NamedValue[] {
  return fields.map(({ name }) => ({ name, value: SECRET }))
}

function hidden(value: string | null): string | null {
  return value === null ? null : SECRET
}
