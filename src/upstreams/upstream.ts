import type tls from 'node:tls'
import type { UpstreamConfig } from '../config/config.ts'
import type { ClientConnection } from '../http1/client-connection.ts'
import type { DialFault } from '../http1/connection-owner.ts'
import type { TimerWheel } from '../http1/timer-wheel.ts'
import { Balance } from './balance.ts'
import type { ConnectionFault, ConnectionWaiter } from './connection-waiter.ts'
import { Endpoint, type EndpointOwner } from './endpoint.ts'
import { trimIdle } from './idle-trim.ts'
import type { LiveEndpoint, LiveUpstream } from './live-upstream.ts'
import type { RetryBudget } from './retry-budget.ts'
import type { UpstreamParts } from './upstream-parts.ts'
import type { Waiting } from './waiting.ts'

/** A breaker's probe may be taken by another thread while it is asked for. */
const MAX_PICKS = 3
const NONE: readonly Endpoint[] = []

/** Where requests can go: one name, its endpoints, and who waits for a connection to one of them. */
export class Upstream implements EndpointOwner {
  readonly name: string
  readonly slot: number
  readonly random: () => number
  config: UpstreamConfig
  security: tls.SecureContext | null
  readonly #parts: UpstreamParts
  readonly #balance: Balance<Endpoint>
  readonly #budget: RetryBudget
  #endpoints: readonly Endpoint[] | 'unknown' | null = null
  /** All with a connection, those that are gone from the upstream included. */
  readonly #pools = new Set<Endpoint>()
  /** In order of arrival. */
  readonly #waiting = new Map<ConnectionWaiter, Waiting>()
  /** Of those, how many have entered no endpoint. */
  #unbound = 0
  /** For whom a dial was begun. */
  readonly #dials = new Map<ClientConnection, Waiting>()
  /** Closing so that another can be opened in their place. */
  readonly #yielding = new Set<ClientConnection>()
  #serving = false
  #retired = false

  constructor(live: LiveUpstream, security: tls.SecureContext | null, parts: UpstreamParts) {
    this.name = live.config.name
    this.slot = live.slot
    this.config = live.config
    this.security = security
    this.random = parts.random
    this.#parts = parts
    this.#balance = new Balance(parts.random)
    this.#budget = parts.memory.retryBudget(live.slot)
    this.setEndpoints(live.endpoints)
  }

  /** Counts an exchange's first try, of which a share may be tried again. */
  countFirst(): void {
    this.#budget.first(this.#sharedMs)
  }

  /** Takes one retry if the budget has it. */
  tryRetry(): boolean {
    return this.#budget.tryRetry(this.#sharedMs, this.config.retry.budget)
  }

  get wheel(): TimerWheel {
    return this.#parts.wire.wheel
  }

