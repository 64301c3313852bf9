import { useState } from 'preact/hooks'
import { useLoaded } from './loaded.ts'
import { Table } from './table.tsx'
import type { Route } from './wire.ts'

const SHOWN = 100

export interface VersionProps {
  readonly version: number | null
  readonly isLive: boolean
}

/** The table in match order. */
export function RoutesPart({ version, isLive }: VersionProps) {
  const loaded = useLoaded<{ routes: readonly Route[] }>('/routes', version, isLive)
  const [wanted, setWanted] = useState('')
  const routes = loaded?.routes ?? []
  const found = routes.filter(({ name, host, path, ending }) =>
    `${name} ${host} ${path} ${ending}`.includes(wanted),
  )
  return (
    <section aria-labelledby="routes-title" class="wide">
      <h2 id="routes-title">
        Routes <small>in match order</small>
      </h2>
      {routes.length > 10 && (
        <p>
          <label>
            Find{' '}
            <input type="search" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} />
          </label>
        </p>
      )}
      <Table
        caption="Routes in match order"
        rows={found.slice(0, SHOWN)}
        keyOf={({ name, host }) => `${name} ${host}`}
        empty={loaded === null ? 'Loading.' : 'No route is configured or found.'}
        columns={[
          { title: 'Route', cell: ({ name }) => name },
          { title: 'Host', cell: ({ host }) => <code>{host}</code> },
          { title: 'Path', cell: ({ path }) => <code>{path}</code> },
          {
            title: 'Methods',
            cell: ({ methods }) => (methods.length > 6 ? `${methods.length} methods` : methods.join(' ')),
          },
          { title: 'Conditions', cell: ({ conditions }) => conditions.join(' ') || '–' },
          { title: 'Auth', cell: ({ auth }) => auth },
          { title: 'To', cell: ({ ending }) => ending },
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
