import { useState } from 'preact/hooks'
import { count, duration, percent } from './figures.ts'
import { useLoaded } from './loaded.ts'
import { type RouteRate, type RouteSample, ratesOf } from './route-rates.ts'
import { Mark, oneGroup, Table } from './table.tsx'
import type { Route } from './wire.ts'

const SHOWN = 100
/** Fewer are found by looking. */
const FIND_FROM = 10
/** As many as routes take where nothing is said of methods. */
const USUAL_METHODS = 6

export interface VersionProps {
  readonly version: number | null
  readonly isLive: boolean
}

export interface RoutesPartProps extends VersionProps {
  readonly samples: readonly RouteSample[]
}

/** The table in match order, with what it carries. */
export function RoutesPart({ version, isLive, samples }: RoutesPartProps) {
  const loaded = useLoaded<{ routes: readonly Route[] }>('/routes', version, isLive)
  const [wanted, setWanted] = useState('')
  const rates = ratesOf(samples)
  const routes = loaded?.routes ?? []
  const found = routes.filter(({ name, host, path, ending }) =>
    `${name} ${host} ${path} ${ending}`.includes(wanted),
  )
  const rateOf = ({ name }: Route): RouteRate | null => rates.get(name) ?? null
  return (
    <section aria-labelledby="routes-title" class="wide">
      <h2 id="routes-title">
        Routes <small>in match order; figures of the last minute that this page was open</small>
      </h2>
      {routes.length > FIND_FROM && (
        <p class="tools">
          <label>
            Find{' '}
            <input
              type="search"
              value={wanted}
              onInput={(event) => setWanted(event.currentTarget.value.trim())}
            />
          </label>
        </p>
      )}
      <Table
        caption="Routes in match order"
        groups={oneGroup(found.slice(0, SHOWN))}
        keyOf={({ name, host }) => `${name} ${host}`}
        empty={emptyText(loaded !== null, routes.length)}
        columns={[
          { title: 'Route', cell: ({ name }) => <span class="wrap">{name}</span> },
          { title: 'Path', width: 'whole', cell: placeCell },
          { title: 'Methods', width: 'whole', cell: ({ methods }) => methodsText(methods) },
          { title: 'Conditions', width: 'whole', cell: ({ conditions }) => conditions.join(' ') || null },
          { title: 'Auth', cell: ({ auth }) => auth },
          { title: 'To', cell: ({ ending }) => <span class="wrap">{ending}</span> },
          {
            title: 'Requests/s',
            kind: 'number',
            cell: (route) => shown(rateOf(route), ({ perSecond }) => count(perSecond)),
          },
          {
            title: '4xx',
            kind: 'number',
            cell: (route) => shown(rateOf(route), ({ clientErrorShare }) => percent(clientErrorShare)),
          },
          { title: '5xx', kind: 'number', cell: (route) => shown(rateOf(route), serverErrorCell) },
          {
            title: 'Mean latency',
            kind: 'number',
            cell: (route) => shown(rateOf(route), ({ latencyMs }) => duration(latencyMs)),
          },
        ]}
      />
      {found.length > SHOWN && (
        <p class="quiet">
          And {found.length - SHOWN} more, at <a href="/routes">/routes</a>.
        </p>
      )}
    </section>
  )
}

function emptyText(isLoaded: boolean, routes: number): string {
  if (!isLoaded) return 'Loading …'
  return routes === 0 ? 'No route is configured.' : 'None of them has that.'
}

function placeCell({ host, path }: Route) {
  return (
    <code class="wrap">
      {host === '*' ? '' : host}
      {path}
    </code>
  )
}

function methodsText(methods: readonly string[]): string {
  return methods.length > USUAL_METHODS ? `${methods.length} methods` : methods.join(' ')
}

function serverErrorCell({ serverErrorShare }: RouteRate) {
  if (serverErrorShare === 0) return percent(0)
  return (
    <Mark tone="bad" sign="▲">
      {percent(serverErrorShare)}
    </Mark>
  )
}

/** Nothing where nothing was counted yet. */
function shown<Shown>(rate: RouteRate | null, show: (rate: RouteRate) => Shown): Shown | null {
  return rate === null ? null : show(rate)
}
