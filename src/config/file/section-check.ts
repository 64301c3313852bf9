import { foldName } from '../../lib/fold-name.ts'
import { hostsOverlap, isLoopback } from '../address-format.ts'
import type { Config } from '../config.ts'
import { REQUEST_OWNED } from './field-check.ts'
import { checkPlans } from './plan.ts'
import type { Path, Report } from './report.ts'
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
const TAKEN_FIELDS = new Set([
  ...REQUEST_OWNED,
  'authorization',
  'cookie',
  'content-type',
  'cache-control',
  'sec-websocket-protocol',
])

/** Rules within sections and between them, and doubtful proxies. */
export function checkSections({ sections }: Salvage, report: Report): void {
  const { identity, tenant, trustedProxies } = sections
  checkField(tenant.header, ['tenant', 'header'], 'X-Company-ID', report)
  if (identity.apiKeys !== undefined) checkKeyField(identity.apiKeys.header, tenant.header, report)
  checkPlans(tenant, report)
  for (const [index, block] of trustedProxies.entries()) {
    if (block.endsWith('/0')) {
      report.warn(['trustedProxies', index], 'ends in /0: it believes the forwarding fields of anyone.')
    }
  }
}

function checkKeyField(header: string, tenantHeader: string, report: Report): void {
  const path = ['identity', 'apiKeys', 'header']
  checkField(header, path, 'X-API-Key', report)
  if (foldName(header) !== foldName(tenantHeader)) return
  report.problem(path, {
    found: 'is the field that states the tenant',
    expected: 'a field of its own',
    remedy: 'Change it, or `tenant.header`.',
  })
}

function checkField(header: string, path: Path, example: string, report: Report): void {
  if (!TAKEN_FIELDS.has(foldName(header))) return
  report.problem(path, {
    found: 'names a field with a meaning of its own',
    expected: `a field that nothing else uses, such as ${example}`,
    remedy: 'Every copy of it that a client sends is dropped: choose another.',
  })
}
