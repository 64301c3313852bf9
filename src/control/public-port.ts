import { randomInt } from 'node:crypto'
import { createServer, type ListenOptions, type Server } from 'node:net'
import type { ListenMessage } from '../worker/messages.ts'
import { errorCode } from './error-code.ts'
import { listenRefusal, takenRefusal } from './start-refusal.ts'

/**
 * Where free ports are looked for: below the range that systems give to connections (32768 on Linux, 49152 elsewhere),
 * so that nobody is given the port by chance before the threads listen, or while a dead one is replaced.
 */
const LOWEST = 20_000
const BEYOND = 32_768
const TRIES = 20

/** What a system answers that has no abstract socket names, or lets this process have none. */
const NAMELESS: readonly (string | null)[] = ['EINVAL', 'EAFNOSUPPORT', 'EPERM', 'EACCES']

/** A whole number of a range. */
type Draw = (least: number, beyond: number) => number

/** Where data threads are to listen, held by control so that no other gateway comes to listen there too. */
export class PublicPort {
  readonly #host: string
  /** 0: any that is free. */
  readonly #asked: number
  readonly #drawn: Draw
  /** Node's choice among those of the host, in one spelling. */
  #address = ''
  #port = 0
  #name: Server | null = null
  #drawnAgain = 0
  #released = false

  private constructor(host: string, asked: number, drawn: Draw) {
    this.#host = host
    this.#asked = asked
    this.#drawn = drawn
  }

  /** Finds a free port where `port` is 0. Rejects with StartRefusal. */
  static async claim(host: string, port: number, drawn: Draw = randomInt): Promise<PublicPort> {
    const claimed = new PublicPort(host, port, drawn)
    try {
      claimed.#address = (await bindOnce({ host, port: 0, exclusive: true })).address
      await claimed.#find()
    } catch (error) {
      throw listenRefusal('public', host, port, error)
    }
    return claimed
  }

  /** Never 0. */
  get port(): number {
    return this.#port
  }

  /** What a thread is told. */
  get listen(): ListenMessage {
    return { kind: 'listen', host: this.#address, port: this.#port }
  }

  /**
   * To be called when a thread found the port taken: another process came between the claim and the thread. Draws
   * another one; where the settings name the port, rejects with StartRefusal.
   */
  async drawAgain(): Promise<void> {
    this.#name?.close()
    this.#name = null
    this.#drawnAgain += 1
    if (this.#asked !== 0 || this.#drawnAgain > TRIES) throw takenRefusal('public', this.#host, this.#port)
    try {
      await this.#find()
    } catch (error) {
      throw listenRefusal('public', this.#host, this.#asked, error)
    }
    if (this.#released) this.release()
  }

  /** No thread will come to listen from now on; another gateway may, once those that do have closed. */
  release(): void {
    this.#released = true
    this.#name?.close()
    this.#name = null
  }

  async #find(): Promise<void> {
    if (this.#asked !== 0) return this.#take(this.#asked)
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        return await this.#take(this.#drawn(LOWEST, BEYOND))
      } catch (error) {
        if (errorCode(error) !== 'EADDRINUSE') throw error
      }
    }
    await this.#take((await bindOnce({ host: this.#address, port: 0, exclusive: true })).port)
  }

  /**
   * The name first: it keeps other gateways off until it is let go, also while no thread listens yet or all are dead.
   * Then the port is bound once without sharing it, which fails whoever listens there: with `reusePort` a thread would
   * bind silently beside another process of the same user and take a part of its connections.
   */
  async #take(port: number): Promise<void> {
    const name = await own(`${this.#address} ${port}`)
    try {
      await bindOnce({ host: this.#address, port, exclusive: true })
    } catch (error) {
      name?.close()
      throw error
    }
    this.#name = name
    this.#port = port
  }
}

/**
 * Whether several threads may listen on one port here, and no other gateway with them. libuv refuses where the kernel
 * would not balance between them.
 */
export async function portsAreShareable(): Promise<boolean> {
  try {
    await bindOnce({ host: '127.0.0.1', port: 0, reusePort: true })
  } catch (error) {
    // No IPv4 loopback at all says nothing of sharing.
    if (errorCode(error) !== 'EADDRNOTAVAIL') return false
  }
  const name = await own(`of ${randomInt(2 ** 47)}`)
  name?.close()
  return name !== null
}

/**
 * A name in the abstract namespace of Unix sockets, which Linux alone has: there is one for each network namespace, as
 * there is one set of ports, and whatever ends the process frees the name. Null where there are none: ports are not
 * shared there, so that a second gateway on one fails by itself. Rejects with EADDRINUSE where it is taken.
 */
async function own(name: string): Promise<Server | null> {
  const server = createServer((visitor) => visitor.destroy())
  try {
    await listening(server, { path: `\0nyro-gateway ${name}` })
  } catch (error) {
    if (NAMELESS.includes(errorCode(error))) return null
    throw error
  }
  // Visitors that cannot be accepted, for want of descriptors: nothing is lost.
  return server.on('error', () => {})
}

/** What was bound, and is free again. */
async function bindOnce(
  options: ListenOptions,
): Promise<{ readonly address: string; readonly port: number }> {
  const server = createServer()
  await listening(server, options)
  const bound = server.address()
  await new Promise((resolve) => server.close(resolve))
  // Of a TCP socket that listened it is neither.
  if (bound === null || typeof bound === 'string') throw new Error('no address')
  return bound
}

function listening(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
