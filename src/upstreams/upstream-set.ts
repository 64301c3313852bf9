import type tls from 'node:tls'
import type { UpstreamTlsConfig } from '../config/config.ts'
import { securityOf } from '../http1/socket.ts'
import type { LiveEndpoint, LiveUpstream } from './live-upstream.ts'
import { Upstream } from './upstream.ts'
import type { UpstreamParts } from './upstream-parts.ts'

/** Upstreams by the name that routes give. */
export interface UpstreamLookup {
  get(name: string): Upstream | null
}

/** A thread's upstreams. They outlast reloads: an upstream is the same for as long as its name and slot are. */
export class UpstreamSet implements UpstreamLookup {
  readonly #parts: UpstreamParts
  #current = new Map<string, Upstream>()
  /** Made for a config that is not in force yet. */
  readonly #prepared = new Map<string, Upstream>()
  /** No longer configured; exchanges of older configs may still be in them. */
  readonly #retired = new Set<Upstream>()
  readonly #securities = new Map<string, tls.SecureContext>()

  constructor(parts: UpstreamParts) {
    this.#parts = parts
  }

  /** In force now. */
  get(name: string): Upstream | null {
    return this.#current.get(name) ?? null
  }

  /** All in force. */
  get current(): Iterable<Upstream> {
    return this.#current.values()
  }

  /**
   * The upstreams of a config that is to come into force, for its routes to hold: those that run already, untouched,
   * and new ones. Throws what OpenSSL says of a certificate or key it cannot use.
   */
  prepare(live: readonly LiveUpstream[]): UpstreamLookup {
    const names = new Set(live.map(({ config }) => config.name))
    for (const upstream of live) {
      this.#security(upstream.config.tls)
      if (this.#known(upstream) === null) this.#prepared.set(upstream.config.name, this.#open(upstream))
    }
    return { get: (name) => (names.has(name) ? (this.#prepared.get(name) ?? this.get(name)) : null) }
  }

  /** Puts a config in force: new limits, endpoints and certificates at once, what is gone once it has ended. */
  apply(live: readonly LiveUpstream[]): void {
    const next = new Map<string, Upstream>()
    for (const upstream of live) {
      const { name, tls } = upstream.config
      const known = this.#known(upstream) ?? this.#open(upstream)
      known.apply(upstream, this.#security(tls))
      next.set(name, known)
    }
    for (const [name, upstream] of this.#current) {
      if (next.get(name) === upstream) continue
      upstream.retire()
      this.#retired.add(upstream)
    }
    this.#current = next
    this.#prepared.clear()
    const used = new Set(live.map(({ config }) => JSON.stringify(config.tls)))
    for (const key of this.#securities.keys()) if (!used.has(key)) this.#securities.delete(key)
  }

  /** What the resolver found since. */
  setEndpoints(name: string, endpoints: readonly LiveEndpoint[] | 'unknown' | null): void {
    this.#current.get(name)?.setEndpoints(endpoints)
    this.#prepared.get(name)?.setEndpoints(endpoints)
  }

  /** On every tick; `nowMs`: the thread's monotonic time. */
  sweep(nowMs: number): void {
    for (const upstream of this.#current.values()) upstream.sweep(nowMs)
    for (const upstream of this.#retired) {
      upstream.sweep(nowMs)
      if (upstream.isQuiet) this.#retired.delete(upstream)
    }
  }

  destroy(): void {
    for (const upstream of this.#current.values()) upstream.destroy()
    for (const upstream of this.#retired) upstream.destroy()
  }

  #known({ config, slot }: LiveUpstream): Upstream | null {
    const known = this.#prepared.get(config.name) ?? this.#current.get(config.name)
    return known !== undefined && known.slot === slot ? known : null
  }

  #open(live: LiveUpstream): Upstream {
    return new Upstream(live, this.#security(live.config.tls), this.#parts)
  }

  /** One for the same certificates, however often they are configured. */
  #security(tls: UpstreamTlsConfig | null): tls.SecureContext | null {
    if (tls === null || (tls.ca === null && tls.certificate === null)) return null
    const key = JSON.stringify(tls)
    const known = this.#securities.get(key)
    if (known !== undefined) return known
    const made = securityOf(tls)
    this.#securities.set(key, made)
    return made
  }
}
