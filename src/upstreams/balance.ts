import type { BalanceConfig } from '../config/config.ts'
import type { EndpointState } from './endpoint-state.ts'
import { hashText, mixHashes } from './hash.ts'

/** How fit an endpoint is for an exchange; the least is best, and OUT is never taken. */
const FIT = 0
/** Its share grows while it comes back, and this exchange is not of it. */
const RISING = 1
/** It refused a moment ago, or this exchange has tried it. */
const LAST = 2
const OUT = 3

const HASH_RANGE = 2 ** 32

/** What balancing goes by. */
export interface Candidate {
  readonly hash: number
  /** Exchanges in it now, in all threads. */
  readonly inFlight: number
  readonly state: Pick<EndpointState, 'isRefusing' | 'share'>
  isInService(nowMs: number): boolean
}

/** Which endpoint of an upstream an exchange goes to. */
export class Balance<Endpoint extends Candidate> {
  readonly #random: () => number
  #turn = 0
  /** Ranks of one pick. */
  readonly #ranks: number[] = []

  /** `random`: 0 up to 1. */
  constructor(random: () => number) {
    this.#random = random
  }

  /**
   * Null: none is in service. `key`: what a consistent hash goes by; null balances by load. `tried`: asked last.
   * `nowMs`: the shared memory's.
   */
  pick(
    endpoints: readonly Endpoint[],
    kind: BalanceConfig['kind'],
    key: string | null,
    tried: readonly Endpoint[],
    slowStartMs: number,
    nowMs: number,
  ): Endpoint | null {
    const [only] = endpoints
    if (only === undefined) return null
    if (endpoints.length === 1) return only.isInService(nowMs) ? only : null
    const keyHash = kind === 'hash' && key !== null ? hashText(key) : -1
    if (kind !== 'round-robin' && keyHash < 0 && slowStartMs === 0) {
      const pair = this.#pickOfTwo(endpoints, tried, nowMs)
      if (pair !== null) return pair
    }
    const ranks = this.#ranks
    let best = OUT
    for (let index = 0; index < endpoints.length; index++) {
      const rank = this.#rank(endpoints[index] as Endpoint, keyHash, tried, slowStartMs, nowMs)
      ranks[index] = rank
      if (rank < best) best = rank
    }
    if (best === OUT) return null
    if (keyHash >= 0) return this.#highest(endpoints, best, keyHash)
    if (kind === 'round-robin') return this.#next(endpoints, best)
    return this.#lessLoaded(endpoints, best, slowStartMs, nowMs)
  }

  /** The common case, whatever the number of endpoints: two drawn at random are both fit. */
  #pickOfTwo(endpoints: readonly Endpoint[], tried: readonly Endpoint[], nowMs: number): Endpoint | null {
    const first = this.#draw(endpoints.length)
    const step = 1 + this.#draw(endpoints.length - 1)
    const one = endpoints[first] as Endpoint
    const other = endpoints[(first + step) % endpoints.length] as Endpoint
    if (this.#rank(one, -1, tried, 0, nowMs) !== FIT) return null
    if (this.#rank(other, -1, tried, 0, nowMs) !== FIT) return null
    return other.inFlight < one.inFlight ? other : one
  }

  #lessLoaded(endpoints: readonly Endpoint[], best: number, slowStartMs: number, nowMs: number): Endpoint {
    const count = this.#countOf(endpoints.length, best)
    const first = this.#draw(count)
    const one = this.#nth(endpoints, best, first)
    if (count === 1) return one
    const other = this.#nth(endpoints, best, (first + 1 + this.#draw(count - 1)) % count)
    // One that comes back has little to do: by load it would win every time, and get twice its share.
    if (one.state.share(slowStartMs, nowMs) < 1 || other.state.share(slowStartMs, nowMs) < 1) return one
    return other.inFlight < one.inFlight ? other : one
  }

  #next(endpoints: readonly Endpoint[], best: number): Endpoint {
    let at = this.#turn % endpoints.length
    while (this.#ranks[at] !== best) at = (at + 1) % endpoints.length
    this.#turn = at + 1
    return endpoints[at] as Endpoint
  }

  /** Rendezvous (Thaler and Ravishankar 1996): an endpoint that goes or comes moves its own keys only. */
  #highest(endpoints: readonly Endpoint[], best: number, keyHash: number): Endpoint {
    let highest = -1
    let chosen = 0
    for (let index = 0; index < endpoints.length; index++) {
      if (this.#ranks[index] !== best) continue
      const score = mixHashes(keyHash, (endpoints[index] as Endpoint).hash)
      if (score <= highest) continue
      highest = score
      chosen = index
    }
    return endpoints[chosen] as Endpoint
  }

  #rank(
    endpoint: Endpoint,
    keyHash: number,
    tried: readonly Endpoint[],
    slowStartMs: number,
    nowMs: number,
  ): number {
    if (!endpoint.isInService(nowMs)) return OUT
    if (endpoint.state.isRefusing(nowMs) || tried.includes(endpoint)) return LAST
    const share = endpoint.state.share(slowStartMs, nowMs)
    if (share >= 1) return FIT
    // A key goes over to an endpoint that comes back once, and stays.
    const drawn = keyHash < 0 ? this.#random() : mixHashes(endpoint.hash, keyHash) / HASH_RANGE
    return drawn < share ? FIT : RISING
  }

  #countOf(length: number, rank: number): number {
    let count = 0
    for (let index = 0; index < length; index++) if (this.#ranks[index] === rank) count++
    return count
  }

  /** The nth of that rank; there are more. */
  #nth(endpoints: readonly Endpoint[], rank: number, n: number): Endpoint {
    let left = n
    let at = 0
    while (this.#ranks[at] !== rank || left-- > 0) at++
    return endpoints[at] as Endpoint
  }

  #draw(below: number): number {
    return Math.floor(this.#random() * below)
  }
}
