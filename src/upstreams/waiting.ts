import type { ClientConnection } from '../http1/client-connection.ts'
import type { ConnectionWaiter } from './connection-waiter.ts'
import type { Endpoint } from './endpoint.ts'

/** Somebody who waits for a connection, and what has been begun for it. */
export interface Waiting {
  readonly waiter: ConnectionWaiter
  readonly sinceMs: number
  /** A used connection will not do: the last one was already dead. */
  readonly wantsFresh: boolean
  readonly key: string | null
  readonly tried: readonly Endpoint[]
  /** The one it has entered; null: whichever has a connection first, since there is no place for another. */
  endpoint: Endpoint | null
  /** The dial under way for it. */
  dial: ClientConnection | null
}
