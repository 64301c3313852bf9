import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { metricsPage } from '../../src/control/metrics-page.ts'
import { Exposition, pickFormat } from '../../src/metrics/exposition.ts'
import { METRICS, type MetricName, sampleNames } from '../../src/metrics/metric-table.ts'
import { MetricsMemory } from '../../src/metrics/metrics-memory.ts'
import { ThreadMetrics } from '../../src/metrics/thread-metrics.ts'
import { liveUpstreams } from '../support/live-upstream.ts'
import { planeConfig } from '../worker/open-plane.ts'
import { readExposition, seriesValue } from './exposition-text.ts'
import { endedExchange, sourceOf } from './metrics-source.ts'

/** Everything there can be, with names that need escaping. */
function fullPage(format: 'prometheus' | 'openmetrics'): string {
  const memory = MetricsMemory.create(1)
  const metrics = new ThreadMetrics(memory, 0)
  const series = metrics.seriesOf('a "quoted" \\ route\nof two lines')
  const tenant = 'acme "and" \\ co'
  metrics.record(endedExchange({ series, tenant }))
  metrics.record(endedExchange({ series, tenant, status: 429, code: 'rate_limited' }))
  metrics.sample({
    ...{ clients: 1, active: 1, loopDelayMaxMs: 1, loopDelayMeanMs: 1, loopShare: 0.5 },
    ...{ heapUsedBytes: 1, heapLimitBytes: 1, externalBytes: 1 },
    limits: { forgotten: 2, uncounted: 1, store: 'down' },
  })
  const live = liveUpstreams(planeConfig('http://127.0.0.1:9'))
  return metricsPage(
    sourceOf(memory, {
      live: () => live,
      issuers: () => [
        { issuer: 'idp', fetchedAtMs: 1_799_999_987_500 },
        { issuer: 'gone', fetchedAtMs: null },
      ],
      admission: () => ({ waiting: 3, limit: 10 }),
    }),
    format,
  )
}

describe('the exposition', () => {
  for (const format of ['prometheus', 'openmetrics'] as const) {
    test(`is ${format} text to the letter, with every metric there is`, () => {
      const families = readExposition(fullPage(format), format)
      const names = Object.keys(METRICS).map((name) =>
        format === 'prometheus' && METRICS[name as MetricName].kind !== 'histogram'
          ? sampleNames(name as MetricName)[0]
          : name,
      )
      assert.deepEqual([...families.keys()].sort(), names.sort())
    })

    test(`escapes what a label holds, in ${format}`, () => {
      const families = readExposition(fullPage(format), format)
      const name = format === 'prometheus' ? 'nyro_tenant_requests_total' : 'nyro_tenant_requests'
      assert.equal(seriesValue(families, name, { tenant: 'acme "and" \\ co' }), 2)
      const bytes = format === 'prometheus' ? 'nyro_sent_bytes_total' : 'nyro_sent_bytes'
      assert.equal(seriesValue(families, bytes, { route: 'a "quoted" \\ route\nof two lines' }), 20)
    })
  }

  test('has the same series in both formats', () => {
    const series = (format: 'prometheus' | 'openmetrics'): string[] =>
      fullPage(format)
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
    assert.deepEqual(series('openmetrics'), series('prometheus'))
  })

  test('says the unit in OpenMetrics, and infinity for keys that never came', () => {
    const families = readExposition(fullPage('openmetrics'), 'openmetrics')
    assert.equal(families.get('nyro_request_duration_seconds')?.unit, 'seconds')
    assert.equal(seriesValue(families, 'nyro_issuer_keys_age_seconds', { issuer: 'idp' }), 12.5)
    assert.equal(seriesValue(families, 'nyro_limit_store_up'), 0)
    assert.equal(
      seriesValue(families, 'nyro_issuer_keys_age_seconds', { issuer: 'gone' }),
      Number.POSITIVE_INFINITY,
    )
  })

  test('leaves out a family without samples', () => {
    const out = new Exposition('openmetrics')
    out.family('nyro_requests')
    assert.equal(out.end(), '# EOF\n')
  })

  test('is OpenMetrics only for who asks for it', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['', 'prometheus'],
      ['*/*', 'prometheus'],
      ['text/plain', 'prometheus'],
      ['application/openmetrics-text', 'openmetrics'],
      ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
      ['application/openmetrics-text; version=0.0.1', 'prometheus'],
      [
        'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1',
        'openmetrics',
      ],
      ['application/openmetrics-text;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.4', 'prometheus'],
      ['application/openmetrics-text;q=0', 'prometheus'],
      ['application/openmetrics-text;q=x', 'prometheus'],
      ['APPLICATION/OPENMETRICS-TEXT; VERSION=1.0.0', 'openmetrics'],
    ]
    for (const [accept, format] of cases) assert.equal(pickFormat(accept), format, accept)
  })
})
