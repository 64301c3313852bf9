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
  /** For Host: the port only where it is not the scheme's own. */
  readonly authority: string
  /** `host:port` as logs name it. */
  readonly target: string
  readonly maxConnections: number
  /** This thread's share of the connections kept once idle for a second. */
  readonly idleShare: number
  readonly idleTimeoutMs: number
  readonly timeouts: { readonly connectMs: number; readonly headMs: number; readonly idleMs: number }
  /** Told when the upstream sent bytes that belong to no response, at most once a distrust. */
  readonly onSurplus: () => void
}

interface Waiting {
  readonly waiter: ConnectionWaiter
  readonly sinceMs: number
  /** A used connection will not do: the last one was already dead. */
  readonly wantsFresh: boolean
  /** The dial under way for it. */
  dial: ClientConnection | null
  /** Dials that were made for it and failed. */
  failures: number
}

/** From here on an idle connection counts against the number that is kept. */
const RESTING_MS = 1_000
/** An address that refused is asked last for so long. */
const REFUSING_MS = 1_000
/** After bytes that belong to no response, no connection is used a second time for so long, and four times as long each time again. */
const DISTRUST_MS = 5_000
const MAX_DISTRUST_MS = 3_600_000
/** A connection that has been idle for so long is preferred: what its last response may have behind it has shown. */
const QUIET_MS = 1

/** Where requests can go: one name, its addresses, and this thread's connections to them, used last-in first-out. */
export class Upstream implements ConnectionOwner {
  readonly options: UpstreamOptions
  readonly #index: number
  readonly #count: ConnectionCount
  readonly #wire: Wire
  readonly #idle: ClientConnection[] = []
  readonly #open = new Set<ClientConnection>()
  /** In order of arrival. */
  readonly #waiting = new Map<ConnectionWaiter, Waiting>()
  /** For whom a dial was begun, and where to. */
  readonly #dials = new Map<ClientConnection, { readonly waiting: Waiting; readonly address: string }>()
  readonly #refusedMs = new Map<string, number>()
  #addresses: readonly EndpointAddress[] | 'unknown' | null
  #turn = 0
  #serving = false
  #distrustedUntilMs = 0
  #distrustMs = DISTRUST_MS

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
    if (need === 'any' && this.#waiting.size === 0) {
      const connection = this.#takeIdle('any')
      if (connection !== null) {
        waiter.connected(connection)
        return
      }
    }
    this.#wire.wheel.keepTurning()
    const sinceMs = this.#wire.wheel.nowMs
    this.#waiting.set(waiter, { waiter, sinceMs, wantsFresh: need === 'fresh', dial: null, failures: 0 })
    this.#dial()
    if (this.#idle.length > 0) this.#serveSoon()
  }

