import type { ClientConnection } from './client-connection.ts'

/** Why there is no connection: `timeout`, or Node's error code. */
export interface DialFault {
  readonly code: string
}

/** Where a connection comes from and returns to. */
export interface ConnectionOwner {
  connected(connection: ClientConnection): void
  /** Only before `connected`. */
  dialFailed(connection: ClientConnection, fault: DialFault): void
  /** It may carry another request, once it has `settled`. */
  idle(connection: ClientConnection): void
  /** It is of no further use; it still counts as open until `closed`. */
  abandoned(connection: ClientConnection): void
  /** The server sent bytes that belong to no response: its connections cannot be trusted. */
  surplus(): void
  closed(connection: ClientConnection): void
}
