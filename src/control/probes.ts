import type { HealthConfig } from '../config/config.ts'
import { upstreamUrl } from '../config/upstream-url.ts'
import type { LiveEndpoint, LiveUpstream } from '../upstreams/live-upstream.ts'
import type { Log } from './log-writer.ts'
import type { Probe, ProbeTarget } from './probe-request.ts'
import type { StartTimer } from './start-timer.ts'

export type Health = 'up' | 'down'

export interface ProbesOptions {
  readonly probe: Probe
  readonly startTimer: StartTimer
  /** 0 … 1, 1 excluded. */
  readonly random: () => number
  readonly setHealth: (slot: number, health: Health) => void
  readonly log: Log
}

/** An endpoint under watch. */
interface Seat {
  readonly upstream: string
  readonly target: ProbeTarget
  readonly health: HealthConfig
  /** What it is watched by: anything else makes another seat. */
  readonly terms: string
  isUp: boolean
  /** In a row. */
  failures: number
  successes: number
  /** Stops what is under way: the pause or the probe. */
  cancel: () => void
}

/**
 * Active health checks: each endpoint of an upstream with `health` is asked once an interval. It is in service until
 * shown otherwise, out after `down` failures in a row, and back after `up` successes.
 */
export class Probes {
  readonly #options: ProbesOptions
  /** By the endpoint's slot. */
  readonly #seats = new Map<number, Seat>()

  constructor(options: ProbesOptions) {
    this.#options = options
  }

  /** Watches these from now on, and no others. What is watched as before goes on undisturbed. */
  follow(upstreams: readonly LiveUpstream[]): void {
    const wanted = new Map<number, Seat>()
    for (const upstream of upstreams) {
      const { health } = upstream.config
      if (health === null || !Array.isArray(upstream.endpoints)) continue
      for (const endpoint of upstream.endpoints) {
        wanted.set(endpoint.slot, this.#seatOf(upstream, endpoint, health))
      }
    }
    for (const [slot, seat] of this.#seats) {
      if (wanted.get(slot) === seat) continue
      seat.cancel()
      if (!wanted.has(slot)) this.#options.setHealth(slot, 'up')
    }
    for (const [slot, seat] of wanted) {
      if (this.#seats.get(slot) === seat) continue
      // Spread from the beginning: many endpoints are known at the same moment.
      this.#askLater(seat, seat.health.intervalMs * this.#options.random())
    }
    this.#seats.clear()
    for (const [slot, seat] of wanted) this.#seats.set(slot, seat)
  }

  close(): void {
    for (const seat of this.#seats.values()) seat.cancel()
    this.#seats.clear()
  }

  #seatOf(upstream: LiveUpstream, endpoint: LiveEndpoint, health: HealthConfig): Seat {
    const { name, endpoints, tls } = upstream.config
    const path = upstreamUrl(endpoints[0]?.url ?? '').basePath + health.path
    const terms = JSON.stringify([name, endpoint, path, health])
    const known = this.#seats.get(endpoint.slot)
    if (known?.terms === terms) return known
    const isUp = known === undefined || known.upstream !== name || known.isUp
    const target = { endpoint, path, tls }
    return { upstream: name, target, health, terms, isUp, failures: 0, successes: 0, cancel: () => {} }
  }

  #askLater(seat: Seat, delayMs: number): void {
    seat.cancel = this.#options.startTimer(delayMs, () => this.#ask(seat))
  }

  #ask(seat: Seat): void {
    const { probe, startTimer } = this.#options
    const cancelTimeout = startTimer(seat.health.timeoutMs, () => {
      giveUp()
      this.#judge(seat, 'timeout')
    })
    const giveUp = probe(seat.target, (fault) => {
      cancelTimeout()
      this.#judge(seat, fault)
    })
    seat.cancel = () => {
      cancelTimeout()
      giveUp()
    }
  }

  #judge(seat: Seat, fault: string | null): void {
    const { down, up } = seat.health
    if (fault === null) {
      seat.failures = 0
      seat.successes += 1
      if (!seat.isUp && seat.successes >= up) this.#set(seat, 'up', null)
    } else {
      seat.successes = 0
      seat.failures += 1
      if (seat.isUp && seat.failures >= down) this.#set(seat, 'down', fault)
    }
    this.#askLater(seat, this.#pauseMs(seat))
  }

  /**
   * An interval, a tenth more or less, so that endpoints and gateways do not fall into step. One that is down is asked
   * a little sooner, and again a tenth of an interval after its first success: it is back within an interval.
   */
  #pauseMs({ isUp, successes, health }: Seat): number {
    const drawn = this.#options.random()
    if (isUp) return health.intervalMs * (0.9 + 0.2 * drawn)
    return successes > 0 ? health.intervalMs / 10 : health.intervalMs * (0.8 + 0.1 * drawn)
  }

  #set(seat: Seat, health: Health, reason: string | null): void {
    const { log, setHealth } = this.#options
    const { endpoint } = seat.target
    seat.isUp = health === 'up'
    setHealth(endpoint.slot, health)
    const fields = { upstream: seat.upstream, target: endpoint.target, address: endpoint.address }
    if (health === 'up') log.log('info', 'Endpoint is healthy again', fields)
    else log.log('warning', 'Endpoint is unhealthy', { ...fields, reason })
  }
}
