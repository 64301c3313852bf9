import { randomInt } from 'node:crypto'
import { createServer, type ListenOptions } from 'node:net'
import { errorCode } from './error-code.ts'
import { listenRefusal } from './start-refusal.ts'

/**
 * Where free ports are looked for: below the range that systems give to connections (32768 on Linux, 49152 elsewhere),
 * so that between a claim and the threads' listening nobody is given the port by chance.
 */
const LOWEST = 20_000
const BEYOND = 32_768
const TRIES = 20

/**
 * Binds the public port without sharing it and lets it go again: with `reusePort` a second instance of the same user
 * would bind silently and take half of the connections, without it this fails. Returns the port, found free where 0
 * was asked for; `drawn`: a whole number of a range, by which it is looked for. Rejects with StartRefusal.
 */
export async function claimPublicPort(
  host: string,
  port: number,
  drawn: (least: number, beyond: number) => number = randomInt,
): Promise<number> {
  try {
    if (port !== 0) return await bindOnce({ host, port, exclusive: true })
    return await claimFree(host, drawn)
  } catch (error) {
    throw listenRefusal('public', host, port, error)
  }
}

async function claimFree(host: string, drawn: (least: number, beyond: number) => number): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      return await bindOnce({ host, port: drawn(LOWEST, BEYOND), exclusive: true })
    } catch (error) {
      if (errorCode(error) !== 'EADDRINUSE') throw error
    }
  }
  return bindOnce({ host, port: 0, exclusive: true })
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
