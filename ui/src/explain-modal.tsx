import { useEffect, useState } from 'preact/hooks'
import { Modal } from './confirm.tsx'
import { clock, duration } from './figures.ts'
import { type Answer, ask } from './listener.ts'
import type { Explanation, Failure } from './wire.ts'

export interface ExplainModalProps {
  readonly failure: Failure
  readonly onClose: () => void
}

/** What a failed request was, and what would become of it now. */
export function ExplainModal({ failure, onClose }: ExplainModalProps) {
  const [answer, setAnswer] = useState<Answer<Explanation> | null>(null)
  const [token, setToken] = useState('')
  const explain = async (credential: string): Promise<void> => {
    const { method, host, path, clientIp } = failure
    const url = host === '' ? path : `http://${host}${path}`
    const asked = { method, url, from: clientIp, token: credential === '' ? null : credential }
    setAnswer(null)
    setAnswer(await ask<Explanation>('POST', '/explain', asked))
  }
  useEffect(() => void explain(''), [failure])
  return (
    <Modal title="Failed request" onClose={onClose}>
      <Facts failure={failure} />
      <h3>What would become of it now</h3>
      <p class="quiet">Its credential, query and fields are not kept: it is asked again without them.</p>
      <form
        class="tools"
        onSubmit={(event) => {
          event.preventDefault()
          void explain(token)
        }}
      >
        <label>
          With a token{' '}
          <input
            type="password"
            autocomplete="off"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value.trim())}
          />
        </label>
        <button type="submit" disabled={token === ''}>
          Ask again
        </button>
      </form>
      <div aria-live="polite" class="explained">
        {answer === null ? <p>Asking …</p> : <Explained answer={answer} />}
      </div>
      <div class="buttons">
        <button type="button" class="main" onClick={onClose}>
          Close
        </button>
      </div>
    </Modal>
  )
}

function Facts({ failure }: { readonly failure: Failure }) {
  const { method, host, path, requestId, traceId, status, code, atMs, durationMs, target, clientIp } = failure
  return (
    <dl class="facts">
      <Fact name="Request" value={`${method} ${path}`} />
      {host !== '' && <Fact name="Host" value={host} />}
      <Fact name="Ended" value={`${clock(atMs)}, after ${duration(durationMs)}`} />
      <Fact name="With" value={`${status} ${code ?? 'by the upstream'}`} />
      {target !== null && <Fact name="Endpoint" value={target} />}
      <Fact name="Client" value={clientIp} />
      <Fact name="Request id" value={requestId} use="copy" />
      {traceId !== null && <Fact name="Trace id" value={traceId} use="copy" />}
    </dl>
  )
}

interface FactProps {
  readonly name: string
  readonly value: string
  readonly use?: 'read' | 'copy'
}

function Fact({ name, value, use = 'read' }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <code>{value}</code>
        {use === 'copy' && <Copy name={name} value={value} />}
      </dd>
    </div>
  )
}

/** Browsers have a clipboard on loopback and by https only. */
function Copy({ name, value }: { readonly name: string; readonly value: string }) {
  const [isCopied, setCopied] = useState(false)
  if (navigator.clipboard === undefined) return null
  return (
    <button
      type="button"
      class="link"
      aria-label={`Copy the ${name.toLowerCase()}`}
      onClick={() => void navigator.clipboard.writeText(value).then(() => setCopied(true))}
    >
      <span role="status">{isCopied ? 'Copied' : 'Copy'}</span>
    </button>
  )
}

function Explained({ answer }: { readonly answer: Answer<Explanation> }) {
  if (answer.kind === 'unreachable') return <p>The gateway could not be reached.</p>
  if (answer.kind === 'refused') return <p>Not explained: {answer.problem.detail ?? answer.problem.title}</p>
  const { route, policies, ending, upstream } = answer.value
  return (
    <>
      <p>
        <strong>{endingText(ending)}</strong>
      </p>
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
      {policies.length > 0 && (
        <>
          <h3>Policies</h3>
          <ol>
            {policies.map(({ policy, verdict, reason }) => (
              <li key={policy}>
                <strong>{policy}</strong> {verdict}
                {reason === '' ? '' : `: ${reason}`}
              </li>
            ))}
          </ol>
        </>
      )}
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
