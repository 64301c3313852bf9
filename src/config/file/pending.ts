import { CLAIM_DEFAULTS, type TokenDocument } from './identity-schema.ts'
import type { Path, Report } from './report.ts'
import type { RouteDocument } from './route-schema.ts'
import type { Salvage } from './salvage.ts'

/** Names every key that is valid and that this version gives no effect, so that none is silently ignored. */
export function reportPending({ sections, upstreams, routes }: Salvage, report: Report): void {
  const { identity, tenant, store } = sections
  if (store.redis !== '') report.pend(['store', 'redis'], 'a shared store; limits are not counted yet')
  for (const [index, token] of identity.jwt.entries()) {
    const path = ['identity', 'jwt', index]
    if (index > 0) report.pend(path, 'a further source of tokens')
    pendToken(token, path, report)
  }
  if (identity.apiKeys !== undefined) report.pend(['identity', 'apiKeys'], 'API keys')
  for (const [name, claim] of Object.entries(CLAIM_DEFAULTS)) {
    const written = Object.entries(identity.claims).find(([key]) => key === name)?.[1]
    if (written !== claim) report.pend(['identity', 'claims', name], 'the name of a claim')
  }
  if (Object.keys(tenant.plans).length > 0) report.pend(['tenant', 'plans'], 'limits of tenants')
  if (tenant.defaultPlan !== undefined) report.pend(['tenant', 'defaultPlan'], 'the plan of other tenants')
  if (Object.keys(tenant.plan).length > 0) report.pend(['tenant', 'plan'], 'plans of single tenants')
  for (const [name, upstream] of upstreams) {
    if (upstream?.admission !== undefined) report.pend(['upstreams', name, 'admission'], 'queues per tenant')
    if (upstream?.streams !== undefined) report.pend(['upstreams', name, 'streams'], 'limits of streams')
  }
  for (const [index, route] of routes.entries()) {
    if (route !== null) pendRoute(route, ['routes', index], report)
  }
}

function pendToken(token: TokenDocument, path: Path, report: Report): void {
  if (token.issuer !== undefined) report.pend([...path, 'issuer'], 'a check of `iss`, or discovery of keys')
  if (token.audience !== undefined) report.pend([...path, 'audience'], 'a check of `aud`')
  if (token.jwks !== undefined) report.pend([...path, 'jwks'], 'a key set')
  if (token.keys !== undefined) report.pend([...path, 'keys'], 'refreshing of a key set')
  if ((token.algorithms?.length ?? 0) > 1) report.pend([...path, 'algorithms'], 'more than one algorithm')
}

function pendRoute(route: RouteDocument, path: Path, report: Report): void {
  if (route.require !== undefined) report.pend([...path, 'require'], 'scopes and claims of a caller')
  if (route.limit !== undefined) report.pend([...path, 'limit'], 'a rate limit')
  if (route.shadow.length > 0) report.pend([...path, 'shadow'], 'decisions without effect')
  if (route.credentials.length !== 1 || route.credentials[0] !== 'header') {
    report.pend([...path, 'credentials'], 'credentials outside of the Authorization field')
  }
}
