import { useState } from 'preact/hooks'
import { ExplainModal } from './explain-modal.tsx'
import { clock, duration } from './figures.ts'
import { useHeld } from './held.ts'
import { oneGroup, Table } from './table.tsx'
import type { Failure } from './wire.ts'

const FIRST_SHOWN = 12

/** The last failures, newest first; each opens what would become of that request now. */
export function FailuresPart({ failures }: { readonly failures: readonly Failure[] }) {
  const [opened, setOpened] = useState<Failure | null>(null)
  const [isWhole, setWhole] = useState(false)
  const [wanted, setWanted] = useState('')
  const { items, isHeld, release, watch } = useHeld(failures, opened !== null)
  const found = items.filter((failure) => textOf(failure).includes(wanted))
  const newer = isHeld ? (failures[0]?.number ?? 0) - (items[0]?.number ?? 0) : 0
  return (
    <section aria-labelledby="failures-title" class="wide">
      <h2 id="failures-title">
        Failures <small>the last two hundred; at most 32 a second of each data thread are kept</small>
      </h2>
      {failures.length > 0 && (
        <p class="tools">
          <label>
            Find{' '}
            <input
              type="search"
              placeholder="502, route, tenant, path …"
              value={wanted}
              onInput={(event) => setWanted(event.currentTarget.value.trim())}
            />
          </label>
          {newer > 0 && (
            <button type="button" class="link" onClick={release}>
              Show {newer} newer
            </button>
          )}
        </p>
      )}
      <div {...watch}>
        <Table
          caption="Recent failures, newest first"
          groups={oneGroup(isWhole ? found : found.slice(0, FIRST_SHOWN))}
          keyOf={({ number }) => String(number)}
          empty={
            failures.length === 0 ? 'Nothing has failed since the gateway started.' : 'None of them has that.'
          }
          columns={[
            {
              title: 'Request id',
              cell: (failure) => (
                <button
                  type="button"
                  class="link id"
                  onClick={() => setOpened(failure)}
                  title="Explain this request"
                >
                  <code>{failure.requestId}</code>
                </button>
              ),
            },
            { title: 'Time', cell: ({ atMs }) => clock(atMs) },
            { title: 'Status', kind: 'number', cell: statusCell },
            { title: 'Code', cell: ({ code }) => code ?? 'by the upstream' },
            { title: 'Took', kind: 'number', cell: ({ durationMs }) => duration(durationMs) },
            {
              title: 'Request',
              width: 'whole',
              cell: ({ method, path }) => (
                <code class="cut" title={path}>
                  {method} {path}
                </code>
              ),
            },
            { title: 'Route', cell: ({ route }) => route },
            { title: 'Tenant', cell: ({ tenant }) => tenant },
            { title: 'Endpoint', cell: ({ target }) => (target === null ? null : <code>{target}</code>) },
          ]}
        />
      </div>
      {found.length > FIRST_SHOWN && (
        <button type="button" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Show fewer' : `Show all ${found.length}`}
        </button>
      )}
      {opened !== null && <ExplainModal failure={opened} onClose={() => setOpened(null)} />}
    </section>
  )
}

function statusCell({ status }: Failure) {
  return status >= 500 ? <strong class="bad">{status}</strong> : status
}

/** What a failure can be found by. */
function textOf({ requestId, status, code, method, path, route, tenant, target }: Failure): string {
  return [requestId, status, code ?? 'by the upstream', method, path, route, tenant, target].join(' ')
}
