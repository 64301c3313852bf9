/**
 * What counting costs an exchange: time of one record by number of tenants, in `ThreadMetrics` and in `SecondReport`,
 * warm and in batches of 30 that begin with cold caches, as under load; bytes of heap; and the time of a scrape.
 * Run: node --expose-gc bench/micro/metrics.ts
 */

import { metricsPage } from '../../src/control/metrics-page.ts'
import { MetricsMemory } from '../../src/metrics/metrics-memory.ts'
import { ThreadMetrics } from '../../src/metrics/thread-metrics.ts'
import { Exchange } from '../../src/proxy/exchange.ts'
import { UNCHANGED_RESPONSE } from '../../src/proxy/head-plan.ts'
import { UNREAD_HEAD } from '../../src/proxy/waiting.ts'
import { SecondReport } from '../../src/worker/second-report.ts'
import { sourceOf } from '../../test/metrics/metrics-source.ts'
import { identityOf } from '../../test/support/identity.ts'

const ROUNDS = 7
const EXCHANGES = 300_000
const BATCH = 30
const BATCHES = 300
const SCRAPES = 200
/** Exchanges that end in one. */
const SECOND = 30_000
const ROUTES = ['orders', 'invoices', 'files']

/** Larger than a core's second-level cache. */
const others = new Float64Array((4 << 20) / 8)

report('nobody', [])
for (const count of [10, 50, 500, 100_000, 1_000_000]) {
  report(
    `${count} tenants`,
    Array.from({ length: count }, (_, index) => `tenant-${index}-of-many`),
  )
}

function report(who: string, tenants: readonly string[]): void {
  const memory = MetricsMemory.create(4)
  const metrics = new ThreadMetrics(memory, 0)
  let wallMs = 1_800_000_000_000
  const seconds = new SecondReport(
    () => wallMs,
    () => {},
  )
  const identities = tenants.map((tenant) => identityOf({ tenant }))
  const exchanges = ROUTES.map((route) => ended(metrics, route))
  let at = 0
  let whose = 0
  const next = (): Exchange => {
    at = (at + 1) % SECOND
    whose = (whose + 7_919) % Math.max(1, identities.length)
    const exchange = exchanges[at % exchanges.length] as Exchange
    exchange.identity = identities[whose] ?? null
    return exchange
  }
  const record = (): void => metrics.record(next())
  const second = (): void => {
    if (at === 0) {
      wallMs += 1_000
      seconds.tick()
    }
    seconds.add(next(), 2)
  }
  const own = [next, record, second].map((work) => [warmNs(work), coldNs(work)] as const)
  const [nothing = [0, 0], recorded = [0, 0], told = [0, 0]] = own
  const bytes = heapBytes(record)
  const source = sourceOf(memory)
  const page = best(() => timed(() => metricsPage(source, 'prometheus'), SCRAPES)) / 1_000
  const pair = ([warm, cold]: readonly [number, number]): string =>
    `${(warm - nothing[0]).toFixed(0)} ns, cold ${(cold - nothing[1]).toFixed(0)}`
  process.stdout.write(
    `${who}: metrics ${pair(recorded)}; second ${pair(told)}; ${bytes.toFixed(0)} bytes; scrape ${page.toFixed(0)} µs\n`,
  )
}

function ended(metrics: ThreadMetrics, name: string): Exchange {
  const route = {
    name,
    policies: [],
    owned: new Set<string>(),
    response: UNCHANGED_RESPONSE,
    target: null,
    series: metrics.seriesOf(name),
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
  exchange.endedMs = 2.5
  exchange.bytesOut = 87
  return exchange
}

function warmNs(work: () => void): number {
  return best(() => timed(work, EXCHANGES))
}

function coldNs(work: () => void): number {
  return best(() => {
    let sumNs = 0
    for (let batch = 0; batch < BATCHES; batch++) {
      others.fill(batch)
      sumNs += timed(work, BATCH)
    }
    return sumNs / BATCHES
  })
}

function heapBytes(work: () => void): number {
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  timed(work, EXCHANGES)
  return (process.memoryUsage().heapUsed - before) / EXCHANGES
}

/** Of several rounds the one that the machine's other work disturbed least. */
function best(round: () => number): number {
  return Math.min(...Array.from({ length: ROUNDS }, round))
}

/** Nanoseconds each. */
function timed(work: () => unknown, times: number): number {
  const startNs = process.hrtime.bigint()
  for (let time = 0; time < times; time++) work()
  return Number(process.hrtime.bigint() - startNs) / times
}
