import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { metricsPage } from '../../src/control/metrics-page.ts'
import { MetricsMemory } from '../../src/metrics/metrics-memory.ts'
import { MetricsReader } from '../../src/metrics/metrics-view.ts'
import { SKETCH_TENANTS } from '../../src/metrics/tenant-sketch.ts'
import { ThreadMetrics } from '../../src/metrics/thread-metrics.ts'
import { identityOf } from '../support/identity.ts'
import { readExposition } from './exposition-text.ts'
import { endedExchange, sourceOf } from './metrics-source.ts'

function stage() {
  const memory = MetricsMemory.create(1)
  const metrics = new ThreadMetrics(memory, 0)
  const exchange = endedExchange()
  const send = (tenant: string, times = 1): void => {
    exchange.identity = identityOf({ tenant })
    for (let time = 0; time < times; time++) metrics.record(exchange)
  }
  const control = new MetricsMemory(memory, 'control')
  return { memory, metrics, send, control, reader: new MetricsReader(control) }
}

describe('tenants', () => {
  test('are counted exactly while there are few', () => {
    const { metrics, send, reader } = stage()
    send('acme', 3)
    send('umbrella', 5)
    for (const code of ['rate_limited', 'upstream_timeout']) {
      metrics.record(endedExchange({ tenant: 'acme', status: 429, code }))
    }
    assert.deepEqual(reader.tenants(), {
      top: [
        { tenant: 'acme', requests: 5, refused: 1, ms: 50 },
        { tenant: 'umbrella', requests: 5, refused: 0, ms: 50 },
      ],
      rest: { requests: 0, refused: 0, ms: 0 },
    })
  })

  test('that send most are found among very many, with no more requests than they had', () => {
    const { send, reader } = stage()
    const crowd = 60 * SKETCH_TENANTS
    for (let index = 0; index < crowd; index++) {
      send(`small-${index}`)
      // Each has about a hundredth of all requests.
      if (index % 50 === 0) for (let large = 0; large < 20; large++) send(`large-${large}`)
    }
    const { top, rest } = reader.tenants()
    const each = Math.ceil(crowd / 50)
    assert.deepEqual(
      top.map(({ tenant }) => tenant).sort(),
      Array.from({ length: 20 }, (_, large) => `large-${large}`).sort(),
    )
    for (const { tenant, requests } of top) {
      assert.ok(requests <= each && requests >= 0.9 * each, `${tenant}: ${requests} of ${each}`)
    }
    const shown = top.reduce((sum, { requests }) => sum + requests, 0)
    assert.equal(rest.requests, crowd + 20 * each - shown)
  })

  test('a million of them, of paths and of methods leave the page under 1 MiB', () => {
    const { memory, metrics, send } = stage()
    const longest = 'x'.repeat(240)
    for (let index = 0; index < 1_000_000; index++) send(`${longest}-${index}`)
    for (let index = 0; index < SKETCH_TENANTS; index++) send(`"${longest}"${index}`, 4_000)
    for (let index = 0; index < 10_000; index++) {
      const series = metrics.seriesOf(null)
      metrics.record(
        endedExchange({
          method: `M${index}`,
          path: `/p/${index}`,
          series,
          status: 404,
          code: 'route_unknown',
        }),
      )
    }
    for (const format of ['prometheus', 'openmetrics'] as const) {
      const text = metricsPage(sourceOf(memory), format)
      const families = readExposition(text, format)
      const tenants = families.get(
        format === 'prometheus' ? 'nyro_tenant_requests_total' : 'nyro_tenant_requests',
      )
      assert.equal(tenants?.samples.length, 101)
      assert.ok(text.length < 1024 * 1024, `${text.length} characters`)
    }
  })

  test('a crowd of equals is not shown by name, for any hundred of it would be chance', () => {
    const { send, reader } = stage()
    for (let index = 0; index < 20 * SKETCH_TENANTS; index++) send(`equal-${index}`)
    assert.deepEqual(reader.tenants(), {
      top: [],
      rest: { requests: 20 * SKETCH_TENANTS, refused: 0, ms: 200 * SKETCH_TENANTS },
    })
  })

  test('leave a rest that never falls, as a counter must not', () => {
    const { send, reader } = stage()
    const crowd = 20 * SKETCH_TENANTS
    for (let index = 0; index < crowd; index++) send(`equal-${index}`)
    send('late', 15)
    assert.deepEqual([reader.tenants().top.length, reader.tenants().rest.requests], [0, crowd + 15])
    // Now it is certain to be somebody, and takes with it what was counted as the rest's.
    send('late', 15)
    assert.deepEqual([reader.tenants().top.length, reader.tenants().rest.requests], [1, crowd + 15])
    for (let index = 0; index < 20; index++) send(`another-${index}`)
    assert.equal(reader.tenants().rest.requests, crowd + 20)
  })

  test('cannot pass for the rest by their name', () => {
    const { memory, send } = stage()
    send('(rest)', 7)
    const families = readExposition(metricsPage(sourceOf(memory), 'openmetrics'), 'openmetrics')
    const shown = families
      .get('nyro_tenant_requests')
      ?.samples.map(({ labels, value }) => [labels['tenant'], value])
    assert.deepEqual(shown, [['(rest)', 7]])
  })

  test('are kept when their thread dies, and merged with those of the next', () => {
    const { memory, send, control, reader } = stage()
    send('acme', 3)
    send('umbrella', 2)
    control.reclaim(0)
    const next = new ThreadMetrics(memory, 0)
    next.record(endedExchange({ tenant: 'acme' }))
    assert.deepEqual(
      reader.tenants().top.map(({ tenant, requests }) => [tenant, requests]),
      [
        ['acme', 4],
        ['umbrella', 2],
      ],
    )
  })
})
