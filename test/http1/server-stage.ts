import type { Head } from '../../src/http1/head.ts'
import type { ProtocolError } from '../../src/http1/protocol-error.ts'
import {
  type RequestReceiver,
  type RequestServer,
  ServerConnection,
  type ServerLimits,
} from '../../src/http1/server-connection.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { Loopback } from './loopback.ts'
import { ManualWire } from './manual-wire.ts'

export const LIMITS: ServerLimits = { headMs: 1_000, bodyMs: 2_000, idleMs: 5_000 }

/** One request as its connection told it. */
export class HeardRequest implements RequestReceiver {
  readonly connection: ServerConnection
  readonly method: string
  readonly target: string
  /** Whole with its head. */
  readonly wasDone: boolean
  text = ''
  length = 0
  ended = false
  trailers: string | null = null
  fault: ProtocolError | null = null
  gone = 0
  drains = 0
  tunnelled = ''
  tunnelEnded = false

  constructor(connection: ServerConnection, head: Head) {
    this.connection = connection
    this.method = head.method
    this.target = head.target
    this.wasDone = connection.requestDone
  }

  body(bytes: Buffer, start: number, end: number): void {
    this.length += end - start
    if (this.length < 100_000) this.text += bytes.toString('latin1', start, end)
  }

  bodyEnd(trailers: Head | null): void {
    this.ended = true
    this.trailers = trailers?.text ?? null
  }

  bodyBroken(error: ProtocolError): void {
    this.fault = error
  }

  bodyPause(): void {}

  clientGone(): void {
    this.gone++
  }

  clientDrained(): void {
    this.drains++
  }

  clientBytes(bytes: Buffer, start: number, end: number): void {
    this.tunnelled += bytes.toString('latin1', start, end)
  }

  clientEnded(): void {
    this.tunnelEnded = true
  }

  /** 200 with this body. */
  answer(body = this.target): void {
    const close = this.connection.closeAfter ? 'Connection: close\r\n' : ''
    this.connection.writer.begin(
      `HTTP/1.1 200 OK\r\n${close}Content-Length: ${body.length}\r\n\r\n${body}`,
      'plain',
    )
    this.connection.responseEnd()
  }

  /** Body bytes as fast as the client takes them; true while it takes more. */
  push(bytes: Buffer): boolean {
    this.connection.writer.body(bytes, 0, bytes.length)
    this.connection.writer.flush()
    return !this.connection.congested()
  }
}

/** A bare server of the wire: connections whose requests the test answers. */
export class ServerStage implements RequestServer {
  readonly time = new ManualWire()
  readonly connections: ServerConnection[] = []
  readonly heard: HeardRequest[] = []
  readonly faults: ProtocolError[] = []
  closes = 0
  readonly #limits: ServerLimits
  #loopback: Loopback | null = null

  private constructor(limits: ServerLimits) {
    this.#limits = limits
  }

  static async open(limits: ServerLimits = LIMITS, host = '127.0.0.1'): Promise<ServerStage> {
    const stage = new ServerStage(limits)
    stage.#loopback = await Loopback.listen(host, 0, (socket) => {
      stage.connections.push(
        new ServerConnection(socket, socket.remoteAddress ?? '', stage, limits, stage.time.wire),
      )
    })
    return stage
  }

  get port(): number {
    return this.#loopback?.port ?? 0
  }

  get limits(): ServerLimits {
    return this.#limits
  }

  request(connection: ServerConnection, head: Head): void {
    const heard = new HeardRequest(connection, head)
    connection.receiver = heard
    this.heard.push(heard)
  }

  broken(connection: ServerConnection, error: ProtocolError): void {
    this.faults.push(error)
    connection.writer.begin(`HTTP/1.1 400 ${error.code}\r\nContent-Length: 0\r\n\r\n`, 'plain')
    connection.responseEnd()
  }

  closed(): void {
    this.closes++
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.port)
  }

  /** Request number `index` of all, waited for. */
  async hears(index: number): Promise<HeardRequest> {
    return until(`request ${index}`, () => this.heard[index])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.connections) connection.abort('close')
    await this.#loopback?.close()
    this.time[Symbol.dispose]()
  }
}
