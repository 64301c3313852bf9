import { count, duration, percent } from './figures.ts'
import { Mark, oneGroup, Table } from './table.tsx'
import type { Tenant } from './wire.ts'

/** Who has what share of the last minute. */
export function TenantsPart({ tenants }: { readonly tenants: readonly Tenant[] }) {
  return (
    <section aria-labelledby="tenants-title">
      <h2 id="tenants-title">
        Tenants <small>of the last minute; latency is the mean, waiting is now</small>
      </h2>
      <Table
        caption="Tenants by requests of the last minute"
        groups={oneGroup(tenants)}
        keyOf={({ tenant }) => tenant ?? ''}
        empty="No request of the last minute stated a tenant."
        columns={[
          {
            title: 'Tenant',
            cell: ({ tenant }) => <span class="wrap">{tenant ?? 'all others'}</span>,
          },
          { title: 'Share', kind: 'number', width: 'whole', cell: shareCell },
          { title: 'Requests', kind: 'number', cell: ({ requests }) => count(requests) },
          { title: 'Refused', kind: 'number', cell: refusedCell },
          { title: 'Waiting', kind: 'number', cell: ({ waiting }) => count(waiting) },
          { title: 'Latency', kind: 'number', cell: ({ latencyMs }) => duration(latencyMs) },
        ]}
      />
    </section>
  )
}

function shareCell({ share }: Tenant) {
  return (
    <span class="share">
      <svg class="bar" aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none">
        <rect width="100" height="10" />
        <rect class="part" width={share * 100} height="10" />
      </svg>
      <span class="percent">{percent(share)}</span>
    </span>
  )
}

function refusedCell({ refusals, requests }: Tenant) {
  if (refusals === 0) return '0'
  return (
    <Mark tone="bad" sign="▲">
      {count(refusals)} <span class="quiet">({percent(refusals / requests)})</span>
    </Mark>
  )
}
