import { useState } from 'preact/hooks'
import { Confirm } from './confirm.tsx'
import { EndpointMark, isInService, UpstreamMark } from './endpoint-state.tsx'
import { count } from './figures.ts'
import { ask } from './listener.ts'
import { Notice } from './notice.tsx'
import { Table } from './table.tsx'
import type { Endpoint, EndpointDuty, Upstream } from './wire.ts'

interface Row {
  readonly upstream: Upstream
  readonly endpoint: Endpoint
}

interface Wish extends Row {
  readonly state: EndpointDuty
}

export interface UpstreamsPartProps {
  readonly upstreams: readonly Upstream[]
  /** That are not shown. */
  readonly more: number
  readonly isLive: boolean
}

const DUTIES = ['enabled', 'draining', 'disabled'] as const satisfies readonly EndpointDuty[]

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
export function UpstreamsPart({ upstreams, more, isLive }: UpstreamsPartProps) {
  const [wish, setWish] = useState<Wish | null>(null)
  const [notice, setNotice] = useState<string | null>(null)
  return (
    <section aria-labelledby="upstreams-title">
      <h2 id="upstreams-title">Upstreams</h2>
      <Table<Row>
        caption="Endpoints by upstream"
        groups={upstreams.map((upstream) => ({
          key: upstream.name,
          head: <UpstreamHead upstream={upstream} />,
          rows: upstream.endpoints.map((endpoint) => ({ upstream, endpoint })),
        }))}
        keyOf={({ endpoint }) => `${endpoint.target} ${endpoint.address}`}
        empty="No upstream is configured."
        columns={[
          { title: 'Endpoint', cell: ({ endpoint }) => <code class="wrap">{endpoint.target}</code> },
          { title: 'State', cell: ({ endpoint }) => <EndpointMark endpoint={endpoint} /> },
          { title: 'In flight', kind: 'number', cell: ({ endpoint }) => count(endpoint.inFlight) },
          {
            title: 'Set',
            width: 'whole',
            cell: ({ upstream, endpoint }) => (
              <EndpointButtons
                endpoint={endpoint}
                isLive={isLive}
                onWish={(state) => setWish({ upstream, endpoint, state })}
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
      <Notice text={notice} onDismiss={() => setNotice(null)} />
      {wish !== null && (
        <Confirm
          title={`${VERBS[wish.state]} ${wish.endpoint.target} of ${wish.upstream.name}?`}
          text={wordsOf(wish)}
          verb={VERBS[wish.state]}
          tone={wish.state === 'enabled' ? 'plain' : 'danger'}
          onClose={() => setWish(null)}
          onYes={async () => setNotice(await fulfil(wish))}
        />
      )}
    </section>
  )
}

function UpstreamHead({ upstream }: { readonly upstream: Upstream }) {
  const { name, openConnections, admission } = upstream
  return (
    <div class="heads">
      <span>{name}</span>
      <UpstreamMark upstream={upstream} />
      <span class="quiet">{counted(openConnections, 'connection')}</span>
      {admission !== null && (
        <span class="quiet">
          {count(admission.inUse)} of {count(admission.limit)} places taken, {count(admission.waiting)}{' '}
          waiting
        </span>
      )}
    </div>
  )
}

interface EndpointButtonsProps {
  readonly endpoint: Endpoint
  readonly isLive: boolean
  readonly onWish: (state: EndpointDuty) => void
}

function EndpointButtons({ endpoint, isLive, onWish }: EndpointButtonsProps) {
  return (
    <span class="buttons small">
      {DUTIES.filter((state) => state !== endpoint.state).map((state) => (
        <button
          key={state}
          type="button"
          disabled={!isLive}
          onClick={() => onWish(state)}
          aria-label={`${VERBS[state]} ${endpoint.target}`}
        >
          {VERBS[state]}
        </button>
      ))}
    </span>
  )
}

function counted(number: number, word: string): string {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`
}

function wordsOf({ upstream, endpoint, state }: Wish): string {
  const isLast = !upstream.endpoints.some((one) => one.target !== endpoint.target && isInService(one))
  const warning = `No other endpoint of ${upstream.name} is in service: its requests will fail.`
  return `${EFFECTS[state]} It outlasts reloads, and no restart. ${state !== 'enabled' && isLast ? warning : ''}`
}

async function fulfil({ upstream, endpoint: { target }, state }: Wish): Promise<string> {
  const path = `/upstreams/${encodeURIComponent(upstream.name)}/endpoints/${encodeURIComponent(target)}`
  const answer = await ask('POST', path, { state })
  if (answer.kind === 'done') return `${target} is ${state}.`
  return answer.kind === 'unreachable'
    ? 'The gateway could not be reached.'
    : `Not done: ${answer.problem.detail ?? answer.problem.title}`
}
