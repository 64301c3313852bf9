import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ConfigPart } from './config-part.tsx'
import { FailuresPart } from './failures-part.tsx'
import { count, merged, withFailures } from './figures.ts'
import { follow, forgetToken, keepToken } from './listener.ts'
import { Login } from './login.tsx'
import { type RouteSample, withSample } from './route-rates.ts'
import { RoutesPart } from './routes-part.tsx'
import { TenantsPart } from './tenants-part.tsx'
import { type Link, TopBar } from './top-bar.tsx'
import { TrafficPart } from './traffic-part.tsx'
import { UpstreamsPart } from './upstreams-part.tsx'
import type { Told } from './wire.ts'

type Access = 'open' | 'asked' | 'refused'

/** The whole page: one stream of events, and the parts that show what came of it. */
export function Dashboard() {
  const [told, setTold] = useState<Told | null>(null)
  const [samples, setSamples] = useState<readonly RouteSample[]>([])
  const [link, setLink] = useState<Link>('opening')
  const [access, setAccess] = useState<Access>('open')
  const [turn, setTurn] = useState(0)
  const tried = useRef(false)

  useEffect(() => {
    if (access !== 'open') return
    return follow({
      told(kind, news) {
        setLink('live')
        const sample = { atMs: performance.now(), totals: news.state.routes }
        setSamples((known) => withSample(kind === 'begin' ? [] : known, sample))
        setTold((known) => (kind === 'begin' || known === null ? begun(news) : continued(known, news)))
      },
      lost: () => setLink((now) => (now === 'opening' ? 'opening' : 'lost')),
      locked() {
        forgetToken()
        setAccess(tried.current ? 'refused' : 'asked')
      },
    })
  }, [access, turn])

  const login = useCallback((token: string) => {
    keepToken(token)
    tried.current = true
    setAccess('open')
    setTurn((before) => before + 1)
  }, [])

  if (access !== 'open') return <Login isRefused={access === 'refused'} onToken={login} />
  if (told === null) return <Waiting link={link} />
  const { state, figures, failures } = told
  const isLive = link === 'live'
  return (
    <>
      <TopBar state={state} link={link} lastSecond={figures.second.at(-1) ?? null} />
      <main id="main" class={isLive ? '' : 'stale'}>
        <TrafficPart figures={figures} />
        <UpstreamsPart upstreams={state.upstreams} more={state.moreUpstreams} isLive={isLive} />
        <TenantsPart tenants={state.tenants} />
        <FailuresPart failures={failures} />
        <RoutesPart version={state.configVersion} isLive={isLive} samples={samples} />
        <ConfigPart version={state.configVersion} isLive={isLive} />
      </main>
      <footer>
        Nyro Gateway {state.version} · log level {state.logLevel}
        {state.droppedLines > 0 ? ` · ${count(state.droppedLines)} log lines dropped` : ''} ·{' '}
        <a href="/openapi.json">API</a>
      </footer>
    </>
  )
}

/** Nothing is known yet. */
function Waiting({ link }: { readonly link: Link }) {
  return (
    <>
      <TopBar state={null} link={link} lastSecond={null} />
      <main id="main">
        <p class="quiet">Waiting for the first figures.</p>
      </main>
    </>
  )
}

function begun(news: Told): Told {
  return { ...news, failures: withFailures([], news.failures) }
}

function continued(known: Told, news: Told): Told {
  return {
    figures: merged(known.figures, news.figures),
    failures: withFailures(known.failures, news.failures),
    state: news.state,
  }
}
