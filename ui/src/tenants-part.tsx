import { count, duration, percent } from './figures.ts'
import { Mark, Table } from './table.tsx'
import type { Tenant } from './wire.ts'

/** Who has what share of the last minute. */
export function TenantsPart({ tenants }: { readonly tenants: readonly Tenant[] }) {
  return (
    <section aria-labelledby="tenants-title">
      <h2 id="tenants-title">
        Tenants <small>last minute</small>
      </h2>
      <Table
        caption="Tenants by requests of the last minute"
        rows={tenants}
        keyOf={({ tenant }) => tenant ?? ''}
        empty="No request of the last minute stated a tenant."
        columns={[
          { title: 'Tenant', cell: ({ tenant }) => tenant ?? 'all others' },
          {
            title: 'Share',
            kind: 'number',
            cell: ({ share }) => (
              <span class="share">
                <meter min={0} max={1} value={share} aria-hidden="true" />
                {percent(share)}
              </span>
            ),
          },
          { title: 'Requests', kind: 'number', cell: ({ requests }) => count(requests) },
          {
            title: 'Refused',
            kind: 'number',
            cell: ({ refusals }) =>
              refusals === 0 ? (
                '0'
              ) : (
                <Mark tone="bad" sign="▲">
                  {count(refusals)}
                </Mark>
              ),
          },
          { title: 'Waiting', kind: 'number', cell: ({ waiting }) => count(waiting) },
          { title: 'Mean latency', kind: 'number', cell: ({ latencyMs }) => duration(latencyMs) },
        ]}
      />
    </section>
  )
}
