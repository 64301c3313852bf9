import type tls from 'node:tls'
import type { UpstreamConfig } from '../config/config.ts'
import { ClientConnection } from '../http1/client-connection.ts'
import type { ConnectionOwner, DialFault } from '../http1/connection-owner.ts'
import type { Wire } from '../http1/wire.ts'
import type { ConnectionWaiter } from './connection-waiter.ts'
import type { EndpointState } from './endpoint-state.ts'
import { hashText } from './hash.ts'
import type { LiveEndpoint } from './live-upstream.ts'
import type { UpstreamMemory } from './upstream-memory.ts'

/** After bytes that belong to no response, no connection is used a second time for so long, and four times as long each time again. */
const DISTRUST_MS = 5_000
const MAX_DISTRUST_MS = 3_600_000
/** A connection that has been idle for so long is preferred: what its last response may have behind it has shown. */
const QUIET_MS = 1

/** The upstream an endpoint is of. */
export interface EndpointOwner {
  readonly config: UpstreamConfig
  /** For https endpoints; null takes the defaults. */
  readonly security: tls.SecureContext | null
  /** A dial came through, and its connection is idle. */
  dialled(endpoint: Endpoint, connection: ClientConnection): void
  dialFailed(endpoint: Endpoint, connection: ClientConnection, fault: DialFault): void
  /** A connection may be kept: whether it is to be. */
  keeps(): boolean
  /** A connection is idle that will be settled soon. */
  returned(endpoint: Endpoint): void
  /** The server sent bytes that belong to no response; at most once a distrust. */
  distrusted(endpoint: Endpoint): void
  closed(endpoint: Endpoint, connection: ClientConnection): void
}

/** One address behind an upstream: this thread's connections to it, used last-in first-out, and what all threads know of it. */
export class Endpoint implements ConnectionOwner {
  readonly live: LiveEndpoint
  readonly state: EndpointState
  /** For the consistent hash: the same in every thread and every process. */
  readonly hash: number
  /** Exchanges that wait for a connection to this endpoint and no other. */
  queued = 0
  readonly #owner: EndpointOwner
  readonly #memory: UpstreamMemory
  readonly #wire: Wire
  readonly #idle: ClientConnection[] = []
  readonly #open = new Set<ClientConnection>()
  /** They carry what they carry, and are not kept. */
  readonly #outgoing = new Set<ClientConnection>()
  /** This thread's exchange that probes, while there is one. */
  #prober: ConnectionWaiter | null = null
  #retired = false
  #distrustedUntilMs = 0
  #distrustMs = DISTRUST_MS

  constructor(live: LiveEndpoint, owner: EndpointOwner, memory: UpstreamMemory, wire: Wire) {
    this.live = live
    this.hash = hashText(`${live.address}:${live.port}`)
    this.state = memory.endpointState(live.slot)
    this.#owner = owner
    this.#memory = memory
    this.#wire = wire
  }

  /** Exchanges in it now, in all threads. */
  get inFlight(): number {
    return this.#memory.exchanges.get(this.live.slot)
  }

  /** This thread's connections, those being dialled included. */
  get open(): number {
    return this.#open.size
  }

  get idleConnections(): readonly ClientConnection[] {
    return this.#idle
  }

  /** Whether it is what control speaks of. */
  isOf({ slot, address, port, tls, host }: LiveEndpoint): boolean {
    const { live } = this
    const isThere = live.slot === slot && live.address === address && live.port === port
    return isThere && live.tls === tls && live.host === host
  }

  /** Whether an exchange that came now would be taken. */
  isInService(nowMs: number): boolean {
    const { breaker } = this.#owner.config
    return this.state.isOffered && (breaker === null || this.state.breaker.admits(breaker, nowMs))
  }

