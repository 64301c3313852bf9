import { useState } from 'preact/hooks'
import { Confirm } from './confirm.tsx'
import { count } from './figures.ts'
import { ask } from './listener.ts'
import { Mark, Table } from './table.tsx'
import type { Endpoint, EndpointDuty, Upstream } from './wire.ts'

interface Row {
  readonly upstream: Upstream
  /** Null: no address is known. */
  readonly endpoint: Endpoint | null
}

interface Wish {
  readonly upstream: string
  readonly target: string
  readonly state: EndpointDuty
}

export interface UpstreamsPartProps {
  readonly upstreams: readonly Upstream[]
  /** That are not shown. */
  readonly more: number
}

const EFFECTS: Readonly<Record<EndpointDuty, string>> = {
  enabled: 'It gets traffic again.',
  draining: 'It gets no new requests. Those under way end as they like.',
  disabled: 'It gets no new requests, and those under way are cut off.',
}

const VERBS: Readonly<Record<EndpointDuty, string>> = {
  enabled: 'Enable',
  draining: 'Drain',
  disabled: 'Disable',
}

/** Where traffic can go, and an operator's say in it. */
export function UpstreamsPart({ upstreams, more }: UpstreamsPartProps) {
  const [wish, setWish] = useState<Wish | null>(null)
  const [notice, setNotice] = useState<string | null>(null)
  const rows = upstreams.flatMap((upstream): readonly Row[] =>
    upstream.endpoints.length === 0
      ? [{ upstream, endpoint: null }]
      : upstream.endpoints.map((endpoint) => ({ upstream, endpoint })),
  )
  return (
    <section aria-labelledby="upstreams-title">
      <h2 id="upstreams-title">Upstreams</h2>
      <Table
        caption="Endpoints of upstreams"
        rows={rows}
        keyOf={({ upstream, endpoint }) => `${upstream.name} ${endpoint?.target} ${endpoint?.address}`}
        empty="No upstream is configured."
        columns={[
          { title: 'Upstream', cell: ({ upstream }) => upstream.name },
          {
            title: 'Endpoint',
            cell: ({ endpoint }) => (endpoint === null ? '–' : <code>{endpoint.target}</code>),
          },
          { title: 'State', cell: stateCell },
          { title: 'In flight', kind: 'number', cell: ({ endpoint }) => count(endpoint?.inFlight ?? 0) },
          { title: 'Connections', kind: 'number', cell: ({ upstream }) => count(upstream.openConnections) },
          {
            title: 'Set',
            cell: ({ upstream, endpoint }) =>
              endpoint === null ? null : (
                <EndpointButtons
                  endpoint={endpoint}
                  onWish={(state) => setWish({ upstream: upstream.name, target: endpoint.target, state })}
                />
              ),
          },
        ]}
      />
      {more > 0 && (
        <p class="quiet">
          And {more} more, at <a href="/upstreams">/upstreams</a>.
        </p>
      )}
      <p role="status" aria-live="polite" class="notice" hidden={notice === null}>
        {notice}
      </p>
      {wish !== null && (
        <Confirm
          title={`${VERBS[wish.state]} ${wish.target}?`}
          text={`${EFFECTS[wish.state]} Upstream ${wish.upstream}. It outlasts reloads, and no restart.`}
          verb={VERBS[wish.state]}
          tone={wish.state === 'enabled' ? 'plain' : 'danger'}
          onClose={() => setWish(null)}
          onYes={async () => setNotice(await fulfil(wish))}
        />
      )}
    </section>
  )
}

function EndpointButtons({
  endpoint,
  onWish,
}: {
  readonly endpoint: Endpoint
  readonly onWish: (state: EndpointDuty) => void
}) {
  const others = (['enabled', 'draining', 'disabled'] as const).filter((state) => state !== endpoint.state)
  return (
    <span class="buttons small">
      {others.map((state) => (
        <button
          key={state}
          type="button"
          onClick={() => onWish(state)}
          aria-label={`${VERBS[state]} ${endpoint.target}`}
        >
          {VERBS[state]}
        </button>
      ))}
    </span>
  )
}

function stateCell({ upstream, endpoint }: Row) {
  if (endpoint === null) {
    return upstream.names === 'unknown' ? (
      <Mark tone="bad" sign="✕">
        name unknown
      </Mark>
    ) : (
      <Mark tone="busy" sign="◌">
        resolving
      </Mark>
    )
  }
  if (endpoint.state !== 'enabled')
    return (
      <Mark tone="busy" sign="▼">
        {endpoint.state}
      </Mark>
    )
  if (endpoint.health === 'down')
    return (
      <Mark tone="bad" sign="✕">
        unhealthy
      </Mark>
    )
  if (endpoint.breaker === 'open')
    return (
      <Mark tone="bad" sign="✕">
        breaker open
      </Mark>
    )
  if (endpoint.breaker === 'probing')
    return (
      <Mark tone="busy" sign="◌">
        breaker probing
      </Mark>
    )
  return (
    <Mark tone="good" sign="✓">
      in service
    </Mark>
  )
}

async function fulfil({ upstream, target, state }: Wish): Promise<string> {
  const path = `/upstreams/${encodeURIComponent(upstream)}/endpoints/${encodeURIComponent(target)}`
  const answer = await ask('POST', path, { state })
  if (answer.kind === 'done') return `${target} is ${state}.`
  return answer.kind === 'unreachable'
    ? 'The gateway could not be reached.'
    : `Not done: ${answer.problem.detail ?? answer.problem.title}`
}
