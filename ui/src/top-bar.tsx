import { useEffect, useState } from 'preact/hooks'
import { Confirm } from './confirm.tsx'
import { clock } from './figures.ts'
import { ask } from './listener.ts'
import { Notice } from './notice.tsx'
import type { Change, State } from './wire.ts'

/** How the page stands to the gateway. */
export type Link = 'opening' | 'live' | 'lost'

interface Pill {
  readonly tone: 'good' | 'busy' | 'bad'
  readonly sign: string
  readonly short: string
  /** Said besides; where all is well a phone does not show it. */
  readonly more: string
}

export interface TopBarProps {
  readonly state: State | null
  readonly link: Link
  /** Of the figures shown, since the epoch; null: none are. */
  readonly lastSecond: number | null
}

export function TopBar({ state, link, lastSecond }: TopBarProps) {
  const [question, setQuestion] = useState<'reload' | 'drain' | null>(null)
  const [notice, setNotice] = useState<string | null>(null)
  const pill = pillOf(state, link)
  const isAble = link === 'live' && state?.status === 'ready'
  const name = state?.name ?? 'Nyro Gateway'
  const close = (): void => setQuestion(null)
  useEffect(() => {
    document.title = `${pill.sign} ${pill.short} · ${name}`
  }, [pill.sign, pill.short, name])
  return (
    <header class="top">
      <a class="skip" href="#main">
        To the figures
      </a>
      <h1>{name}</h1>
      <p class={`pill ${pill.tone}`} role="status" aria-live="polite" data-link={link}>
        <span aria-hidden="true">{pill.sign}</span> {pill.short}
        <span class={pill.tone === 'good' ? 'more' : ''}>{pill.more}</span>
      </p>
      {link === 'lost' && lastSecond !== null && <p class="quiet">Figures of {clock(lastSecond * 1_000)}.</p>}
      <div class="buttons">
        <button type="button" disabled={!isAble} onClick={() => setQuestion('reload')}>
          Reload <span class="more">config</span>
        </button>
        <button type="button" class="danger" disabled={!isAble} onClick={() => setQuestion('drain')}>
          Drain
        </button>
      </div>
      <Notice text={notice} onDismiss={() => setNotice(null)} />
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
  if (link === 'opening') return { tone: 'busy', sign: '◌', short: 'Connecting', more: '' }
  if (link === 'lost') {
    const more = state?.status === 'draining' ? ', it has drained and is gone' : ''
    return { tone: 'bad', sign: '✕', short: 'Reconnecting', more }
  }
  if (state?.status === 'draining') {
    return { tone: 'bad', sign: '▼', short: 'Draining', more: ': it finishes and ends' }
  }
  if (state?.status === 'starting') return { tone: 'busy', sign: '◌', short: 'Starting', more: '' }
  const threads = state?.threads ?? 0
  const more = `, ${threads} data thread${threads === 1 ? '' : 's'}`
  return { tone: 'good', sign: '✓', short: 'Ready', more }
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

/** Null: that it drains, the gateway tells all who look on. */
async function drain(): Promise<string | null> {
  const answer = await ask('POST', '/drain')
  return answer.kind === 'done' ? null : 'It could not be told to drain.'
}
