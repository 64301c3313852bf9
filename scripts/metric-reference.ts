import { BUCKET_BOUNDS_S } from '../src/metrics/bucket.ts'
import { FAILURE_CODES, METHODS, STATUS_CLASSES } from '../src/metrics/label.ts'
import { ROUTE_PLACES } from '../src/metrics/layout.ts'
import { METRICS, type Metric, type MetricName, sampleNames } from '../src/metrics/metric-table.ts'
import { LUMPED_ROUTE, OTHER_TENANTS, OWN_ROUTE, SHOWN_TENANTS } from '../src/metrics/metrics-view.ts'
import { SKETCH_TENANTS } from '../src/metrics/tenant-sketch.ts'

/** docs/metrics.md: every metric of the registry. */
export function metricReference(notice: string): string {
  const rows = Object.entries<Metric>(METRICS).map(([name, { kind, labels, help }]) => {
    const [first = ''] = sampleNames(name as MetricName) // a key of the table
    const shown = kind === 'histogram' ? name : first
    return `| \`${shown}\` | ${kind} | ${labels.join(', ')} | ${help} |\n`
  })
  return `# Metrics

${notice}

\`GET /metrics\` on the operator listener, as Prometheus text 0.0.4, or as OpenMetrics 1.0 for a scraper that asks for
\`application/openmetrics-text\`; the series are the same. Where \`admin.token\` is set, the scraper sends it as a Bearer
token. \`deploy/prometheus/alerts.yaml\` has alert rules, each with its runbook in [operations.md](operations.md#runbooks),
and \`deploy/grafana/nyro.json\` a dashboard.

Data threads count in shared memory, each in cells of its own; the page is made from that memory by the control thread,
so being scraped costs traffic nothing. What a thread that died had counted is kept. A reload forgets nothing. A restart
begins anew, which \`rate()\` and \`increase()\` allow for.

- **route** is the configured name; \`${OWN_ROUTE}\` is what no configured route stands behind: the gateway's own pages, and
  what is refused before a route is found. Of ${ROUTE_PLACES - 2} names on, further ones are counted together as
  \`${LUMPED_ROUTE}\`: names of routes that were removed keep their place until a restart.
- **method** is one of ${METHODS.map((name) => `\`${name}\``).join(', ')}; **status** one of
  ${STATUS_CLASSES.map((name) => `\`${name}\``).join(', ')}. \`none\`: the exchange ended before a response began.
- **code** is one of [failures.md](failures.md) (${FAILURE_CODES.length - 1}), or \`other\`.
- **tenant** is one of the ${SHOWN_TENANTS} that send most, or \`${OTHER_TENANTS}\` for everybody else, so that a million tenants make no
  more series than ${SHOWN_TENANTS + 1}. Each thread follows ${SKETCH_TENANTS} tenants (Space-Saving): who has more than one request in
  ${SKETCH_TENANTS} is among them for certain, exactly while there are no more. What is shown of a tenant is counted since it is
  followed: never more than it had. A tenant is shown once what is certain of it is at least half of what may be. When one
  comes to be shown, the rest stands still until it has caught up; it never falls.
- Buckets of every histogram, seconds: ${BUCKET_BOUNDS_S.join(', ')}.
- Gauges of threads and connections are as of the last second.

| Metric | Kind | Labels | Meaning |
| --- | --- | --- | --- |
${rows.join('')}`
}
