import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Config, UpstreamConfig } from '../../src/config/config.ts'
import { within } from '../support/until.ts'
import { planeConfig, upstreamConfig } from '../worker/open-plane.ts'

export type PlaneOrder =
  | { readonly kind: 'start'; readonly config: Config }
  /** Count timers and promises from here on. */
  | { readonly kind: 'count' }
  /** Collect garbage, then read. */
  | { readonly kind: 'collect' }
  | { readonly kind: 'read' }

export interface PlaneReading {
  /** Garbage collections so far. */
  readonly collections: number
  /** Created since `count`. */
  readonly timers: number
  readonly promises: number
  readonly usedBytes: number
  readonly port: number
}

/** 87 bytes of JSON, as the benches use. */
const BODY = JSON.stringify({ answer: 'x'.repeat(74) })
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\nServer: origin\r\n\r\n${BODY}`

/** A gateway in a process of its own; its client and its origin are here. */
export class BudgetPlane {
  readonly #child: ChildProcess
  readonly #origin: Server
  readonly #client: Socket

  private constructor(child: ChildProcess, origin: Server, client: Socket) {
    this.#child = child
    this.#origin = origin
    this.#client = client
  }

  /** `own`: what its config has besides two routes to one upstream of those limits. */
  static async start(
    nodeOptions: readonly string[],
    own: Partial<Config> = {},
    upstream: Partial<UpstreamConfig> = {},
  ): Promise<BudgetPlane> {
    const origin = createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => {})
      socket.on('data', () => void socket.write(ANSWER))
    })
    origin.listen(0, '127.0.0.1')
    await once(origin, 'listening')
    const address = origin.address()
    const originPort = typeof address === 'object' && address !== null ? address.port : 0
    const child = fork(new URL('./plane-process.ts', import.meta.url), { execArgv: [...nodeOptions] })
    const url = `http://127.0.0.1:${originPort}`
    const config = planeConfig(url, { upstreams: [upstreamConfig(url, upstream)], ...own })
    const { port } = await tell(child, { kind: 'start', config })
    const client = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(client, 'connect')
    return new BudgetPlane(child, origin, client)
  }

  ask(kind: 'count' | 'collect' | 'read'): Promise<PlaneReading> {
    return tell(this.#child, { kind })
  }

  /** So many exchanges, one after the other, on one connection. */
  async exchange(count: number, request: Buffer): Promise<void> {
    const client = this.#client
    let left = count
    const done = new Promise<void>((resolve, reject) => {
      const take = (bytes: Buffer): void => {
        const text = bytes.toString('latin1')
        if (!text.startsWith('HTTP/1.1 200 ') || !text.endsWith(BODY)) {
          reject(new Error(`not one whole answer in one piece: ${text}`))
          return
        }
        left--
        if (left > 0) client.write(request)
        else {
          client.off('data', take)
          resolve()
        }
      }
      client.on('data', take)
    })
    client.write(request)
    await within(`${count} exchanges`, done, 60_000)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
    this.#child.disconnect()
    await once(this.#child, 'exit')
    await new Promise((resolve) => this.#origin.close(resolve))
  }
}

async function tell(child: ChildProcess, order: PlaneOrder): Promise<PlaneReading> {
  const answer = once(child, 'message')
  child.send(order)
  const [reading] = (await within(`an answer to ${order.kind}`, answer, 30_000)) as [PlaneReading]
  return reading
}
