import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { metricsPage } from '../../src/control/metrics-page.ts'
import { MetricsMemory } from '../../src/metrics/metrics-memory.ts'
import { MetricsReader, type MetricsView } from '../../src/metrics/metrics-view.ts'
import { ThreadMetrics } from '../../src/metrics/thread-metrics.ts'
import type { CountOrder } from './count-thread.ts'
import { readExposition, seriesValue } from './exposition-text.ts'
import { endedExchange, sourceOf } from './metrics-source.ts'

const ROUTES = Array.from({ length: 40 }, (_, index) => `route-${index}`)
const TIMES = 2_000

async function counting(order: CountOrder): Promise<Worker> {
  const worker = new Worker(new URL('./count-thread.ts', import.meta.url), { workerData: order })
  await once(worker, 'message')
  return worker
}

/** Requests by route. */
function requestsOf(view: MetricsView): ReadonlyMap<string, number> {
  return new Map(view.routes().map((counts) => [counts.route, counts.count(null)]))
}

function expected(threads: number): ReadonlyMap<string, number> {
  return new Map(
    ROUTES.map((route, index) => [route, threads * (TIMES + index)] as const).sort(([one], [other]) =>
      one < other ? -1 : 1,
    ),
  )
}

describe('counts of several threads', () => {
  test('are exact, also when a thread is killed and another takes its row', async () => {
    const memory = MetricsMemory.create(4)
    const control = new MetricsMemory(memory, 'control')
    const reader = new MetricsReader(control)
    const order = (row: number): CountOrder => ({ memory, row, routes: ROUTES, times: TIMES })
    // All at once, so that they enter the names of the routes at the same time.
    const workers = await Promise.all([0, 1, 2, 3].map((row) => counting(order(row))))
    assert.deepEqual(requestsOf(reader), expected(4))
    await workers[1]?.terminate()
    control.reclaim(1)
    assert.deepEqual(requestsOf(reader), expected(4), 'what the dead thread counted is kept')
    control.reclaim(1)
    assert.deepEqual(requestsOf(reader), expected(4), 'and kept once')
    workers[1] = await counting(order(1))
    assert.deepEqual(requestsOf(reader), expected(5))
    const { top, rest } = reader.tenants()
    assert.equal(top.length, ROUTES.length)
    assert.equal(
      top.reduce((sum, { requests }) => sum + requests, 0),
      [...expected(5).values()].reduce((sum, count) => sum + count, 0),
    )
    assert.deepEqual(rest, { requests: 0, refused: 0, ms: 0 })
    await Promise.all(workers.map((worker) => worker.terminate()))
  })

  test('keep what is so now apart from what has been: a dead thread holds no connection', () => {
    const memory = MetricsMemory.create(2)
    const control = new MetricsMemory(memory, 'control')
    const reader = new MetricsReader(control)
    const sample = {
      ...{ clients: 5, active: 2, loopDelayMaxMs: 1, loopDelayMeanMs: 1, loopShare: 0.5 },
      ...{ heapUsedBytes: 1, heapLimitBytes: 1, externalBytes: 1 },
      limits: { forgotten: 3, uncounted: 0, store: 'none' },
    } as const
    for (const row of [0, 1]) {
      const thread = new ThreadMetrics(memory, row)
      thread.accepted()
      thread.tokenKnown()
      thread.pool(3, 4, 1)
      thread.sample(sample)
    }
    assert.deepEqual([reader.totals().clients, reader.totals().accepted], [10, 2])
    assert.deepEqual(reader.pool(3), { idle: 8, waiting: 2 })
    control.reclaim(0)
    const { clients, active, accepted, tokensKnown } = reader.totals()
    assert.deepEqual(
      { clients, active, accepted, tokensKnown },
      { clients: 5, active: 2, accepted: 2, tokensKnown: 2 },
    )
    assert.deepEqual(reader.pool(3), { idle: 4, waiting: 1 })
    assert.equal(reader.threads()[0]?.heapUsedBytes, 0)
  })
})

