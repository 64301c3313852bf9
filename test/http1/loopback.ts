import { connect, createServer, type Server, type Socket } from 'node:net'
import { until, within } from '../support/until.ts'

/** A server on a free loopback port whose connections the test holds in its hands; nothing is read unless it says so. */
export class Loopback {
  readonly port: number
  readonly accepted: Socket[] = []
  readonly #server: Server

  private constructor(server: Server, port: number) {
    this.#server = server
    this.port = port
  }

  /** `accept` takes over each connection; without it they are paused and kept in `accepted`. */
  static async listen(host = '127.0.0.1', port = 0, accept?: (socket: Socket) => void): Promise<Loopback> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
    const address = server.address()
    const loopback = new Loopback(server, typeof address === 'object' && address !== null ? address.port : 0)
    server.on('connection', (socket) => {
      if (accept !== undefined) {
        accept(socket)
        return
      }
      socket.on('error', () => {})
      loopback.accepted.push(socket)
    })
    return loopback
  }

  /** The connection accepted as number `index`, waited for. */
  async socket(index: number): Promise<Socket> {
    return until(`connection ${index}`, () => this.accepted[index])
  }

  /** Connections that are still open on this side. */
  get open(): number {
    return this.accepted.filter((socket) => !socket.destroyed).length
  }

  /** No more connections: the next is refused. */
  async close(): Promise<void> {
    for (const socket of this.accepted) socket.destroy()
    await new Promise<void>((resolve) => void this.#server.close(() => resolve()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** Two ends of one connection. */
export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const loopback = await Loopback.listen()
  const near = connect({ port: loopback.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const far = await loopback.socket(0)
  loopback.accepted.length = 0
  void loopback.close()
  return [near, far]
}

/** Reads until so many bytes came; latin1. */
export async function readText(socket: Socket, byteCount: number): Promise<string> {
  let text = ''
  const whole = new Promise<void>((resolve) => {
    const take = (bytes: Buffer): void => {
      text += bytes.toString('latin1')
      if (text.length < byteCount) return
      socket.off('data', take)
      socket.pause()
      resolve()
    }
    socket.on('data', take)
    socket.resume()
  })
  await within(`${byteCount} bytes`, whole)
  return text
}

/** After what the kernel holds now was delivered: two looks of the loop. */
export async function delivered(): Promise<void> {
  for (let look = 0; look < 3; look++) await new Promise((resolve) => setImmediate(resolve))
}
