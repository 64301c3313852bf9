import type { IssuerConfig } from '../jwt/issuer.ts'
import type { ApiKeysConfig, Config, RouteConfig, TenantPlanConfig, UpstreamConfig } from './config.ts'
import { describeRate } from './described-value.ts'

/** Parts of a config in the form in which they are written, as far as that differs, for lines about them. */

/** All but what is told by name. */
export function writtenRest(config: Config): object {
  const { routes: _routes, upstreams: _upstreams, identity, tenant, ...rest } = config
  const { plans: _plans, planOfTenant: _planOfTenant, ...ofTenants } = tenant
  const { issuers: _issuers, apiKeys, ...ofIdentity } = identity
  return {
    ...rest,
    identity: { ...ofIdentity, apiKeys: apiKeys === null ? null : writtenApiKeys(apiKeys) },
    tenant: ofTenants,
  }
}

/** Keys are told by their names; entries without one were refused. */
function writtenApiKeys({ field, entries }: ApiKeysConfig): object {
  return { header: field, keys: entries }
}

export function writtenIssuer({ name: _, keys, ...rest }: IssuerConfig): object {
  switch (keys.kind) {
    case 'secret':
      return { ...rest, secret: keys.secret }
    case 'pem':
      return { ...rest, publicKey: keys.pem }
    case 'jwks':
    case 'discovery': {
      const { kind, url, ...times } = keys
      return { ...rest, jwks: kind === 'jwks' ? url : null, keys: times }
    }
  }
}

export function writtenPlan({ name: _, rate, quota, ...rest }: TenantPlanConfig): object {
  return {
    rate: rate === null ? null : describeRate(rate),
    burst: rate === null ? null : rate.burst,
    quota: quota === null ? null : `${quota.limit}/${quota.window}`,
    ...rest,
  }
}

/** The balance in a word. */
export function writtenUpstream({ name: _, balance, ...rest }: UpstreamConfig): object {
  if (balance.kind !== 'hash') return { ...rest, balance: balance.kind }
  const { on } = balance
  return { ...rest, balance: `hash on ${typeof on === 'string' ? on : `header ${on.header}`}` }
}

/** Its ending under the key it is written with. */
export function writtenRoute({ name: _, ending, ...own }: RouteConfig): object {
  const rest = { ...own, credentials: own.credentials.map(writtenSource), limit: writtenLimit(own.limit) }
  if (ending.kind === 'redirect') {
    const { kind: __, ...redirect } = ending
    return { ...rest, redirect }
  }
  const [only, second] = ending.upstreams
  if (only !== undefined && second === undefined) return { ...rest, upstream: only.name }
  return { ...rest, upstream: Object.fromEntries(ending.upstreams.map(({ name, weight }) => [name, weight])) }
}

function writtenSource(source: RouteConfig['credentials'][number]): string {
  return 'name' in source ? `${source.kind}:${source.name}` : source.kind
}

function writtenLimit(limit: RouteConfig['limit']): object | null {
  if (limit === null) return null
  const { per, rate, onStoreError } = limit
  return { per, rate: describeRate(rate), burst: rate.burst, onStoreError }
}
