import type { GateMessage, SchedulerMessage } from '../admission/admission-message.ts'
import type { SigningKey } from '../assertion/signing-key.ts'
import type { Config, LogLevel, RouteConfig } from '../config/config.ts'
import type { UnknownKidMessage } from '../jwt/key-message.ts'
import type { PlaceMemory } from '../limits/place-count.ts'
import type { ThreadSecond } from '../observe/second-tally.ts'
import type { RevocationsAppliedMessage, RevocationsMessage } from '../revocation/revocation-ledger.ts'
import type { LiveUpstream } from '../upstreams/live-upstream.ts'
import type { IdentityBirth, IdentityMessage } from './thread-identity.ts'

/** What a data thread is born with (workerData). */
export interface ThreadBirth {
  readonly config: Config
  /** The config's upstreams as control knows them now. */
  readonly upstreams: readonly LiveUpstream[]
  /** This thread's row in shared memory: 0 … workers - 1. A replacement gets the row of the one it replaces. */
  readonly row: number
  /** Version of the running product. */
  readonly version: string
  readonly memory: SharedMemory
  /** What assertions are signed with where the config names no key. */
  readonly signingKey: SigningKey
  readonly identity: IdentityBirth
  /** True when the process is draining already. */
  readonly draining: boolean
}

/** What data planes share of the process: made once by control, outlasting reloads and threads. */
export interface PlaneMemory {
  /** Counts and states of upstreams and endpoints, by slot: see upstreams/upstream-memory.ts. */
  readonly upstreams: SharedArrayBuffer
  /** Exchanges let into upstreams, by slot: see admission/place-count.ts. */
  readonly upstreamPlaces: SharedArrayBuffer
  /** What limits remember, by key: see limits/bucket-table.ts. */
  readonly buckets: SharedArrayBuffer
  /** Exchanges of tenants under way: see limits/place-count.ts. */
  readonly tenantPlaces: PlaceMemory
  /** The same of streams, of upstreams and of tenants in them. */
  readonly streamPlaces: PlaceMemory
}

/** Shared by control and every data thread. */
export interface SharedMemory extends PlaneMemory {
  /** Log lines on their way to control, one ring a thread: see observe/log-ring.ts. */
  readonly logRings: readonly SharedArrayBuffer[]
  /** What threads count: see metrics/metrics-memory.ts. */
  readonly metrics: SharedArrayBuffer
  /** Records of exchanges whose traces are kept, the same way. Pages of a ring that is never used cost nothing. */
  readonly spanRings: readonly SharedArrayBuffer[]
}

/**
 * A new config comes in two phases, so that it is in force in all threads or in none: prepared beside the running one,
 * piece by piece as the thread asks, and put in force once every thread said that it could. A version that is no longer
 * the thread's latest is ignored on both sides.
 */
export type RolloutMessage =
  /** Begin; answered with `next`. */
  | {
      readonly kind: 'prepare'
      readonly version: number
      /** Without its routes. */
      readonly config: Config
      readonly upstreams: readonly LiveUpstream[]
      /** Of the routes that name policies of the operator's; one stands for all that name the same. */
      readonly using: readonly Pick<RouteConfig, 'name' | 'policies'>[]
      /** Names of the claims that some route asks about. */
      readonly claims: readonly string[]
    }
  /**
   * Few enough to be compiled within 2 ms; answered with `next`, and the last ones with `prepared`. `text`: RouteConfig[]
   * as JSON: one string, where a clone would be thousands of objects that outlive every young collection.
   */
  | {
      readonly kind: 'routes'
      readonly version: number
      readonly text: string
      readonly isLast: boolean
    }
  /** Put in force what is prepared, with its upstreams as they are known now. */
  | { readonly kind: 'commit'; readonly version: number; readonly upstreams: readonly LiveUpstream[] }
  /** Forget what is prepared. */
  | { readonly kind: 'drop'; readonly version: number }

/** Listen there; answered with `listening`, `taken` or `refused`. */
export interface ListenMessage {
  readonly kind: 'listen'
  /** An address; names are resolved in control. */
  readonly host: string
  /** Never 0. */
  readonly port: number
}

export type ControlMessage =
  | ListenMessage
  | RolloutMessage
  /** An upstream in force has other endpoints than before. */
  | {
      readonly kind: 'endpoints'
      readonly upstream: string
      readonly endpoints: LiveUpstream['endpoints']
    }
  /** Log lines from this level on, until a config is put in force. */
  | { readonly kind: 'level'; readonly level: LogLevel }
  /** What assertions are signed with from now on. */
  | { readonly kind: 'signing-key'; readonly key: SigningKey }
  | IdentityMessage
  /** What is revoked; answered with `revocations-applied` once it is in force. */
  | RevocationsMessage
  /** What became of exchanges that wait to be let into an upstream. */
  | { readonly kind: 'gate'; readonly message: SchedulerMessage }
  /** Answered with `answered` when everything posted before has been done. */
  | { readonly kind: 'ask'; readonly question: number }
  /** Be unready; put `Connection: close` on every response. */
  | { readonly kind: 'drain' }
  /** Close the listener; a second later the idle client connections. Answered with `drained` once no exchange and no tunnel is left. */
  | { readonly kind: 'close' }
  /** Destroy whatever is left and end. */
  | { readonly kind: 'end' }

export type RolloutAnswer =
  | { readonly kind: 'next'; readonly version: number }
  | { readonly kind: 'prepared'; readonly version: number }
  /** This thread cannot put it in force; `reason` is one line for the operator. */
  | { readonly kind: 'failed'; readonly version: number; readonly reason: string }

/** What control's book of identities hears. */
export type IdentityAnswer = UnknownKidMessage | RevocationsAppliedMessage

export type ThreadMessage =
  | RolloutAnswer
  | IdentityAnswer
  | { readonly kind: 'listening' }
  /** Another process holds the port; the thread can be told another one. */
  | { readonly kind: 'taken' }
  /** It could not start; `reason` is one line for the operator. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'answered'; readonly question: number }
  /** Of exchanges that wait to be let into an upstream. */
  | { readonly kind: 'gate'; readonly message: GateMessage }
  /** The log ring is more than half full. */
  | { readonly kind: 'lines' }
  /** The ring of spans is more than half full. */
  | { readonly kind: 'spans' }
  | { readonly kind: 'drained' }
  /** What ended in it within a second; none comes of a second in which nothing did. */
  | { readonly kind: 'second'; readonly second: ThreadSecond }
