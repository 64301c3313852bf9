import { useEffect, useState } from 'preact/hooks'
import { Modal } from './confirm.tsx'
import { clock, duration } from './figures.ts'
import { type Answer, ask } from './listener.ts'
import { Table } from './table.tsx'
import type { Explanation, Failure } from './wire.ts'

const FIRST_SHOWN = 15

/** The last failures, newest first; each opens what would become of that request now. */
export function FailuresPart({ failures }: { readonly failures: readonly Failure[] }) {
  const [opened, setOpened] = useState<Failure | null>(null)
  const [shown, setShown] = useState(FIRST_SHOWN)
  return (
    <section aria-labelledby="failures-title" class="wide">
      <h2 id="failures-title">
        Failures <small>last two hundred, at most 32 a second of each thread</small>
      </h2>
      <Table
        caption="Recent failures, newest first"
        rows={failures.slice(0, shown)}
        keyOf={({ number }) => String(number)}
        empty="Nothing has failed."
        columns={[
          {
            title: 'Request id',
            cell: (failure) => (
              <button
                type="button"
                class="link"
                onClick={() => setOpened(failure)}
                title="Explain this request"
              >
                <code>{failure.requestId}</code>
              </button>
            ),
          },
          { title: 'Time', cell: ({ atMs }) => clock(atMs) },
          { title: 'Status', kind: 'number', cell: ({ status }) => status },
          { title: 'Code', cell: ({ code }) => code ?? 'by the upstream' },
          {
            title: 'Request',
            cell: ({ method, path }) => (
              <code class="cut" title={path}>
                {method} {path}
              </code>
            ),
          },
          { title: 'Route', cell: ({ route }) => route ?? '–' },
          { title: 'Tenant', cell: ({ tenant }) => tenant ?? '–' },
          { title: 'Took', kind: 'number', cell: ({ durationMs }) => duration(durationMs) },
        ]}
      />
      {failures.length > shown && (
        <button type="button" onClick={() => setShown(failures.length)}>
          Show all {failures.length}
        </button>
      )}
      {opened !== null && <ExplainModal failure={opened} onClose={() => setOpened(null)} />}
    </section>
  )
}

function ExplainModal({ failure, onClose }: { readonly failure: Failure; readonly onClose: () => void }) {
  const [answer, setAnswer] = useState<Answer<Explanation> | null>(null)
  useEffect(() => {
    const { method, host, path, clientIp } = failure
    const url = host === '' ? path : `http://${host}${path}`
    void ask<Explanation>('POST', '/explain', { method, url, from: clientIp }).then(setAnswer)
  }, [failure])
  return (
    <Modal title="What would become of it now" onClose={onClose}>
      <dl class="facts">
        <Fact name="Request" value={`${failure.method} ${failure.path}`} />
        <Fact name="Request id" value={failure.requestId} />
        <Fact
          name="Then"
          value={`${failure.status} ${failure.code ?? 'by the upstream'}, ${duration(failure.durationMs)}`}
        />
        {failure.target !== null && <Fact name="Endpoint" value={failure.target} />}
        <Fact name="Client" value={failure.clientIp} />
      </dl>
      <p class="quiet">Asked again without its credential, query and fields, none of which are kept.</p>
      <div aria-live="polite">{answer === null ? <p>Asking.</p> : <Explained answer={answer} />}</div>
      <div class="buttons">
        <button type="button" class="main" onClick={onClose}>
          Close
        </button>
      </div>
    </Modal>
  )
}

function Explained({ answer }: { readonly answer: Answer<Explanation> }) {
  if (answer.kind === 'unreachable') return <p>The gateway could not be reached.</p>
  if (answer.kind === 'refused') return <p>Not explained: {answer.problem.detail ?? answer.problem.title}</p>
  const { route, policies, ending, upstream } = answer.value
  return (
    <>
      <h3>Route</h3>
      <p>{route.chosen ?? 'none'}</p>
      {route.chosen === null && route.others.length > 0 && (
        <ul>
          {route.others.map(({ name, because }) => (
            <li key={name}>
              not {name}: {because.join('; ')}
            </li>
          ))}
        </ul>
      )}
      <h3>Policies</h3>
      <ol>
        {policies.map(({ policy, verdict, reason }) => (
          <li key={policy}>
            <strong>{policy}</strong> {verdict}
            {reason === '' ? '' : `: ${reason}`}
          </li>
        ))}
      </ol>
      <h3>Ending</h3>
      <p>{endingText(ending)}</p>
      {upstream !== null && (
        <>
          <h3>Upstream {upstream.name}</h3>
          <ul>
            {upstream.endpoints.map(({ target, address, state }) => (
              <li key={`${target} ${address}`}>
                <code>{target}</code>: {state}
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}

function endingText(ending: Explanation['ending']): string {
  if (ending.kind === 'forwarded') return 'forwarded'
  if (ending.kind === 'answered') return `answered here with ${ending.status}`
  return `refused with ${ending.status} ${ending.code}: ${ending.detail}`
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code>{value}</code>
      </dd>
    </div>
  )
}
