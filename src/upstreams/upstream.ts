import { ClientConnection, type ConnectionOwner, type DialFault } from '../http1/client-connection.ts'
import type { Wire } from '../http1/wire.ts'
import type { ConnectionCount } from './connection-count.ts'

/** An address an upstream's name stands for. */
export interface EndpointAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** Why no connection could be had: `unknown` name, `refused` (or unreachable, or TLS refused), connect `timeout`, or no place within the limit (`saturated`). */
export type ConnectionFault = 'unknown' | 'refused' | 'timeout' | 'saturated'

/** Waits for a connection; asked at once or later, exactly one of the two, unless cancelled. */
export interface ConnectionWaiter {
  connected(connection: ClientConnection): void
  notConnected(fault: ConnectionFault): void
}

export interface UpstreamOptions {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly tls: boolean
  /** `host:port` as logs name it. */
  readonly target: string
  readonly maxConnections: number
  /** This thread's share of the connections kept once idle for a second. */
  readonly idleShare: number
  readonly idleTimeoutMs: number
  readonly timeouts: { readonly connectMs: number; readonly headMs: number; readonly idleMs: number }
}

interface Waiting {
  readonly waiter: ConnectionWaiter
  readonly sinceMs: number
  /** A used connection will not do: the last one was already dead. */
  readonly wantsFresh: boolean
  /** Dials that were made for it and failed. */
  failures: number
}

/** From here on an idle connection counts against the number that is kept. */
const RESTING_MS = 1_000

/** Where requests can go: one name, its addresses, and this thread's connections to them, used last-in first-out. */
export class Upstream implements ConnectionOwner {
  readonly options: UpstreamOptions
  readonly #index: number
  readonly #count: ConnectionCount
  readonly #wire: Wire
  readonly #idle: ClientConnection[] = []
  readonly #open = new Set<ClientConnection>()
  #waiting: Waiting[] = []
  #dialling = 0
  #addresses: readonly EndpointAddress[] | 'unknown' | null
  #turn = 0
  #serving = false

  /** `addresses`: null while the name is being resolved. `index`: its row in the shared count. */
  constructor(
    options: UpstreamOptions,
    addresses: readonly EndpointAddress[] | 'unknown' | null,
    index: number,
    count: ConnectionCount,
    wire: Wire,
  ) {
    this.options = options
    this.#addresses = addresses
    this.#index = index
    this.#count = count
    this.#wire = wire
  }

  /** Asks for a connection; an idle one is handed over before this returns. */
  take(waiter: ConnectionWaiter, need: 'any' | 'fresh'): void {
    if (need === 'any' && this.#waiting.length === 0) {
      const connection = this.#takeIdle()
      if (connection !== null) {
        waiter.connected(connection)
        return
      }
    }
    const sinceMs = this.#wire.wheel.nowMs
    this.#waiting.push({ waiter, sinceMs, wantsFresh: need === 'fresh', failures: 0 })
    this.#wire.wheel.keepTurning()
    this.#dial()
  }

