import type { Wire } from '../http1/wire.ts'
import type { UpstreamMemory } from './upstream-memory.ts'

/** What an upstream needs of its thread. */
export interface UpstreamParts {
  readonly memory: UpstreamMemory
  readonly wire: Wire
  /** Data threads, each of which keeps its part of the idle connections. */
  readonly threads: number
  /** 0 up to 1. */
  readonly random: () => number
  /** Told when an endpoint sent bytes that belong to no response, at most once a distrust. */
  readonly onSurplus: (upstream: string, target: string) => void
}
