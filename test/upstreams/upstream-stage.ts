import type { Socket } from 'node:net'
import type { ClientConnection } from '../../src/http1/client-connection.ts'
import { ConnectionCount } from '../../src/upstreams/connection-count.ts'
import {
  type ConnectionFault,
  type ConnectionWaiter,
  type EndpointAddress,
  Upstream,
  type UpstreamOptions,
} from '../../src/upstreams/upstream.ts'
import { GET, HeardResponse } from '../http1/client-stage.ts'
import { delivered, Loopback } from '../http1/loopback.ts'
import { ManualWire } from '../http1/manual-wire.ts'
import { until } from '../support/until.ts'

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

export const LOCAL: EndpointAddress = { address: '127.0.0.1', family: 4 }
/** Of this machine too, where nothing listens unless a test says so. */
export const OTHER: EndpointAddress = { address: '127.0.0.2', family: 4 }

/** Somebody who wants a connection. */
export class Waiter implements ConnectionWaiter {
  connection: ClientConnection | null = null
  fault: ConnectionFault | null = null
  /** Told more than once is a defect. */
  told = 0
  onConnected: (connection: ClientConnection) => void = () => {}

  connected(connection: ClientConnection): void {
    this.connection = connection
    this.told++
    this.onConnected(connection)
  }

  notConnected(fault: ConnectionFault): void {
    this.fault = fault
    this.told++
  }

  async served(): Promise<ClientConnection> {
    return until('a connection', () => this.connection)
  }
}

export interface StageSettings {
  readonly options?: Partial<UpstreamOptions>
  readonly addresses?: readonly EndpointAddress[] | 'unknown' | null
  /** Threads, each with an upstream of its own over the one count. */
  readonly threads?: number
}

/** Upstreams of one name in several threads' shoes, and the server they lead to. */
export class UpstreamStage {
  readonly loopback: Loopback
  readonly times: readonly ManualWire[]
  readonly upstreams: readonly Upstream[]
  /** How often an upstream told of bytes that belong to no response. */
  surpluses = 0
  readonly #count: ConnectionCount

  private constructor(loopback: Loopback, { options, addresses = [LOCAL], threads = 1 }: StageSettings) {
    this.loopback = loopback
    const memory = ConnectionCount.create(1, threads)
    const rows = Array.from({ length: threads }, (_, row) => row)
    const all: UpstreamOptions = {
      name: 'orders',
      host: 'orders.test',
      port: loopback.port,
      tls: false,
      authority: 'orders.test',
      target: 'orders.test:80',
      maxConnections: 10,
      idleShare: 10,
      idleTimeoutMs: 4_000,
      timeouts: { connectMs: 1_000, headMs: 3_000, idleMs: 2_000 },
      onSurplus: () => {
        this.surpluses++
      },
      ...options,
    }
    this.#count = new ConnectionCount(memory, 1, threads, threads)
    this.times = rows.map(() => new ManualWire())
    this.upstreams = this.times.map((time, row) => {
      const upstream = new Upstream(
        all,
        addresses,
        0,
        new ConnectionCount(memory, 1, threads, row),
        time.wire,
      )
      return upstream
    })
  }

  static async open(settings: StageSettings = {}): Promise<UpstreamStage> {
    return new UpstreamStage(await Loopback.listen(), settings)
  }

  get upstream(): Upstream {
    return this.at(0)
  }

  at(thread: number): Upstream {
    const upstream = this.upstreams[thread]
    if (upstream === undefined) throw new Error(`no thread ${thread}`)
    return upstream
  }

  /** Open connections by the shared count. */
  get open(): number {
    return this.#count.open(0)
  }

  /** Asks as requests do: within the delivery of a socket's event. */
  take(need: 'any' | 'fresh' = 'any', thread = 0): Waiter {
    const waiter = new Waiter()
    this.times[thread]?.wire.epoch.count()
    this.at(thread).take(waiter, need)
    return waiter
  }

  /** Lets time pass in a thread, sweeping on every tick as the data plane does. */
  pass(ms: number, thread = 0): void {
    const time = this.times[thread]
    if (time === undefined) throw new Error(`no thread ${thread}`)
    for (let passed = 0; passed < ms; passed += 50) {
      time.pass(50)
      this.at(thread).sweep(time.nowMs)
    }
  }

  /** The server's end of a connection. */
  async serverOf(connection: ClientConnection): Promise<Socket> {
    const { localPort } = connection.socket
    const socket = await until('the accepted connection', () =>
      this.loopback.accepted.find((accepted) => accepted.remotePort === localPort),
    )
    socket.resume()
    return socket
  }

  /** One request that is answered; the connection is idle afterwards, unless the answer says otherwise. */
  async exchange(connection: ClientConnection, answer = OK): Promise<HeardResponse> {
    const server = await this.serverOf(connection)
    const heard = send(connection)
    await delivered() // an answer in the batch of its request would be none
    server.write(answer)
    await until('the answer', () => heard.endings > 0)
    return heard
  }

  /** As many connections, all idle, the one used last on top. */
  async idle(count: number): Promise<ClientConnection[]> {
    const waiters = Array.from({ length: count }, () => this.take())
    const connections = []
    for (const waiter of waiters) connections.push(await waiter.served())
    for (const connection of connections) await this.exchange(connection)
    return connections
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const upstream of this.upstreams) upstream.destroy()
    await this.loopback.close()
    for (const time of this.times) time[Symbol.dispose]()
  }
}

/** Writes a request and leaves it to be answered. */
export function send(connection: ClientConnection): HeardResponse {
  const heard = new HeardResponse()
  connection.begin(heard, 'GET', 'plain')
  connection.writer.begin(GET, 'plain')
  connection.requestEnd()
  return heard
}
