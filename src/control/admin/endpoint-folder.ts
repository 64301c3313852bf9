import type { LiveEndpoint, LiveUpstream } from '../../upstreams/live-upstream.ts'
import type { Log } from '../log-writer.ts'
import { type AdminFolder, adminJson, adminProblem } from './admin-answer.ts'
import { chosenMember } from './json-body.ts'

type Duty = 'enabled' | 'draining' | 'disabled'

const DUTIES: readonly Duty[] = ['enabled', 'draining', 'disabled']

/** Below `/upstreams/`. */
const ENDPOINT = /^([^/]+)\/endpoints\/([^/]+)$/

export interface EndpointFolderView {
  readonly live: () => readonly LiveUpstream[]
  readonly setDuty: (endpointSlot: number, duty: Duty) => void
  readonly log: Log
}

/**
 * `POST /upstreams/{name}/endpoints/{target}`: takes every address of a target out of service, or back. It outlasts
 * reloads for as long as the endpoint is the same, and no restart.
 */
export function endpointFolder({ live, setDuty, log }: EndpointFolderView): AdminFolder {
  return (rest) => {
    const [, upstream, target] = (ENDPOINT.exec(rest) ?? []).map(decoded)
    if (upstream === undefined || target === undefined) return null
    const endpoints = endpointsOf(live(), upstream, target)
    if (endpoints === null) return null
    return {
      methods: ['POST'],
      answer(body) {
        const state = chosenMember(body, 'state', DUTIES)
        if (typeof state !== 'string') return state
        if (endpoints.length === 0) return adminProblem(409, {}, { detail: 'It has no address yet.' })
        for (const { slot } of endpoints) setDuty(slot, state)
        log.log('warning', 'Endpoint set by an operator', { upstream, target, state })
        return adminJson(200, { upstream, target, state, addresses: endpoints.map(({ address }) => address) })
      },
    }
  }
}

/** Null: there is no such upstream, or it has no such target. */
function endpointsOf(
  live: readonly LiveUpstream[],
  name: string,
  target: string,
): readonly LiveEndpoint[] | null {
  const upstream = live.find(({ config }) => config.name === name)
  if (upstream === undefined) return null
  if (!Array.isArray(upstream.endpoints)) return []
  const found = (upstream.endpoints as readonly LiveEndpoint[]).filter(
    (endpoint) => endpoint.target === target,
  )
  return found.length === 0 ? null : found
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