  // ── exchanges ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Lets an exchange in, unless another got ahead of it to probe. What is let in must `leave`. */
  enter(waiter: ConnectionWaiter): boolean {
    const { breaker } = this.#owner.config
    if (breaker !== null) {
      const passage = this.state.breaker.enter(breaker, this.#nowMs)
      if (passage === 'barred') return false
      if (passage === 'probe') this.#prober = waiter
    }
    if (this.state.hasRefused) this.state.refused(this.#nowMs) // the others wait another moment for what comes of it
    this.#memory.exchanges.enter(this.live.slot)
    return true
  }

  /** It answered as it should. */
  succeeded(waiter: ConnectionWaiter): void {
    this.state.accepted()
    const { breaker } = this.#owner.config
    if (breaker === null) return
    if (waiter === this.#prober) {
      this.#prober = null
      this.state.breaker.probeSucceeded(this.#nowMs)
    } else this.state.breaker.succeeded(breaker, this.#nowMs)
  }

  /** It could not be reached, broke off, took too long, or said itself that it cannot. */
  failed(waiter: ConnectionWaiter): void {
    const { breaker } = this.#owner.config
    if (breaker === null) return
    if (waiter === this.#prober) {
      this.#prober = null
      this.state.breaker.probeFailed(this.#nowMs)
    } else this.state.breaker.failed(breaker, this.#nowMs)
  }

  leave(waiter: ConnectionWaiter): void {
    this.#memory.exchanges.leave(this.live.slot)
    if (waiter !== this.#prober) return
    this.#prober = null
    this.state.breaker.probeCalledOff()
  }

  // ── connections ───────────────────────────────────────────────────────────────────────────────────────────

  /** Of those that may be used, the one used last but a moment ago; else the one used last. */
  takeIdle(need: 'any' | 'fresh'): ClientConnection | null {
    const idle = this.#idle
    const quietMs = this.#wire.wheel.nowMs - QUIET_MS
    let chosen = -1
    for (let at = idle.length - 1; at >= 0; at--) {
      const connection = idle[at] as ClientConnection
      if (!connection.settled || (need === 'fresh' && connection.uses > 0)) continue
      if (chosen < 0) chosen = at
      if (connection.idleSinceMs > quietMs) continue
      chosen = at
      break
    }
    return chosen < 0 ? null : (idle.splice(chosen, 1)[0] ?? null)
  }

  /** The caller has taken a slot for it. */
  dial(): ClientConnection {
    const { address, port, tls, host } = this.live
    const { config, security } = this.#owner
    const tlsName = tls ? (config.tls?.serverName ?? host) : null
    const connection = new ClientConnection(
      { address, port, tlsName, security },
      this,
      config.timeouts.connectMs,
      this.#wire,
    )
    this.#open.add(connection)
    return connection
  }

  connected(connection: ClientConnection): void {
    this.state.accepted()
    this.#idle.push(connection)
    this.#owner.dialled(this, connection)
  }

  dialFailed(connection: ClientConnection, fault: DialFault): void {
    this.state.refused(this.#nowMs)
    this.#owner.dialFailed(this, connection, fault)
  }

  idle(connection: ClientConnection): void {
    const isDistrusted = this.#wire.wheel.nowMs < this.#distrustedUntilMs
    if (
      isDistrusted ||
      this.#retired ||
      this.state.duty !== 'enabled' ||
      this.#outgoing.has(connection) ||
      !this.#owner.keeps()
    ) {
      connection.abandon()
      return
    }
    this.#idle.push(connection)
    this.#owner.returned(this)
  }

  surplus(): void {
    const nowMs = this.#wire.wheel.nowMs
    if (nowMs >= this.#distrustedUntilMs) {
      this.#distrustedUntilMs = nowMs + this.#distrustMs
      this.#distrustMs = Math.min(this.#distrustMs * 4, MAX_DISTRUST_MS)
      this.#owner.distrusted(this)
    }
    for (const connection of [...this.#idle]) if (connection.uses > 0) connection.abandon()
  }

  abandoned(connection: ClientConnection): void {
    const at = this.#idle.lastIndexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  closed(connection: ClientConnection): void {
    this.#outgoing.delete(connection)
    if (this.#open.delete(connection)) this.#owner.closed(this, connection)
  }

  /** Those open now are not used again, and those idle now close. What they carry is carried to its end. */
  retireConnections(): void {
    for (const connection of this.#open) this.#outgoing.add(connection)
    this.closeIdle()
  }

  closeIdle(): void {
    for (const connection of [...this.#idle]) connection.abandon()
  }

  /** On every tick: does as an operator said. What is cut off has failed for its exchange, as if the server had gone. */
  heedDuty(): void {
    const { duty } = this.state
    if (duty === 'enabled') return
    this.closeIdle()
    if (duty === 'disabled') for (const connection of this.#open) connection.socket.destroy()
  }

  /** It is no longer of the upstream. */
  retire(): void {
    this.#retired = true
    this.retireConnections()
  }

  get retired(): boolean {
    return this.#retired
  }

  destroy(): void {
    for (const connection of this.#open) connection.abandon()
  }

  get #nowMs(): number {
    return this.#memory.sharedMs(this.#wire.wheel.nowMs)
  }
}