  /** Connections that wait for use, and exchanges that wait for a connection. */
  get pool(): { readonly idle: number; readonly waiting: number } {
    let idle = 0
    for (const { idleConnections } of this.#pools) idle += idleConnections.length
    return { idle, waiting: this.#waiting.size }
  }

  /** Nothing is open and nobody waits. */
  get isQuiet(): boolean {
    return this.#waiting.size === 0 && this.#pools.size === 0
  }

  /**
   * Asks for a connection; an idle one is handed over before this returns. `key`: what a consistent hash goes by.
   * `tried`: endpoints that are asked last.
   */
  take(
    waiter: ConnectionWaiter,
    need: 'any' | 'fresh',
    key: string | null = null,
    tried: readonly Endpoint[] = NONE,
  ): void {
    if (this.#endpoints === 'unknown') {
      waiter.notConnected('unknown', null)
      return
    }
    let endpoint: Endpoint | null = null
    if (this.#unbound === 0 && this.#endpoints !== null) {
      endpoint = this.#enterOne(waiter, key, tried)
      if (endpoint === null) {
        waiter.notConnected('unavailable', null)
        return
      }
      if (need === 'any' && endpoint.queued === 0) {
        const connection = endpoint.takeIdle('any')
        if (connection !== null) {
          waiter.connected(connection, endpoint)
          return
        }
      }
    }
    this.wheel.keepTurning()
    const wantsFresh = need === 'fresh'
    const sinceMs = this.wheel.nowMs
    this.#waiting.set(waiter, { waiter, sinceMs, wantsFresh, key, tried, endpoint, dial: null })
    if (endpoint === null) this.#unbound++
    else endpoint.queued++
    this.#dial()
    if (this.#hasIdle) this.#serveSoon()
  }

  cancel(waiter: ConnectionWaiter): void {
    const waiting = this.#waiting.get(waiter)
    if (waiting === undefined) return
    this.#forget(waiting)
    this.#sayWanting()
  }

  /** A new config and its endpoints, in force from here on. `security` belongs to its `tls`. */
  apply(live: LiveUpstream, security: tls.SecureContext | null): void {
    const serverName = this.config.tls?.serverName
    this.config = live.config
    if (security !== this.security || serverName !== live.config.tls?.serverName) {
      // Whom they speak to was verified in another way.
      this.security = security
      for (const endpoint of this.#pools) endpoint.retireConnections()
    }
    this.setEndpoints(live.endpoints)
  }

  /** Null: not known yet. Those of the same slot and address stay what they are. */
  setEndpoints(found: readonly LiveEndpoint[] | 'unknown' | null): void {
    const before = Array.isArray(this.#endpoints) ? (this.#endpoints as readonly Endpoint[]) : NONE
    if (found === null || found === 'unknown') this.#endpoints = found
    else {
      const { memory, wire } = this.#parts
      this.#endpoints = found.map(
        (live) => before.find((known) => known.isOf(live)) ?? new Endpoint(live, this, memory, wire),
      )
    }
    for (const endpoint of before) if (!this.#has(endpoint)) endpoint.retire()
    for (const waiting of this.#waiting.values()) {
      if (waiting.dial === null && waiting.endpoint?.retired) this.#unbind(waiting)
    }
    this.#dial()
  }

  /** It is no longer configured: what it carries is carried to its end, and nothing is kept. */
  retire(): void {
    this.#retired = true
    this.#parts.memory.connections.unwant(this.slot)
    for (const endpoint of this.#pools) endpoint.retireConnections()
  }

  // ── what endpoints tell ───────────────────────────────────────────────────────────────────────────────────

  dialled(endpoint: Endpoint, connection: ClientConnection): void {
    this.#dials.delete(connection)
    this.#serveFrom(endpoint)
    // Nobody wants it any more, and it would not be used again.
    if ((this.#retired || endpoint.retired) && endpoint.idleConnections.includes(connection)) {
      connection.abandon()
    }
    this.#dial()
  }

  dialFailed(endpoint: Endpoint, connection: ClientConnection, { code }: DialFault): void {
    const waiting = this.#dials.get(connection)
    this.#dials.delete(connection)
    if (waiting === undefined) return
    waiting.dial = null
    endpoint.failed(waiting.waiter)
    if (this.#waiting.get(waiting.waiter) !== waiting) return
    this.#refuse(waiting, code === 'timeout' ? 'timeout' : 'refused')
  }

  keeps(): boolean {
    if (this.#retired) return false
    return this.#waiting.size > 0 || this.#parts.memory.connections.wanted(this.slot) === 0
  }

  returned(): void {
    if (this.#waiting.size > 0) this.#serveSoon()
  }

  distrusted(endpoint: Endpoint): void {
    this.#parts.onSurplus(this.name, endpoint.live.target)
  }

  closed(endpoint: Endpoint, connection: ClientConnection): void {
    this.#yielding.delete(connection)
    this.#parts.memory.connections.give(this.slot)
    if (endpoint.open === 0) this.#pools.delete(endpoint)
    if (this.#waiting.size > 0) this.#dial()
  }

  // ── time ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** On every tick: waiters whose time is over, connections idle for too long. `nowMs`: the thread's. */
  sweep(nowMs: number): void {
    const { connectMs } = this.config.timeouts
    for (const waiting of this.#waiting.values()) {
      if (nowMs - waiting.sinceMs <= connectMs) break
      const { dial, endpoint, waiter } = waiting
      // The dial's own limit is about to say so too.
      if (dial !== null && this.#dials.delete(dial)) endpoint?.failed(waiter)
      this.#refuse(waiting, dial !== null || !Array.isArray(this.#endpoints) ? 'timeout' : 'saturated')
    }
    if (this.#waiting.size > 0) this.#serve()
    this.#sayWanting()
    for (const endpoint of this.#pools) endpoint.heedDuty()
    if (this.#hasIdle) this.#trim(nowMs)
  }

  destroy(): void {
    for (const endpoint of this.#pools) endpoint.destroy()
  }

  // ── who waits ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Picks an endpoint and enters it; null: none is in service. */
  #enterOne(waiter: ConnectionWaiter, key: string | null, tried: readonly Endpoint[]): Endpoint | null {
    const endpoints = this.#endpoints
    if (endpoints === null || endpoints === 'unknown') return null
    const { balance, slowStartMs } = this.config
    const nowMs = this.#sharedMs
    for (let picks = 0; picks < MAX_PICKS; picks++) {
      const picked = this.#balance.pick(endpoints, balance.kind, key, tried, slowStartMs, nowMs)
      if (picked === null || picked.enter(waiter)) return picked
    }
    return null
  }

  /** Bytes that may be behind a response that just ended are looked for before the connection is used again. */
  #serveSoon(): void {
    if (this.#serving) return
    this.#serving = true
    this.#parts.wire.epoch.afterLook(() => {
      this.#serving = false
      this.#serve()
      if (this.#waiting.size > 0 && this.#hasUnsettled) this.#serveSoon()
    })
  }

  #serve(): void {
    for (const endpoint of this.#pools) this.#serveFrom(endpoint)
    this.#dial()
  }

  #serveFrom(endpoint: Endpoint): void {
    if (endpoint.idleConnections.length === 0 || (endpoint.queued === 0 && this.#unbound === 0)) return
    const takesAnybody = !endpoint.retired && endpoint.isInService(this.#sharedMs)
    for (const waiting of this.#waiting.values()) {
      const isOwn = waiting.endpoint === endpoint
      if (!isOwn && (waiting.endpoint !== null || !takesAnybody)) continue
      const connection = endpoint.takeIdle(waiting.wantsFresh ? 'fresh' : 'any')
      if (connection === null) {
        if (waiting.wantsFresh) continue
        break
      }
      if (!isOwn && !endpoint.enter(waiting.waiter)) {
        endpoint.idle(connection)
        break
      }
      this.#waiting.delete(waiting.waiter)
      if (isOwn) endpoint.queued--
      else this.#unbound--
      waiting.waiter.connected(connection, endpoint)
    }
  }

  /** Dials for everybody who waits and is not dialled for, within the limit of the whole process. */
  #dial(): void {
    if (this.#endpoints === 'unknown') this.#refuseAll()
    else if (this.#endpoints !== null && this.#dials.size < this.#waiting.size) this.#dialAll()
    this.#sayWanting()
  }

  #dialAll(): void {
    let unavailable: Waiting[] | null = null
    let lacking = 0
    for (const waiting of this.#waiting.values()) {
      if (waiting.dial !== null) continue
      const endpoint = waiting.endpoint ?? this.#bind(waiting)
      if (endpoint === null) {
        unavailable ??= []
        unavailable.push(waiting)
        continue
      }
      if (this.#parts.memory.connections.tryTake(this.slot, this.config.connections.max)) {
        const connection = endpoint.dial()
        this.#pools.add(endpoint)
        waiting.dial = connection
        this.#dials.set(connection, waiting)
        continue
      }
      if (this.#makeRoom(waiting, endpoint, ++lacking)) continue
      // Whoever is served by a hash waits for its own endpoint; the others take what comes.
      if (this.config.balance.kind !== 'hash' || waiting.key === null) this.#unbind(waiting)
      break
    }
    // They may ask again at once.
    if (unavailable !== null) for (const waiting of unavailable) this.#refuse(waiting, 'unavailable')
  }

  /** Whether a connection is, or soon will be, there for the one that waits: of those idle now one may have to give way. */
  #makeRoom(waiting: Waiting, endpoint: Endpoint, lacking: number): boolean {
    if (!waiting.wantsFresh && endpoint.idleConnections.length > 0) return true
    if (this.#yielding.size >= lacking) return true
    for (const other of this.#pools) {
      if (other === endpoint && !waiting.wantsFresh) continue
      // Who needs a fresh connection must not starve behind used ones.
      const connection = other.idleConnections.find(({ uses }) => uses > 0 || other !== endpoint)
      if (connection === undefined) continue
      this.#yielding.add(connection)
      connection.abandon()
      return true
    }
    return false
  }

  #bind(waiting: Waiting): Endpoint | null {
    const endpoint = this.#enterOne(waiting.waiter, waiting.key, waiting.tried)
    if (endpoint === null) return null
    waiting.endpoint = endpoint
    endpoint.queued++
    this.#unbound--
    return endpoint
  }

  #unbind(waiting: Waiting): void {
    const { endpoint, waiter } = waiting
    if (endpoint === null) return
    endpoint.leave(waiter)
    endpoint.queued--
    waiting.endpoint = null
    this.#unbound++
  }

  #forget(waiting: Waiting): void {
    this.#waiting.delete(waiting.waiter)
    this.#unbind(waiting)
    this.#unbound--
  }

  #refuse(waiting: Waiting, fault: ConnectionFault): void {
    const { endpoint, waiter } = waiting
    this.#forget(waiting)
    this.#sayWanting()
    waiter.notConnected(fault, endpoint)
  }

  #refuseAll(): void {
    for (const waiting of [...this.#waiting.values()]) this.#refuse(waiting, 'unknown')
  }

  #sayWanting(): void {
    // Its slot may be another's by now.
    if (this.#retired) return
    const { connections } = this.#parts.memory
    if (this.#waiting.size > this.#dials.size) connections.want(this.slot)
    else connections.unwant(this.slot)
  }

  #trim(nowMs: number): void {
    const { idle, idleTimeoutMs } = this.config.connections
    const { memory, threads } = this.#parts
    const isWantedElsewhere = this.#waiting.size === 0 && memory.connections.wanted(this.slot) > 0
    if (isWantedElsewhere) for (const endpoint of this.#pools) endpoint.closeIdle()
    trimIdle(this.#pools, nowMs, idleTimeoutMs, Math.max(1, Math.floor(idle / threads)))
  }

  #has(endpoint: Endpoint): boolean {
    return Array.isArray(this.#endpoints) && this.#endpoints.includes(endpoint)
  }

  get #hasIdle(): boolean {
    for (const endpoint of this.#pools) if (endpoint.idleConnections.length > 0) return true
    return false
  }

  get #hasUnsettled(): boolean {
    return [...this.#pools].some(({ idleConnections }) => idleConnections.some(({ settled }) => !settled))
  }

  get #sharedMs(): number {
    return this.#parts.memory.sharedMs(this.wheel.nowMs)
  }
}
