import type { ClientConnection } from '../http1/client-connection.ts'
import type { Endpoint } from './endpoint.ts'

/** From here on an idle connection counts against the number that is kept. */
const RESTING_MS = 1_000

/**
 * Closes connections that were idle for `idleTimeoutMs`, or for almost as long as the server says it keeps them, and
 * of those that rest the oldest beyond `share`. What is released often is never idle for long.
 */
export function trimIdle(
  endpoints: Iterable<Endpoint>,
  nowMs: number,
  idleTimeoutMs: number,
  share: number,
): void {
  const resting: ClientConnection[] = []
  for (const endpoint of endpoints) {
    for (const connection of [...endpoint.idleConnections]) {
      const idleMs = nowMs - connection.idleSinceMs
      const limitMs = connection.keepAliveMs > 0 ? connection.keepAliveMs - 1_000 : idleTimeoutMs
      if (idleMs > limitMs) connection.abandon()
      else if (idleMs > RESTING_MS) resting.push(connection)
    }
  }
  if (resting.length <= share) return
  // Of equal age those at the bottom go, which come first.
  resting.sort((one, other) => one.idleSinceMs - other.idleSinceMs)
  for (const connection of resting.slice(0, resting.length - share)) connection.abandon()
}
