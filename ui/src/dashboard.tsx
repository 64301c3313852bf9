import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { ConfigPart } from './config-part.tsx'
import { FailuresPart } from './failures-part.tsx'
import { merged, withFailures } from './figures.ts'
import { follow, forgetToken, keepToken } from './listener.ts'
import { Login } from './login.tsx'
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
  const [link, setLink] = useState<Link>('opening')
  const [access, setAccess] = useState<Access>('open')
  const [turn, setTurn] = useState(0)
  const tried = useRef(false)

  useEffect(() => {
    if (access !== 'open') return
    return follow({
      told(kind, news) {
        setLink('live')
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
  const state = told?.state ?? null
  const version = state?.configVersion ?? null
  return (
    <>
      <TopBar state={state} link={link} />
      <main id="main" class={link === 'lost' ? 'stale' : ''}>
        <TrafficPart figures={told?.figures ?? null} />
        <UpstreamsPart upstreams={state?.upstreams ?? []} more={state?.moreUpstreams ?? 0} />
        <TenantsPart tenants={state?.tenants ?? []} />
        <FailuresPart failures={told?.failures ?? []} />
        <RoutesPart version={version} isLive={link === 'live'} />
        <ConfigPart version={version} isLive={link === 'live'} />
      </main>
      <footer>
        Nyro Gateway {state?.version} · log level {state?.logLevel}
        {state !== null && state.droppedLines > 0 ? ` · ${state.droppedLines} log lines dropped` : ''} ·{' '}
        <a href="/openapi.json">API</a>
      </footer>
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
