import { Chart } from './chart.tsx'
import { axisDuration, count, duration, percent, recent } from './figures.ts'
import type { Columns } from './wire.ts'

const RECENT_SECONDS = 10

/** The last fifteen minutes. */
export function TrafficPart({ figures }: { readonly figures: Columns }) {
  const now = recent(figures, RECENT_SECONDS)
  const peak = figures.requests.reduce((most, one) => Math.max(most, one), 0)
  const errors = figures.serverErrors.reduce((sum, one) => sum + one, 0)
  return (
    <section aria-labelledby="traffic-title">
      <h2 id="traffic-title">
        Traffic <small>of the last ten seconds, and over the last fifteen minutes</small>
      </h2>
      <dl class="tiles">
        <Tile name="Requests a second" value={count(now.perSecond)} />
        <Tile name="Errors (5xx)" value={percent(now.errorShare)} tone={now.serverErrors > 0 ? 'bad' : ''} />
        <Tile name="Latency, p50" value={duration(now.p50)} />
        <Tile name="Latency, p99" value={duration(now.p99)} />
      </dl>
      <div class="charts">
        <Chart
          title="Requests a second"
          summary={`Now ${count(now.perSecond)}, at most ${count(peak)}.`}
          seconds={figures.second}
          lines={[{ label: 'all', color: '--blue', dash: [], values: figures.requests }]}
          format={count}
          tell={shownCount}
        />
        <Chart
          title="Errors a second"
          summary={`${count(errors)} answers with 5xx in fifteen minutes.`}
          seconds={figures.second}
          lines={[
            { label: '5xx', color: '--red', dash: [], values: figures.serverErrors },
            { label: '4xx', color: '--amber', dash: [6, 4], values: figures.clientErrors },
          ]}
          format={count}
          tell={shownCount}
        />
        <Chart
          title="Latency"
          summary={`Median ${duration(now.p50)}, 99th percentile ${duration(now.p99)}.`}
          seconds={figures.second}
          lines={[
            { label: 'p50', color: '--blue', dash: [], values: figures.p50 },
            { label: 'p95', color: '--teal', dash: [6, 4], values: figures.p95 },
            { label: 'p99', color: '--violet', dash: [2, 3], values: figures.p99 },
          ]}
          format={axisDuration}
          tell={duration}
        />
      </div>
    </section>
  )
}

function Tile({
  name,
  value,
  tone = '',
}: {
  readonly name: string
  readonly value: string
  readonly tone?: string
}) {
  return (
    <div class={`tile ${tone}`}>
      <dt>{name}</dt>
      <dd>
        {tone === 'bad' && <span aria-hidden="true">▲ </span>}
        {value}
      </dd>
    </div>
  )
}

function shownCount(value: number | null): string {
  return value === null ? '–' : count(value)
}
