/**
 * What a limit costs a request, decided in shared memory: CPU time and bytes of heap of one decision, by number of
 * keys. The table is as large as twice the keys. Run: node --expose-gc bench/micro/limit.ts
 */

import { randomBytes } from 'node:crypto'
import { BucketTable } from '../../src/limits/bucket-table.ts'
import { PlaceCount } from '../../src/limits/place-count.ts'
import { QuotaRule } from '../../src/limits/quota-rule.ts'
import { RateRule } from '../../src/limits/rate-rule.ts'
import type { Rule } from '../../src/limits/rule.ts'
import { SharedLimiter } from '../../src/limits/shared-limiter.ts'
import { limitPolicy } from '../../src/policies/limit.ts'
import { Plans } from '../../src/policies/plan.ts'
import { Exchange } from '../../src/proxy/exchange.ts'
import { UNCHANGED_RESPONSE } from '../../src/proxy/head-plan.ts'
import { UNREAD_HEAD } from '../../src/proxy/waiting.ts'
import { identityOf } from '../../test/support/identity.ts'

const ROUNDS = 400_000
const names = { name: 'free', by: 'plan', onStoreError: 'local' } as const
const rate = new RateRule(names, { count: 1_000_000, periodMs: 1_000, burst: 1_000_000 })
const narrow = new RateRule(names, { count: 1, periodMs: 86_400_000, burst: 1 })
const quota = new QuotaRule(names, { limit: 1_000_000_000, window: 'day' })
const clock = { monotonicMs: () => performance.now(), wallMs: () => 1_800_000_000_000 }

for (const count of [100, 10_000, 1_000_000]) {
  const tenants = Array.from({ length: count }, (_, index) => `tenant-${index}-of-many`)
  process.stdout.write(`${count} keys\n`)
  reportRules('a rate, admitted', tenants, [rate])
  reportRules('a rate and a quota, admitted', tenants, [rate, quota])
  reportRules('a rate, refused', tenants, [narrow])
  const places = new PlaceCount(PlaceCount.create(10_000, 4, randomBytes(8)), 0)
  report('a place taken and given', tenants, (tenant) => {
    const place = places.tryTake(tenant, 100)
    places.give(place)
    return place >= 0
  })
  reportPolicy(tenants)
}

/** As the pipeline asks it: plan, place, both fields and the settling. */
function reportPolicy(tenants: readonly string[]): void {
  const plans = new Plans({
    plans: [
      {
        name: 'free',
        rate: { count: 1_000_000, periodMs: 1_000, burst: 1_000 },
        quota: null,
        concurrency: 50,
        weight: 1,
      },
    ],
    defaultPlan: 'free',
    planOfTenant: new Map(),
    claimedPlan: () => null,
    countUnknown: () => {},
  })
  const policy = limitPolicy({
    limiter: new SharedLimiter(BucketTable.create(tenants.length * 2, randomBytes(8)), clock),
    plans,
    route: null,
    places: new PlaceCount(PlaceCount.create(10_000, 4, randomBytes(8)), 0),
  })
  const route = {
    name: 'orders',
    policies: [policy],
    owned: new Set<string>(),
    response: UNCHANGED_RESPONSE,
    target: null,
    series: 0,
    ...{ logText: '', spanName: '', spanText: '' },
  }
  const exchange = new Exchange(UNREAD_HEAD, route, '192.0.2.7', 'http', 'request-1', 0)
  report('the policy, with a plan of rate and concurrency', tenants, (tenant) => {
    exchange.identity = identityOf({ tenant })
    exchange.answered = ''
    const isAdmitted = policy.admit(exchange) === null
    if (isAdmitted) policy.settle?.(exchange)
    return isAdmitted
  })
}

function reportRules(what: string, tenants: readonly string[], rules: readonly Rule[]): void {
  const memory = BucketTable.create(tenants.length * rules.length * 2, randomBytes(8))
  const limiter = new SharedLimiter(memory, clock)
  const keys = ['', '']
  const once = (tenant: string): boolean => {
    keys[0] = tenant
    keys[1] = tenant
    return limiter.take(rules, keys).admitted
  }
  for (const tenant of tenants) once(tenant)
  const mebibytes = (memory.byteLength / 2 ** 20).toFixed(1)
  report(`${what} (${mebibytes} MiB, forgotten: ${limiter.evicted})`, tenants, once)
}

function report(what: string, tenants: readonly string[], once: (tenant: string) => boolean): void {
  const run = (): number => {
    let admitted = 0
    // A step that is prime to the counts: neighbours in the list are not neighbours in time.
    for (let index = 0, at = 0; index < ROUNDS; index++, at = (at + 7_919) % tenants.length)
      if (once(tenants[at] as string)) admitted++
    return admitted
  }
  run()
  globalThis.gc?.()
  const heap = process.memoryUsage().heapUsed
  const cpu = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(cpu)
  const bytes = process.memoryUsage().heapUsed - heap
  const nanos = (((user + system) * 1_000) / ROUNDS).toFixed(0)
  process.stdout.write(`  ${what}: ${nanos} ns, ${(bytes / ROUNDS).toFixed(0)} bytes of heap\n`)
}
