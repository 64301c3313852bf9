import type {
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
  const { admin, identity, log, tracing, upstreams, routes } = config
  return {
    ...config,
    admin: { ...admin, token: hidden(admin.token) },
    identity: {
      ...identity,
      issuers: identity.issuers.map((issuer) =>
        issuer.keys.kind === 'secret' ? { ...issuer, keys: { kind: 'secret', secret: SECRET } } : issuer,
      ),
    },
    log: { ...log, fields: { ...log.fields, add: log.fields.add.map(hideAdded) } },
    tracing: tracing === null ? null : { ...tracing, headers: hideValues(tracing.headers) },
    upstreams: upstreams.map(hideInUpstream),
    routes: routes.map(hideInRoute),
  }
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