  cancel(waiter: ConnectionWaiter): void {
    if (this.#waiting.delete(waiter)) this.#sayWanting()
  }

  setAddresses(addresses: readonly EndpointAddress[] | 'unknown'): void {
    this.#addresses = addresses
    this.#dial()
  }

  connected(connection: ClientConnection): void {
    this.#dials.delete(connection)
    this.#idle.push(connection)
    this.#serve()
  }

  dialFailed(connection: ClientConnection, fault: DialFault): void {
    const dial = this.#dials.get(connection)
    this.#dials.delete(connection)
    if (dial === undefined) return
    const { waiting, address } = dial
    const isTimeout = fault.code === 'timeout'
    if (!isTimeout) this.#refusedMs.set(address, this.#wire.wheel.nowMs)
    waiting.dial = null
    if (this.#waiting.get(waiting.waiter) !== waiting) return
    const known = Array.isArray(this.#addresses) ? this.#addresses.length : 0
    // Nothing was sent: the next address may be tried, once the dead socket's place is given back (`closed`).
    if (!isTimeout && ++waiting.failures < known) return
    this.#waiting.delete(waiting.waiter)
    this.#sayWanting()
    waiting.waiter.notConnected(isTimeout ? 'timeout' : 'refused')
  }

  idle(connection: ClientConnection): void {
    const isWantedElsewhere = this.#count.wanted(this.#index) > 0 && this.#waiting.size === 0
    if (isWantedElsewhere || this.#wire.wheel.nowMs < this.#distrustedUntilMs) {
      connection.abandon()
      return
    }
    this.#idle.push(connection)
    if (this.#waiting.size > 0) this.#serveSoon()
  }

  surplus(): void {
    const nowMs = this.#wire.wheel.nowMs
    if (nowMs >= this.#distrustedUntilMs) {
      this.#distrustedUntilMs = nowMs + this.#distrustMs
      this.#distrustMs = Math.min(this.#distrustMs * 4, MAX_DISTRUST_MS)
      this.options.onSurplus()
    }
    for (const connection of [...this.#idle]) if (connection.uses > 0) connection.abandon()
  }

  abandoned(connection: ClientConnection): void {
    const at = this.#idle.lastIndexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  closed(connection: ClientConnection): void {
    if (this.#open.delete(connection)) this.#count.give(this.#index)
    if (this.#waiting.size > 0) this.#dial()
  }

  /** On every tick: waiters whose time is over, connections idle for too long. */
  sweep(nowMs: number): void {
    const { connectMs } = this.options.timeouts
    for (const { waiter, sinceMs, dial } of this.#waiting.values()) {
      if (nowMs - sinceMs <= connectMs) break
      this.#waiting.delete(waiter)
      waiter.notConnected(dial !== null || !Array.isArray(this.#addresses) ? 'timeout' : 'saturated')
    }
    if (this.#waiting.size > 0) this.#serve()
    this.#sayWanting()
    if (this.#idle.length > 0) this.#trim(nowMs)
  }

  destroy(): void {
    for (const connection of this.#open) connection.abandon()
  }

  /** Of those that may be used, the one used last but a moment ago; else the one used last. */
  #takeIdle(need: 'any' | 'fresh'): ClientConnection | null {
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

  /** Bytes that may be behind a response that just ended are looked for before the connection is used again. */
  #serveSoon(): void {
    if (this.#serving) return
    this.#serving = true
    this.#wire.epoch.afterLook(() => {
      this.#serving = false
      this.#serve()
      if (this.#waiting.size > 0 && this.#idle.some((connection) => !connection.settled)) this.#serveSoon()
    })
  }

  #serve(): void {
    for (const { waiter, wantsFresh } of this.#waiting.values()) {
      const connection = this.#takeIdle(wantsFresh ? 'fresh' : 'any')
      if (connection === null) {
        if (wantsFresh) continue
        break
      }
      this.#waiting.delete(waiter)
      waiter.connected(connection)
    }
    this.#dial()
  }

  /** Dials for everybody who waits and is not dialled for, within the limit of the whole process. */
  #dial(): void {
    const addresses = this.#addresses
    if (addresses === 'unknown') {
      this.#refuseAll()
      return
    }
    if (addresses === null || addresses.length === 0) return
    if (this.#dials.size < this.#waiting.size) {
      for (const waiting of this.#waiting.values()) {
        if (waiting.dial !== null) continue
        if (!this.#count.tryTake(this.#index, this.options.maxConnections)) {
          if (waiting.wantsFresh) this.#makeRoom()
          break
        }
        this.#dialFor(waiting, addresses)
      }
    }
    this.#sayWanting()
  }

  #dialFor(waiting: Waiting, addresses: readonly EndpointAddress[]): void {
    const { port, tls, host, timeouts } = this.options
    const address = this.#nextAddress(addresses)
    const dial = { address, port, tlsName: tls ? host : null }
    const connection = new ClientConnection(dial, this, timeouts, this.#wire)
    waiting.dial = connection
    this.#dials.set(connection, { waiting, address })
    this.#open.add(connection)
  }

  /** In turn; those that refused a moment ago only if all did. */
  #nextAddress(addresses: readonly EndpointAddress[]): string {
    const nowMs = this.#wire.wheel.nowMs
    for (let tried = 0; tried < addresses.length; tried++) {
      const { address } = addresses[this.#turn++ % addresses.length] as EndpointAddress
      const refusedMs = this.#refusedMs.get(address)
      if (refusedMs === undefined) return address
      if (nowMs - refusedMs > REFUSING_MS) {
        this.#refusedMs.delete(address)
        return address
      }
    }
    return (addresses[this.#turn++ % addresses.length] as EndpointAddress).address
  }

  /** Who needs a fresh connection must not starve behind used ones. */
  #makeRoom(): void {
    this.#idle.find((connection) => connection.uses > 0)?.abandon()
  }

  #refuseAll(): void {
    const refused = [...this.#waiting.keys()]
    this.#waiting.clear()
    this.#sayWanting()
    for (const waiter of refused) waiter.notConnected('unknown')
  }

  #sayWanting(): void {
    if (this.#waiting.size > this.#dials.size) this.#count.want(this.#index)
    else this.#count.unwant(this.#index)
  }

  #trim(nowMs: number): void {
    const { idleShare, idleTimeoutMs } = this.options
    const wantedElsewhere = this.#waiting.size === 0 && this.#count.wanted(this.#index) > 0
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
