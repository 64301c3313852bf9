import { Mark, type MarkProps } from './table.tsx'
import type { Endpoint, Upstream } from './wire.ts'

interface Said {
  readonly tone: MarkProps['tone']
  readonly sign: string
  readonly words: string
}

const IN_SERVICE: Said = { tone: 'good', sign: '✓', words: 'in service' }

/** The first thing that keeps traffic from it. */
function saidOf({ state, health, breaker }: Endpoint): Said {
  if (state !== 'enabled') return { tone: 'busy', sign: '▼', words: state }
  if (health === 'down') return { tone: 'bad', sign: '✕', words: 'unhealthy' }
  if (breaker === 'open') return { tone: 'bad', sign: '✕', words: 'breaker open' }
  if (breaker === 'probing') return { tone: 'busy', sign: '◌', words: 'breaker probing' }
  return IN_SERVICE
}

export function isInService(endpoint: Endpoint): boolean {
  return saidOf(endpoint) === IN_SERVICE
}

export function EndpointMark({ endpoint }: { readonly endpoint: Endpoint }) {
  const { tone, sign, words } = saidOf(endpoint)
  return (
    <Mark tone={tone} sign={sign}>
      {words}
    </Mark>
  )
}

/** How many of an upstream's endpoints take traffic, or why it has none. */
export function UpstreamMark({ upstream: { names, endpoints } }: { readonly upstream: Upstream }) {
  if (endpoints.length === 0) {
    return names === 'unknown' ? (
      <Mark tone="bad" sign="✕">
        name unknown
      </Mark>
    ) : (
      <Mark tone="busy" sign="◌">
        resolving
      </Mark>
    )
  }
  const able = endpoints.filter(isInService).length
  const some = able === 0 ? 'bad' : 'busy'
  return (
    <Mark tone={able === endpoints.length ? 'good' : some} sign={able === endpoints.length ? '✓' : '▲'}>
      {able} of {endpoints.length} in service
    </Mark>
  )
}
