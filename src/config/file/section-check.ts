import { hostsOverlap, isLoopback } from '../address-format.ts'
import type { Config } from '../config.ts'
import { nearestName } from '../suggestion.ts'
import { fold, REQUEST_OWNED } from './field-check.ts'
import type { Report } from './report.ts'
import type { Salvage } from './salvage.ts'

/** Rules of the listeners and of the end, as they are in force, variables included. */
export function checkListeners({ listen, admin, shutdown }: Config, report: Report): void {
  if (admin.token === null && !isLoopback(admin.host)) {
    report.problem(['admin', 'token'], {
      found: 'is missing while others can reach the operator listener',
      expected: 'a token, or a loopback host such as 127.0.0.1',
      remedy: 'Write `token: "${GATEWAY_ADMIN_TOKEN}"` and set that, or leave admin.host at 127.0.0.1.',
    })
  }
  if (listen.port !== 0 && listen.port === admin.port && hostsOverlap(listen.host, admin.host)) {
    report.problem(['admin', 'port'], {
      found: 'is the port of the public listener too',
      expected: 'a port of its own for the operator listener',
      remedy: 'Change one of the two.',
    })
  }
  if (shutdown.delayMs > 0 && shutdown.delayMs >= shutdown.timeoutMs) {
    report.warn(
      ['shutdown', 'delay'],
      'is not shorter than shutdown.timeout: the process ends before its listeners close, and breaks what still runs.',
    )
  }
}

/** Fields that mean something else already. */
const NO_TENANT_FIELD = new Set([
  ...REQUEST_OWNED,
  'authorization',
  'cookie',
  'content-type',
  'cache-control',
])

/** Rules within the tenant's section, and doubtful proxies. */
export function checkSections({ sections }: Salvage, report: Report): void {
  const { tenant, trustedProxies } = sections
  if (NO_TENANT_FIELD.has(fold(tenant.header))) {
    report.problem(['tenant', 'header'], {
      found: 'names a field with a meaning of its own',
      expected: 'a field that nothing else uses, such as X-Company-ID',
      remedy: 'Every copy of it that a client sends is dropped: choose another.',
    })
  }
  const plans = Object.keys(tenant.plans)
  const named = [
    ...(tenant.defaultPlan === undefined
      ? []
      : [{ path: ['tenant', 'defaultPlan'], plan: tenant.defaultPlan }]),
    ...Object.entries(tenant.plan).map(([name, plan]) => ({ path: ['tenant', 'plan', name], plan })),
  ]
  for (const { path, plan } of named) {
    if (plans.includes(plan)) continue
    report.problem(path, {
      found: `names ${report.quote(path, plan)}, which is not a plan`,
      expected: 'a name under `tenant.plans`',
      remedy: plans.length === 0 ? 'There are none: add it.' : `The nearest is ${nearestName(plan, plans)}.`,
    })
  }
  for (const [index, block] of trustedProxies.entries()) {
    if (block.endsWith('/0')) {
      report.warn(['trustedProxies', index], 'ends in /0: it believes the forwarding fields of anyone.')
    }
  }
}