describe('an exchange', () => {
  test('is counted by route, method, class and code, its time divided between gateway and upstream', () => {
    const memory = MetricsMemory.create(1)
    const metrics = new ThreadMetrics(memory, 0)
    const series = metrics.seriesOf('orders')
    const retried = endedExchange({ series, method: 'PUT', status: 504, code: 'upstream_timeout' })
    retried.attempts = 3
    retried.respondedMs = 0
    retried.endedMs = 151
    metrics.record(retried)
    const gone = endedExchange({ series, method: 'PURGE', status: 0 })
    gone.forwardedMs = 0
    gone.attempts = 0
    gone.aborted = true
    gone.endedMs = 103
    metrics.record(gone)
    const families = readExposition(metricsPage(sourceOf(memory), 'openmetrics'), 'openmetrics')
    const of = (family: string, labels: Record<string, string> = {}): number | null =>
      seriesValue(families, family, { route: 'orders', ...labels })
    assert.equal(of('nyro_requests', { method: 'PUT', status: '5xx' }), 1)
    assert.equal(of('nyro_requests', { method: 'other', status: 'none' }), 1)
    assert.equal(of('nyro_request_failures', { code: 'upstream_timeout' }), 1)
    assert.equal(of('nyro_requests_aborted'), 1)
    assert.equal(of('nyro_upstream_repeats'), 2)
    const sums = families
      .get('nyro_gateway_duration_seconds')
      ?.samples.filter(({ name }) => name.endsWith('_sum'))
    assert.deepEqual(
      sums?.map(({ value }) => value),
      [0.004],
    )
    const upstream = families.get('nyro_upstream_duration_seconds')?.samples
    assert.equal(upstream?.find(({ name }) => name.endsWith('_sum'))?.value, 0.05)
    assert.equal(upstream?.find(({ labels }) => labels['le'] === '0.05')?.value, 1, 'a bound is below itself')
    assert.equal(upstream?.find(({ labels }) => labels['le'] === '0.025')?.value, 0)
  })

  test('that became a tunnel says nothing about how long an upstream takes', () => {
    const memory = MetricsMemory.create(1)
    const metrics = new ThreadMetrics(memory, 0)
    const tunnel = endedExchange({ status: 101 })
    tunnel.endedMs = 3_600_000
    metrics.record(tunnel)
    const families = readExposition(metricsPage(sourceOf(memory), 'openmetrics'), 'openmetrics')
    assert.equal(families.get('nyro_upstream_duration_seconds'), undefined)
    const total = families.get('nyro_request_duration_seconds')?.samples
    assert.equal(total?.find(({ name }) => name.endsWith('_count'))?.value, 0)
    assert.equal(seriesValue(families, 'nyro_requests', { status: '1xx' }), 1)
  })
})

describe('names of routes', () => {
  test('keep their place for good, and share one when there are too many', () => {
    const memory = MetricsMemory.create(1)
    const metrics = new ThreadMetrics(memory, 0)
    const first = metrics.seriesOf('first')
    const placesOf = (count: number): readonly number[] =>
      Array.from({ length: count }, (_, index) => metrics.seriesOf(`many-${index}`))
    const lumped = 1
    const few = placesOf(700)
    assert.equal(new Set([first, ...few]).size, few.length + 1, 'one each while there is room')
    const places = new Set(placesOf(20_000))
    assert.deepEqual(placesOf(700), few)
    assert.equal(metrics.seriesOf('first'), first)
    assert.equal(places.size, 1_021 + lumped, 'all that are left, and one for the rest')
    metrics.record(endedExchange({ series: metrics.seriesOf('one-more') }))
    metrics.record(endedExchange({ series: metrics.seriesOf(null) }))
    const reader = new MetricsReader(new MetricsMemory(memory, 'control'))
    assert.deepEqual(
      [...requestsOf(reader)],
      [
        ['(others)', 1],
        ['(own)', 1],
      ],
    )
  })
})
