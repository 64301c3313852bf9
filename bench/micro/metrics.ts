/**
 * What counting costs an exchange: CPU time and bytes of heap of one record, by number of tenants, and of a scrape.
 * Run: node --expose-gc bench/micro/metrics.ts
 */

import { MetricsMemory } from '../../src/metrics/metrics-memory.ts'
import { MetricsReader } from '../../src/metrics/metrics-view.ts'
import { ThreadMetrics } from '../../src/metrics/thread-metrics.ts'
import { Exchange } from '../../src/proxy/exchange.ts'
import { UNCHANGED_RESPONSE } from '../../src/proxy/head-plan.ts'
import { UNREAD_HEAD } from '../../src/proxy/waiting.ts'
import { identityOf } from '../../test/support/identity.ts'

const ROUNDS = 1_000_000

report('nobody', [])
for (const count of [10, 500, 100_000]) {
  report(
    `${count} tenants`,
    Array.from({ length: count }, (_, index) => `tenant-${index}-of-many`),
  )
}

function report(who: string, tenants: readonly string[]): void {
  const memory = MetricsMemory.create(4)
  const metrics = new ThreadMetrics(memory, 0)
  const identities = tenants.map((tenant) => identityOf({ tenant }))
  const route = {
    name: 'orders',
    policies: [],
    owned: new Set<string>(),
    response: UNCHANGED_RESPONSE,
    target: null,
    series: metrics.seriesOf('orders'),
    ...{ logText: '', spanName: '', spanText: '' },
  }
  const exchange = new Exchange(
    { ...UNREAD_HEAD, method: 'GET' },
    route,
    '192.0.2.7',
    'http',
    'request-1',
    0.5,
  )
  exchange.status = 200
  exchange.attempts = 1
  exchange.forwardedMs = 0.7
  exchange.respondedMs = 2.2
  exchange.bytesOut = 87
  const run = (): void => {
    for (let index = 0, at = 0; index < ROUNDS; index++, at = (at + 7_919) % Math.max(1, identities.length)) {
      exchange.identity = identities[at] ?? null
      metrics.record(exchange, 2.5)
    }
  }
  run()
  globalThis.gc?.()
  const heap = process.memoryUsage().heapUsed
  const cpu = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(cpu)
  const bytes = (process.memoryUsage().heapUsed - heap) / ROUNDS
  const nanos = (((user + system) * 1_000) / ROUNDS).toFixed(0)
  const reader = new MetricsReader(new MetricsMemory(memory, 'control'))
  const startMs = performance.now()
  for (let read = 0; read < 100; read++) {
    reader.routes()
    reader.tenants()
  }
  const readMs = ((performance.now() - startMs) / 100).toFixed(2)
  process.stdout.write(`${who}: ${nanos} ns, ${bytes.toFixed(0)} bytes of heap; read in ${readMs} ms\n`)
}
