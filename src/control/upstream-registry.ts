import type { UpstreamConfig } from '../config/config.ts'
import type { LiveUpstream } from '../upstreams/live-upstream.ts'
import { ENDPOINT_SLOTS, UPSTREAM_SLOTS } from '../upstreams/upstream-memory.ts'
import type { Log } from './log-writer.ts'
import type { Probe } from './probe-request.ts'
import { type Health, Probes } from './probes.ts'
import { type Lookup, Resolver } from './resolver.ts'
import { SlotBook, type SlotUse } from './slot-book.ts'
import type { StartTimer } from './start-timer.ts'
import { UpstreamRoster } from './upstream-roster.ts'

/** So often it is looked whether threads have let go of slots. */
const COLLECT_MS = 1_000

export interface UpstreamRegistryOptions {
  readonly upstreamUse: SlotUse
  readonly endpointUse: SlotUse
  readonly setHealth: (slot: number, health: Health) => void
  readonly lookup: Lookup
  readonly probe: Probe
  readonly startTimer: StartTimer
  readonly random: () => number
  readonly log: Log
  /** An upstream in force has other endpoints than before. */
  readonly changed: (upstream: LiveUpstream) => void
}

/** What control finds out of upstreams while they are configured: slots, addresses, health. */
export class UpstreamRegistry {
  readonly #options: UpstreamRegistryOptions
  readonly #upstreamSlots: SlotBook
  readonly #endpointSlots: SlotBook
  readonly #resolver: Resolver
  readonly #probes: Probes
  #inForce: UpstreamRoster | null = null
  /** Prepared, and neither put in force nor dropped yet. */
  #next: UpstreamRoster | null = null
  #cancelCollect: (() => void) | null = null

  constructor(options: UpstreamRegistryOptions) {
    const { lookup, startTimer, log, probe, random, setHealth } = options
    this.#options = options
    this.#upstreamSlots = new SlotBook(UPSTREAM_SLOTS, options.upstreamUse)
    this.#endpointSlots = new SlotBook(ENDPOINT_SLOTS, options.endpointUse)
    this.#resolver = new Resolver({ lookup, startTimer, log, changed: (host) => this.#resolved(host) })
    this.#probes = new Probes({ probe, startTimer, random, setHealth, log })
  }

  /** As threads are to know them now. */
  get live(): readonly LiveUpstream[] {
    return this.#inForce?.live ?? []
  }

  /** Gives the upstreams of a config their slots and begins to resolve their names. False if there are not enough slots. */
  prepare(upstreams: readonly UpstreamConfig[]): boolean {
    this.drop()
    const { log } = this.#options
    const next = UpstreamRoster.open(upstreams, {
      upstreamSlots: this.#upstreamSlots,
      endpointSlots: this.#endpointSlots,
      addressesOf: (host) => this.#resolver.addressesOf(host),
      overflowed: (upstream, target) =>
        log.log('error', 'Endpoint left out: too many', { upstream, target, most: ENDPOINT_SLOTS }),
    })
    if (next === null) return false
    this.#next = next
    this.#resolver.follow([...next.hosts, ...(this.#inForce?.hosts ?? [])])
    return true
  }

  /** What was prepared, as it is known now. */
  get prepared(): readonly LiveUpstream[] {
    return this.#next?.live ?? []
  }

  /** Puts in force what was prepared. Threads are to be told in the same turn, before anything else of upstreams. */
  commit(): void {
    if (this.#next === null) return
    const before = this.#inForce
    this.#inForce = this.#next
    this.#next = null
    before?.release()
    this.#settle()
  }

  /** Forgets what was prepared. */
  drop(): void {
    if (this.#next === null) return
    this.#next.release()
    this.#next = null
    this.#settle()
  }

  close(): void {
    this.#resolver.close()
    this.#probes.close()
    this.#cancelCollect?.()
    this.#cancelCollect = null
  }

  #settle(): void {
    this.#resolver.follow(this.#inForce?.hosts ?? [])
    this.#probes.follow(this.live)
    this.#collectLater()
  }

  #resolved(host: string): void {
    this.#next?.refresh(host)
    const changed = this.#inForce?.refresh(host) ?? []
    if (changed.length === 0) return
    for (const upstream of changed) this.#options.changed(upstream)
    this.#probes.follow(this.live)
    this.#collectLater()
  }

  #collectLater(): void {
    if (this.#cancelCollect !== null) return
    if (this.#upstreamSlots.left === 0 && this.#endpointSlots.left === 0) return
    this.#cancelCollect = this.#options.startTimer(COLLECT_MS, () => {
      this.#cancelCollect = null
      this.#upstreamSlots.collect()
      this.#endpointSlots.collect()
      this.#collectLater()
    })
  }
}
