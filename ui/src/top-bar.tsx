import { useRef, useState } from 'preact/hooks'
import { Confirm } from './confirm.tsx'
import { ask } from './listener.ts'
import type { Change, State } from './wire.ts'

/** How the page stands to the gateway. */
export type Link = 'opening' | 'live' | 'lost'

interface Pill {
  readonly tone: 'good' | 'busy' | 'bad'
  readonly sign: string
  readonly words: string
}

export function TopBar({ state, link }: { readonly state: State | null; readonly link: Link }) {
  const [question, setQuestion] = useState<'reload' | 'drain' | null>(null)
  const [notice, setNotice] = useState<string | null>(null)
  const pill = pillOf(state, link)
  const last = useRef<string | null>(null)
  const isAble = link === 'live' && state?.status === 'ready'
  if (state !== null) last.current = state.name
  const close = (): void => setQuestion(null)
  return (
    <header class="top">
      <a class="skip" href="#main">
        To the figures
      </a>
      <h1>{last.current ?? 'Nyro Gateway'}</h1>
      <p class={`pill ${pill.tone}`} role="status" aria-live="polite" data-link={link}>
        <span aria-hidden="true">{pill.sign}</span> {pill.words}
      </p>
      <div class="buttons">
        <button type="button" disabled={!isAble} onClick={() => setQuestion('reload')}>
          Reload config
        </button>
        <button type="button" class="danger" disabled={!isAble} onClick={() => setQuestion('drain')}>
          Drain
        </button>
      </div>
      <p class="notice" role="status" aria-live="polite" hidden={notice === null}>
        {notice}
      </p>
      {question === 'reload' && (
        <Confirm
          title="Reload the config?"
          text="It is loaded again and judged whole. If it is bad, the one that is running serves on. No request is lost."
          verb="Reload"
          tone="plain"
          onClose={close}
          onYes={async () => setNotice(await reload())}
        />
      )}
      {question === 'drain' && (
        <Confirm
          title="Drain this gateway?"
          text="It becomes unready, finishes what is under way, and ends. It does not come back by itself unless something restarts it."
          verb="Drain"
          tone="danger"
          onClose={close}
          onYes={async () => setNotice(await drain())}
        />
      )}
    </header>
  )
}

function pillOf(state: State | null, link: Link): Pill {
  if (link === 'opening') return { tone: 'busy', sign: '◌', words: 'Connecting' }
  if (link === 'lost') {
    const words = state?.status === 'draining' ? 'It drained and is gone. Reconnecting' : 'Reconnecting'
    return { tone: 'bad', sign: '✕', words }
  }
  if (state?.status === 'draining') return { tone: 'bad', sign: '▼', words: 'Draining: it finishes and ends' }
  if (state?.status === 'starting') return { tone: 'busy', sign: '◌', words: 'Starting' }
  const threads = state?.threads ?? 0
  return { tone: 'good', sign: '✓', words: `Ready, ${threads} data thread${threads === 1 ? '' : 's'}` }
}

async function reload(): Promise<string> {
  const answer = await ask<{ changed: boolean; changes: readonly Change[] }>('POST', '/config/reload')
  if (answer.kind === 'unreachable') return 'The gateway could not be reached.'
  if (answer.kind === 'refused') {
    if (answer.status === 404) return 'This gateway was started without a config that can be loaded again.'
    const [first, ...rest] = answer.problem.problems ?? []
    const more = rest.length === 0 ? '' : ` And ${rest.length} more, below.`
    return `Not reloaded: ${first ?? answer.problem.detail ?? answer.problem.title}.${more}`
  }
  const { changed, changes } = answer.value
  if (!changed) return 'Reloaded: nothing has changed.'
  return `Reloaded: ${changes.length} change${changes.length === 1 ? '' : 's'}, listed below.`
}

async function drain(): Promise<string> {
  const answer = await ask('POST', '/drain')
  return answer.kind === 'done' ? 'It drains.' : 'It could not be told to drain.'
}
