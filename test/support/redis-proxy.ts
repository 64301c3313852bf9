import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What becomes of bytes: passed on, passed on late, or swallowed, in which case connections open and stay silent. */
export type ProxyMode = { readonly delayMs: number } | 'black hole'

/** Stands between a client and a TCP server, and does to the traffic what networks do. */
export class RedisProxy {
  mode: ProxyMode = { delayMs: 0 }
  /** Connections opened since the start. */
  opened = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(targetPort: number): Promise<RedisProxy> {
    const server = createServer()
    const proxy = new RedisProxy(server)
    server.on('connection', (client) => proxy.#join(client, connect(targetPort, '127.0.0.1')))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo // of a server that listens on TCP
    return `redis://127.0.0.1:${port}`
  }

  get connections(): number {
    return this.#sockets.size / 2
  }

  /** Resets every connection. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  #join(client: Socket, server: Socket): void {
    this.opened++
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('data', (bytes: Buffer) => this.#pass(bytes, to))
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }

  #pass(bytes: Buffer, to: Socket): void {
    if (this.mode === 'black hole') return
    const { delayMs } = this.mode
    if (delayMs === 0) to.write(bytes)
    else
      setTimeout(() => {
        if (!to.destroyed) to.write(bytes)
      }, delayMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.reset()
    await closed
  }
}
