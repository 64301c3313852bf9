import type { ClientConnection } from '../http1/client-connection.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * Why no connection could be had: `unknown` name, `refused` (or unreachable, or TLS refused), connect `timeout`, no
 * place within the limit (`saturated`), or no endpoint in service (`unavailable`).
 */
export type ConnectionFault = 'unknown' | 'refused' | 'timeout' | 'saturated' | 'unavailable'

/** Waits for a connection; asked at once or later, exactly one of the two, unless cancelled. */
export interface ConnectionWaiter {
  /** The exchange is in the endpoint from here on, until the waiter tells it `leave`. */
  connected(connection: ClientConnection, endpoint: Endpoint): void
  /** `endpoint`: the one that was tried, if it came to that. */
  notConnected(fault: ConnectionFault, endpoint: Endpoint | null): void
}