  cancel(waiter: ConnectionWaiter): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.waiter !== waiter)
    this.#sayWanting()
  }

  setAddresses(addresses: readonly EndpointAddress[] | 'unknown'): void {
    this.#addresses = addresses
    this.#dial()
  }

  connected(connection: ClientConnection): void {
    this.#dialling--
    this.#idle.push(connection)
    this.#serve()
  }

  dialFailed(_connection: ClientConnection, fault: DialFault): void {
    this.#dialling--
    const waiting = this.#waiting[0]
    if (waiting === undefined) return
    const known = Array.isArray(this.#addresses) ? this.#addresses.length : 0
    if (fault.code !== 'timeout' && ++waiting.failures < known) {
      // Nothing was sent: the next address may be tried without asking. The dead socket's place is given back first.
      setImmediate(() => this.#dial())
      return
    }
    this.#waiting.shift()
    this.#sayWanting()
    waiting.waiter.notConnected(fault.code === 'timeout' ? 'timeout' : 'refused')
  }

  idle(connection: ClientConnection): void {
    if (this.#count.wanted(this.#index) > 0 && this.#waiting.length === 0) {
      connection.abandon() // another thread waits for its place
      return
    }
    this.#idle.push(connection)
    if (this.#waiting.length > 0) this.#serveSoon()
  }

  closed(connection: ClientConnection): void {
    if (this.#open.delete(connection)) this.#count.give(this.#index)
    const at = this.#idle.lastIndexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    if (this.#waiting.length > 0) this.#dial()
  }

  /** On every tick: waiters whose time is over, connections idle for too long. */
  sweep(nowMs: number): void {
    const { connectMs } = this.options.timeouts
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0] as Waiting
      if (nowMs - first.sinceMs <= connectMs) break
      this.#waiting.shift()
      first.waiter.notConnected(
        this.#dialling > 0 || !Array.isArray(this.#addresses) ? 'timeout' : 'saturated',
      )
    }
    if (this.#waiting.length > 0) this.#serve()
    this.#sayWanting()
    this.#trim(nowMs)
  }

  destroy(): void {
    for (const connection of this.#open) connection.abandon()
  }

  #takeIdle(): ClientConnection | null {
    const idle = this.#idle
    for (let at = idle.length - 1; at >= 0; at--) {
      const connection = idle[at] as ClientConnection
      if (!connection.settled) continue
      idle.splice(at, 1)
      return connection
    }
    return null
  }

  /** Bytes that may be behind a response that just ended are looked for before the connection is used again. */
  #serveSoon(): void {
    if (this.#serving) return
    this.#serving = true
    setImmediate(() => {
      this.#serving = false
      this.#serve()
    })
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const connection = this.#takeIdle()
      if (connection === null) break
      const at = connection.uses === 0 ? 0 : this.#waiting.findIndex((waiting) => !waiting.wantsFresh)
      if (at < 0) {
        this.#idle.push(connection)
        break
      }
      const [waiting] = this.#waiting.splice(at, 1)
      waiting?.waiter.connected(connection)
    }
    this.#dial()
  }

  /** Dials as long as more wait than are being dialled for, within the limit of the whole process. */
  #dial(): void {
    const addresses = this.#addresses
    if (addresses === 'unknown') {
      this.#refuseAll()
      return
    }
    if (addresses === null || addresses.length === 0) return
    const { maxConnections, port, tls, host, timeouts } = this.options
    while (this.#dialling < this.#waiting.length) {
      if (!this.#count.tryTake(this.#index, maxConnections)) {
        this.#makeRoom()
        break
      }
      const { address } = addresses[this.#turn++ % addresses.length] as EndpointAddress
      this.#dialling++
      const dial = { address, port, tlsName: tls ? host : null }
      this.#open.add(new ClientConnection(dial, this, timeouts, this.#wire))
    }
    this.#sayWanting()
  }

  /** A waiter that needs a fresh connection must not starve behind used ones. */
  #makeRoom(): void {
    if (this.#waiting[0]?.wantsFresh === true) this.#idle.pop()?.abandon()
  }

  #refuseAll(): void {
    const refused = this.#waiting
    this.#waiting = []
    this.#sayWanting()
    for (const { waiter } of refused) waiter.notConnected('unknown')
  }

  #sayWanting(): void {
    if (this.#waiting.length > this.#dialling) this.#count.want(this.#index)
    else this.#count.unwant(this.#index)
  }

  #trim(nowMs: number): void {
    const { idleShare, idleTimeoutMs } = this.options
    const wantedElsewhere = this.#waiting.length === 0 && this.#count.wanted(this.#index) > 0
    let resting = 0
    // The oldest are at the bottom; what is released often stays on top and is never idle for long.
    for (const connection of [...this.#idle].reverse()) {
      const idleMs = nowMs - connection.idleSinceMs
      const limitMs = connection.keepAliveMs > 0 ? connection.keepAliveMs - 1_000 : idleTimeoutMs
      if (idleMs > RESTING_MS) resting++
      if (idleMs > limitMs || resting > idleShare || wantedElsewhere) connection.abandon()
    }
  }
}
