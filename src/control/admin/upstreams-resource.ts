import type { AdmissionState } from '../../admission/scheduler.ts'
import type { LiveUpstream } from '../../upstreams/live-upstream.ts'
import type { EndpointDescription } from '../../upstreams/upstream-memory.ts'
import { type AdminResource, adminJson, READING } from './admin-answer.ts'

export interface UpstreamsView {
  readonly live: () => readonly LiveUpstream[]
  readonly openConnections: (upstreamSlot: number) => number
  /** Null: the upstream takes whatever comes. */
  readonly admission: (upstreamSlot: number) => AdmissionState | null
  readonly describeEndpoint: (endpointSlot: number) => EndpointDescription
}

/** `GET /upstreams`: where traffic can go now, over all data threads. */
export function upstreamsResource(view: UpstreamsView): AdminResource {
  return {
    methods: READING,
    answer: () =>
      adminJson(200, { upstreams: view.live().map((upstream) => describeUpstream(upstream, view)) }),
  }
}

function stateOf({ duty, ...found }: EndpointDescription): object {
  return { ...found, state: duty }
}

/** As operators are shown it. */
export function describeUpstream({ config, slot, endpoints }: LiveUpstream, view: UpstreamsView): object {
  return {
    name: config.name,
    openConnections: view.openConnections(slot),
    admission: view.admission(slot),
    names: nameState(endpoints),
    endpoints: (Array.isArray(endpoints) ? endpoints : []).map(({ target, address, slot: place }) => ({
      target,
      address,
      ...stateOf(view.describeEndpoint(place)),
    })),
  }
}

function nameState(endpoints: LiveUpstream['endpoints']): 'resolved' | 'resolving' | 'unknown' {
  if (endpoints === null) return 'resolving'
  return endpoints === 'unknown' ? 'unknown' : 'resolved'
}
