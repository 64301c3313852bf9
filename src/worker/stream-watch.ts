import type { Gate } from '../admission/gate.ts'
import { MOST_PLACES, NO_PLACE, type PlaceCount } from '../limits/place-count.ts'
import { leavePlace } from '../policies/admission.ts'
import type { Exchange } from '../proxy/exchange.ts'
import type { Streams } from '../proxy/streams.ts'

/** A response that is open for so long keeps nobody busy all the time: it is counted as a stream. */
const LONG_MS = 10_000

/**
 * Counts a thread's streams, with those of all threads, and gives back what they held as exchanges. Responses that may
 * become long are looked at on every tick, oldest first: none has a timer of its own.
 */
export class StreamWatch implements Streams {
  readonly #places: PlaceCount
  readonly #gate: Gate
  /** In the order in which their responses began. */
  readonly #watched = new Set<Exchange>()

  constructor(places: PlaceCount, gate: Gate) {
    this.#places = places
    this.#gate = gate
  }

  enter(exchange: Exchange): boolean {
    if (exchange.stream === 'counted') return true
    const limits = exchange.choice?.upstream.config.streams ?? null
    if (limits === null) return true
    this.#take(exchange, limits.max, limits.perTenant)
    if (exchange.streamPlace !== NO_PLACE && !this.#lacksTenantPlace(exchange)) return true
    this.#give(exchange)
    return false
  }

  begin(exchange: Exchange): void {
    // What shadowed policies hold is held by copies.
    for (let held: Exchange | null = exchange; held !== null; held = held.shade) leavePlace(held, this.#gate)
  }

  watch(exchange: Exchange): void {
    if (exchange.stream !== 'none') return
    exchange.stream = 'watched'
    this.#watched.add(exchange)
  }

  leave(exchange: Exchange): void {
    if (exchange.stream === 'watched') this.#watched.delete(exchange)
    this.#give(exchange)
  }

  /** On every tick; `nowMs`: on the clock of exchanges. */
  sweep(nowMs: number): void {
    for (const exchange of this.#watched) {
      if (nowMs - exchange.respondedMs < LONG_MS) return
      this.#watched.delete(exchange)
      this.begin(exchange)
      // It is under way: too late to refuse it.
      if (exchange.choice?.upstream.config.streams) this.#take(exchange, MOST_PLACES, MOST_PLACES)
      else exchange.stream = 'none'
    }
  }

  #take(exchange: Exchange, max: number, perTenant: number): void {
    const { choice, identity } = exchange
    if (choice === null) return
    const { slot } = choice.upstream
    exchange.stream = 'counted'
    exchange.streamPlace = this.#places.tryTake(`${slot}`, max)
    if (identity !== null)
      exchange.tenantStreamPlace = this.#places.tryTake(`${slot} ${identity.tenant}`, perTenant)
  }

  #lacksTenantPlace({ identity, tenantStreamPlace }: Exchange): boolean {
    return identity !== null && tenantStreamPlace === NO_PLACE
  }

  #give(exchange: Exchange): void {
    this.#places.give(exchange.streamPlace)
    this.#places.give(exchange.tenantStreamPlace)
    exchange.streamPlace = NO_PLACE
    exchange.tenantStreamPlace = NO_PLACE
    exchange.stream = 'none'
  }
}
