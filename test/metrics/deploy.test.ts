import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { FAILURE_CODES, METHODS, STATUS_CLASSES } from '../../src/metrics/label.ts'
import { METRICS, type Metric, type MetricName, sampleNames } from '../../src/metrics/metric-table.ts'

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

const METRIC_OF = new Map(
  Object.keys(METRICS).flatMap((name) =>
    sampleNames(name as MetricName).map((sample): [string, Metric] => [sample, METRICS[name as MetricName]]),
  ),
)
/** Given by Prometheus itself, or by Grafana's variables. */
const SCRAPE_LABELS = ['instance', 'job']
const VALUES: Readonly<Record<string, readonly string[]>> = {
  code: FAILURE_CODES,
  status: STATUS_CLASSES,
  method: METHODS,
  state: ['closed', 'open', 'probing'],
}

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
}

function alerts(): readonly Alert[] {
  const { groups } = parse(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: Alert[] }[] }
  return groups.flatMap(({ rules }) => rules)
}

/** Every expression of the dashboard. */
function expressions(node: unknown): readonly string[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) => {
    if ((key === 'expr' || key === 'query') && typeof value === 'string' && value !== 'prometheus')
      return [value]
    return expressions(value)
  })
}

/** What is wrong with an expression: names that nothing exposes, labels and values that nothing has. */
function faultsOf(expression: string): readonly string[] {
  const faults: string[] = []
  for (const [open, close] of ['()', '{}', '[]']) {
    if (expression.split(open ?? '').length !== expression.split(close ?? '').length)
      faults.push(`unbalanced ${open}`)
  }
  const used = [...expression.matchAll(/\b((?:nyro|process)_[a-z_]+)(?:\{([^}]*)\})?/g)]
  if (used.length === 0 && !expression.startsWith('up{')) faults.push('no metric of ours')
  for (const [, name = '', matchers = ''] of used) {
    const metric = METRIC_OF.get(name)
    if (metric === undefined) {
      faults.push(`${name} does not exist`)
      continue
    }
    const own = [...metric.labels, ...SCRAPE_LABELS, ...(name.endsWith('_bucket') ? ['le'] : [])]
    for (const [, label = '', value = ''] of matchers.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)) {
      if (!own.includes(label)) faults.push(`${name} has no label ${label}`)
      const known = VALUES[label]
      if (known === undefined || value.startsWith('$')) continue
      for (const part of value.split('|')) if (!known.includes(part)) faults.push(`${label} is never ${part}`)
    }
    const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = '']) =>
      names.split(', '),
    )
    const others = used.flatMap(([, other = '']) => METRIC_OF.get(other)?.labels ?? [])
    for (const label of grouped) {
      if (![...own, ...others].includes(label)) faults.push(`${name} has no label ${label} to group by`)
    }
  }
  return faults
}

describe('what deploy/ says about metrics', () => {
  test('names in its alerts only what is exposed', () => {
    assert.ok(alerts().length > 15)
    for (const { alert, expr } of alerts()) assert.deepEqual(faultsOf(expr), [], alert)
  })

  test('names on its dashboard only what is exposed, and shows every metric', () => {
    const text = read('deploy/grafana/nyro.json')
    const all = expressions(JSON.parse(text))
    assert.ok(all.length > 40)
    for (const expression of all) assert.deepEqual(faultsOf(expression), [], expression)
    const shown = Object.keys(METRICS).filter((name) => all.some((expression) => expression.includes(name)))
    assert.deepEqual(
      Object.keys(METRICS).filter((name) => !shown.includes(name)),
      ['process_start_time_seconds'],
    )
  })

  test('has a runbook for every alert, and no runbook too many', () => {
    const [, runbooks = ''] = read('docs/operations.md').split('\n## Runbooks\n')
    const titles = [...(runbooks.split(/\n## /)[0] ?? '').matchAll(/^### (\w+)$/gm)].map(([, title]) => title)
    assert.deepEqual(
      [...titles].sort(),
      alerts()
        .map(({ alert }) => alert)
        .sort(),
    )
    for (const { alert, annotations, labels } of alerts()) {
      assert.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`)
      assert.match(annotations.summary, /\w/)
      assert.match(labels.severity, /^(?:page|ticket)$/)
    }
  })

  test('would be found out', () => {
    assert.deepEqual(faultsOf('rate(nyro_request_total[5m])'), ['nyro_request_total does not exist'])
    assert.deepEqual(faultsOf('nyro_threads{route="x"} > 0'), ['nyro_threads has no label route'])
    assert.deepEqual(faultsOf('nyro_request_failures_total{code="gone"}'), ['code is never gone'])
    assert.deepEqual(faultsOf('sum by (tenant) (nyro_threads'), [
      'unbalanced (',
      'nyro_threads has no label tenant to group by',
    ])
    assert.deepEqual(faultsOf('vector(1)'), ['no metric of ours'])
  })
})
