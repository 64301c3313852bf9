import { createServer, type ListenOptions } from 'node:net'
import { errorCode } from './error-code.ts'
import { listenRefusal } from './start-refusal.ts'

/**
 * Binds the public port without sharing it and lets it go again: with `reusePort` a second instance of the same user
 * would bind silently and take half of the connections, without it this fails. Returns the port, found free where 0
 * was asked for. Rejects with StartRefusal.
 */
export async function claimPublicPort(host: string, port: number): Promise<number> {
  try {
    return await bindOnce({ host, port, exclusive: true })
  } catch (error) {
    throw listenRefusal('public', host, port, error)
  }
}

/** Whether several threads may listen on one port here; libuv refuses where the kernel would not balance between them. */
export async function portsAreShareable(): Promise<boolean> {
  try {
    await bindOnce({ host: '127.0.0.1', port: 0, reusePort: true })
    return true
  } catch (error) {
    // No IPv4 loopback at all says nothing of sharing.
    return errorCode(error) === 'EADDRNOTAVAIL'
  }
}

function bindOnce(options: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(options, () => {
      const address = server.address()
      const port = address !== null && typeof address === 'object' ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
