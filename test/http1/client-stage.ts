import type { Socket } from 'node:net'
import {
  ClientConnection,
  type ResponseFault,
  type ResponseReceiver,
} from '../../src/http1/client-connection.ts'
import type { ConnectionOwner } from '../../src/http1/connection-owner.ts'
import type { Head } from '../../src/http1/head.ts'
import { until } from '../support/until.ts'
import { Loopback } from './loopback.ts'
import { ManualWire } from './manual-wire.ts'

/** Milliseconds. */
export interface StageLimits {
  readonly connectMs: number
  readonly headMs: number
  readonly idleMs: number
}

export const LIMITS: StageLimits = { connectMs: 1_000, headMs: 3_000, idleMs: 2_000 }

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

/** One response as its connection told it. */
export class HeardResponse implements ResponseReceiver {
  status = 0
  reason = ''
  interims: number[] = []
  text = ''
  length = 0
  ended = false
  trailers: string | null = null
  fault: ResponseFault | null = null
  hasSwitched = false
  serverEnded = false
  drains = 0
  /** Endings told: must never exceed one. */
  endings = 0
  onEnd: () => void = () => {}

  interim(head: Head): void {
    this.interims.push(head.status)
  }

  response(head: Head): void {
    this.status = head.status
    this.reason = head.text.slice(head.reasonStart, head.reasonEnd)
  }

  switched(): void {
    this.hasSwitched = true
  }

  responseBody(bytes: Buffer, start: number, end: number): void {
    this.length += end - start
    if (this.length < 200_000) this.text += bytes.toString('latin1', start, end)
  }

  responseEnd(trailers: Head | null): void {
    this.ended = true
    this.trailers = trailers?.text ?? null
    this.endings++
    this.onEnd()
  }

  responseFailed(fault: ResponseFault): void {
    this.fault = fault
    this.endings++
  }

  responsePause(): void {}

  upstreamDrained(): void {
    this.drains++
  }

  upstreamEnded(): void {
    this.serverEnded = true
  }
}

/** One connection to a server that is the test's own hand. */
export class ClientStage implements ConnectionOwner {
  readonly time = new ManualWire()
  readonly loopback: Loopback
  readonly events: string[] = []
  /** How often the server sent what belongs to no response. */
  surpluses = 0
  /** How often the connection could have been used again before anybody looked behind its response. */
  settledAtOnce = 0
  readonly connection: ClientConnection
  readonly #limits: StageLimits
  #server: Socket | null = null

  private constructor(loopback: Loopback, limits: StageLimits) {
    this.loopback = loopback
    const dial = { address: '127.0.0.1', port: loopback.port, tlsName: null, security: null }
    this.#limits = limits
    this.connection = new ClientConnection(dial, this, limits.connectMs, this.time.wire)
  }

  /** Dials only: the test decides what comes of it. */
  static async dial(limits: StageLimits = LIMITS): Promise<ClientStage> {
    return new ClientStage(await Loopback.listen(), limits)
  }

  static async connect(limits: StageLimits = LIMITS): Promise<ClientStage> {
    const stage = await ClientStage.dial(limits)
    await until('the connection', () => stage.events.includes('connected'))
    stage.#server = await stage.loopback.socket(0)
    stage.#server.resume()
    return stage
  }

  get server(): Socket {
    if (this.#server === null) throw new Error('not connected')
    return this.#server
  }

  /** Sends a whole request without a body. */
  ask(method = 'GET', kind: 'plain' | 'upgrade' = 'plain'): HeardResponse {
    const heard = new HeardResponse()
    this.connection.begin(heard, method, kind, this.#limits.headMs, this.#limits.idleMs)
    this.connection.writer.begin(GET, 'plain')
    this.connection.requestEnd()
    return heard
  }

  connected(): void {
    this.events.push('connected')
  }

  dialFailed(_: ClientConnection, { code }: { readonly code: string }): void {
    this.events.push(`dial failed: ${code}`)
  }

  abandoned(): void {}

  surplus(): void {
    this.surpluses++
  }

  idle(connection: ClientConnection): void {
    if (connection.settled) this.settledAtOnce++
    this.events.push('idle')
  }

  closed(): void {
    this.events.push('closed')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.abandon()
    await this.loopback.close()
    this.time[Symbol.dispose]()
  }
}
