import type { Config } from '../config/config.ts'

/** A resolved address of an upstream's host name. */
export interface Address {
  readonly address: string
  readonly family: 4 | 6
}

/** What a data thread is born with (workerData). */
export interface ThreadBirth {
  readonly config: Config
  /** This thread's row in shared memory: 0 … workers - 1. A replacement gets the row of the one it replaces. */
  readonly row: number
  /** Version of the running product. */
  readonly version: string
  /** The port control found free; never 0. */
  readonly port: number
  readonly memory: SharedMemory
  /** Known addresses by host name, as control has them now. A name that is absent is still being resolved. */
  readonly addresses: Readonly<Record<string, readonly Address[] | 'unknown'>>
  /** True when the process is draining already. */
  readonly draining: boolean
}

/** Shared by control and every data thread. */
export interface SharedMemory {
  /** What all threads know of upstreams: see upstreams/upstream-memory.ts. */
  readonly connections: SharedArrayBuffer
  /** Log lines on their way to control, one ring a thread: see observe/log-ring.ts. */
  readonly logRings: readonly SharedArrayBuffer[]
}

export type ControlMessage =
  /** A host name's addresses, again whenever they change; `unknown`: the resolver says there is no such name. */
  | { readonly kind: 'addresses'; readonly host: string; readonly addresses: readonly Address[] | 'unknown' }
  /** Be unready; put `Connection: close` on every response. */
  | { readonly kind: 'drain' }
  /** Close the listener; a second later the idle client connections. Answered with `drained` once no exchange and no tunnel is left. */
  | { readonly kind: 'close' }
  /** Destroy whatever is left and end. */
  | { readonly kind: 'end' }

export type ThreadMessage =
  | { readonly kind: 'listening' }
  /** It could not start; `reason` is one line for the operator. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The log ring is more than half full. */
  | { readonly kind: 'lines' }
  | { readonly kind: 'drained' }
