import { type ConnectStore, errorWord } from './store-connection.ts'

/** How long a connection may take to open, name lookup included. */
const CONNECT_MS = 1_000

/**
 * Opens connections to Redis or Valkey with the official client, which is loaded when the first is opened: it costs
 * 99 ms and 30 MiB. Its own reconnection is off: it would try for ever on a connection that is open and silent.
 * `url`: redis://[user:password@]host:port/db or rediss; never part of an error.
 */
export function redisConnector(url: string): ConnectStore {
  return async (lost, signal) => {
    const { createClient } = await import('@redis/client')
    signal.throwIfAborted()
    const client = createClient({
      url,
      disableOfflineQueue: true,
      maintNotifications: 'disabled',
      socket: { reconnectStrategy: false, connectTimeout: CONNECT_MS },
    })
    client.on('error', (error: unknown) => lost(errorWord(error)))
    signal.addEventListener('abort', () => client.destroy())
    await client.connect()
    // The client knows its socket only once it is connected: what was ended before that is not gone yet.
    if (signal.aborted) client.destroy()
    // The client takes an array it does not change.
    return { send: (command) => client.sendCommand(command as string[]) }
  }
}
