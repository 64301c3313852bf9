import type { UpstreamConfig } from '../config/config.ts'

/** An upstream as control tells data threads of it: what was written, and what has been found out since. */
export interface LiveUpstream {
  readonly config: UpstreamConfig
  /** Its place in shared memory, the same for as long as an upstream of this name is configured. */
  readonly slot: number
  /** Null while no name of it has been resolved; `unknown`: the resolver says there are no such names. */
  readonly endpoints: readonly LiveEndpoint[] | 'unknown' | null
}

/** One address behind an upstream. It is the same endpoint, with the same state, for as long as all of this is the same. */
export interface LiveEndpoint {
  /** Its place in shared memory. */
  readonly slot: number
  readonly address: string
  readonly family: 4 | 6
  readonly port: number
  readonly tls: boolean
  /** As the URL names it: what a certificate must be for. */
  readonly host: string
  /** For Host: the port only where it is not the scheme's own. */
  readonly authority: string
  /** `host:port` as logs name it. */
  readonly target: string
}
