import type { Socket } from 'node:net'
import type { UpstreamConfig } from '../../src/config/config.ts'
import type { ClientConnection } from '../../src/http1/client-connection.ts'
import type { BreakerState } from '../../src/upstreams/breaker.ts'
import type { ConnectionFault, ConnectionWaiter } from '../../src/upstreams/connection-waiter.ts'
import type { Endpoint } from '../../src/upstreams/endpoint.ts'
import type { Health } from '../../src/upstreams/endpoint-state.ts'
import type { LiveEndpoint, LiveUpstream } from '../../src/upstreams/live-upstream.ts'
import { Upstream } from '../../src/upstreams/upstream.ts'
import { UpstreamMemory } from '../../src/upstreams/upstream-memory.ts'
import { GET, HeardResponse } from '../http1/client-stage.ts'
import { delivered, Loopback } from '../http1/loopback.ts'
import { ManualWire } from '../http1/manual-wire.ts'
import { upstreamOf } from '../support/config-part.ts'
import { until } from '../support/until.ts'

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

export const LOCAL = '127.0.0.1'
/** Of this machine too, where nothing listens unless a test says so. */
export const OTHER = '127.0.0.2'
export const THIRD = '127.0.0.3'

/** Somebody who wants a connection. */
export class Waiter implements ConnectionWaiter {
  connection: ClientConnection | null = null
  /** The one it is in, or that failed it. */
  endpoint: Endpoint | null = null
  fault: ConnectionFault | null = null
  /** Told more than once is a defect. */
  told = 0
  onConnected: (connection: ClientConnection) => void = () => {}

  connected(connection: ClientConnection, endpoint: Endpoint): void {
    this.connection = connection
    this.endpoint = endpoint
    this.told++
    this.onConnected(connection)
  }

  notConnected(fault: ConnectionFault, endpoint: Endpoint | null): void {
    this.fault = fault
    this.endpoint = endpoint
    this.told++
  }

  async served(): Promise<ClientConnection> {
    return until('a connection', () => this.connection)
  }
}

export interface StageSettings {
  readonly config?: Partial<UpstreamConfig>
  readonly addresses?: readonly string[] | 'unknown' | null
  /** Threads, each with an upstream of its own over the one memory. */
  readonly threads?: number
  readonly tls?: 'tls'
  /** What is drawn, in turn and from the start again; default 0. */
  readonly draws?: readonly number[]
}

/** Upstreams of one name in several threads' shoes, and the server they lead to. */
export class UpstreamStage {
  readonly loopback: Loopback
  readonly times: readonly ManualWire[]
  readonly upstreams: readonly Upstream[]
  readonly memory: UpstreamMemory
  /** How often an upstream told of bytes that belong to no response. */
  surpluses = 0
  readonly #settings: StageSettings
  #draw = 0

  private constructor(loopback: Loopback, settings: StageSettings) {
    this.loopback = loopback
    this.#settings = settings
    const { threads = 1, addresses = [LOCAL] } = settings
    const first = new ManualWire()
    this.times = [first, ...Array.from({ length: threads - 1 }, () => new ManualWire())]
    const shared = UpstreamMemory.create(threads, first.nowMs)
    const clockOf = ({ wire }: ManualWire) => ({
      monotonicMs: () => wire.wheel.nowMs,
      machineMs: () => first.nowMs,
    })
    this.memory = new UpstreamMemory(shared, null, clockOf(first))
    this.upstreams = this.times.map(
      (time, row) =>
        new Upstream(this.live(addresses), null, {
          memory: new UpstreamMemory(shared, row, clockOf(time)),
          wire: time.wire,
          threads: 1,
          random: () => this.#random(),
          onSurplus: () => {
            this.surpluses++
          },
        }),
    )
  }

  /** As control tells of the upstream. */
  live(addresses: readonly string[] | 'unknown' | null, own: Partial<UpstreamConfig> = {}): LiveUpstream {
    const config = upstreamOf('orders', `http://orders.test:${this.loopback.port}`, {
      connections: { max: 10, idle: 10, idleTimeoutMs: 4_000 },
      timeouts: { connectMs: 1_000, headMs: 3_000, idleMs: 2_000, totalMs: null },
      ...this.#settings.config,
      ...own,
    })
    const isKnown = addresses !== null && addresses !== 'unknown'
    return { config, slot: 0, endpoints: isKnown ? this.endpoints(...addresses) : addresses }
  }

  /** The same slot for the same address, whatever the order. */
  endpoints(...addresses: readonly string[]): readonly LiveEndpoint[] {
    const { port } = this.loopback
    return addresses.map((address) => ({
      slot: slotOf(address),
      ...{ address, family: 4, port, tls: this.#settings.tls !== undefined, host: 'orders.test' },
      authority: `orders.test:${port}`,
      target: `orders.test:${port}`,
    }))
  }

  #random(): number {
    const { draws = [0] } = this.#settings
    return draws[this.#draw++ % draws.length] ?? 0
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
    return this.memory.openConnections(0)
  }

  inFlight(address: string): number {
    return this.memory.describeEndpoint(slotOf(address)).inFlight
  }

  breaker(address: string): BreakerState {
    return this.memory.describeEndpoint(slotOf(address)).breaker
  }

  /** As control says it. */
  setHealth(address: string, health: Health): void {
    this.memory.setHealth(slotOf(address), health)
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
    // Two connections to two addresses may have the same port at this end.
    const { localPort, remoteAddress } = connection.socket
    const socket = await until('the accepted connection', () =>
      this.loopback.accepted.find(
        (accepted) => accepted.remotePort === localPort && accepted.localAddress === remoteAddress,
      ),
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

function slotOf(address: string): number {
  return Number(address.slice(address.lastIndexOf('.') + 1))
}

/** Writes a request and leaves it to be answered. */
export function send(connection: ClientConnection): HeardResponse {
  const heard = new HeardResponse()
  connection.begin(heard, 'GET', 'plain', 3_000, 2_000)
  connection.writer.begin(GET, 'plain')
  connection.requestEnd()
  return heard
}
