import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import type { UpstreamConfig } from '../config/config.ts'
import { type UpstreamUrl, upstreamUrl } from '../config/upstream-url.ts'
import type { LiveEndpoint, LiveUpstream } from '../upstreams/live-upstream.ts'
import type { Address, Addresses } from './resolver.ts'
import type { SlotBook } from './slot-book.ts'

export interface RosterParts {
  /** By name. */
  readonly upstreamSlots: SlotBook
  /** By everything that makes an endpoint the same one. */
  readonly endpointSlots: SlotBook
  /** What is known of a name now; null: nothing yet. */
  readonly addressesOf: (host: string) => Addresses | null
  /** An endpoint that no slot is left for; it gets no traffic. */
  readonly overflowed: (upstream: string, target: string) => void
}

interface Entry {
  readonly urls: readonly UpstreamUrl[]
  /** Of everything that decides how TLS is spoken: other options make another endpoint. */
  readonly tlsDigest: string
  /** Keys of the slots its endpoints hold. */
  held: ReadonlySet<string>
  live: LiveUpstream
}

/** The upstreams of one config with what is known of them. Holds its slots until `release`. */
export class UpstreamRoster {
  /** Names to be resolved, each once. */
  readonly hosts: readonly string[]
  readonly #parts: RosterParts
  readonly #entries = new Map<string, Entry>()

  private constructor(configs: readonly UpstreamConfig[], parts: RosterParts) {
    this.#parts = parts
    this.hosts = namesOf(configs.flatMap(({ endpoints }) => endpoints.map(({ url }) => url)))
  }

  /** Null if there are more upstreams than slots. */
  static open(configs: readonly UpstreamConfig[], parts: RosterParts): UpstreamRoster | null {
    const roster = new UpstreamRoster(configs, parts)
    for (const config of configs) {
      if (roster.#enter(config)) continue
      roster.release()
      return null
    }
    return roster
  }

  get live(): readonly LiveUpstream[] {
    return [...this.#entries.values()].map((entry) => entry.live)
  }

  /** Takes up what is known of a name now; gives the upstreams whose endpoints changed by it. */
  refresh(host: string): readonly LiveUpstream[] {
    const changed: LiveUpstream[] = []
    for (const entry of this.#entries.values()) {
      if (!entry.urls.some((url) => url.host === host)) continue
      const before = JSON.stringify(entry.live.endpoints)
      this.#resolve(entry)
      if (JSON.stringify(entry.live.endpoints) !== before) changed.push(entry.live)
    }
    return changed
  }

  release(): void {
    for (const [name, { held }] of this.#entries) {
      for (const key of held) this.#parts.endpointSlots.give(key)
      this.#parts.upstreamSlots.give(name)
    }
    this.#entries.clear()
  }

  #enter(config: UpstreamConfig): boolean {
    const slot = this.#parts.upstreamSlots.take(config.name)
    if (slot === null) return false
    const entry: Entry = {
      urls: config.endpoints.map(({ url }) => upstreamUrl(url)),
      tlsDigest: config.tls === null ? '' : digest(JSON.stringify(config.tls)),
      held: new Set(),
      live: { config, slot, endpoints: null },
    }
    this.#entries.set(config.name, entry)
    this.#resolve(entry)
    return true
  }

  #resolve(entry: Entry): void {
    const { config, slot } = entry.live
    const found = entry.urls.map((url) => ({ url, addresses: this.#addressesOf(url.host) }))
    const known = found.flatMap(({ url, addresses }) =>
      Array.isArray(addresses) ? addresses.map((address: Address) => ({ url, address })) : [],
    )
    const held = new Set<string>()
    const endpoints: LiveEndpoint[] = []
    for (const { url, address } of known) {
      const key = JSON.stringify([config.name, url.tls, url.target, address.address, entry.tlsDigest])
      if (held.has(key)) continue
      const taken = this.#parts.endpointSlots.take(key)
      if (taken === null) {
        this.#parts.overflowed(config.name, url.target)
        continue
      }
      held.add(key)
      endpoints.push(liveEndpoint(taken, url, address))
    }
    for (const key of entry.held) this.#parts.endpointSlots.give(key)
    entry.held = held
    const nothing = found.every(({ addresses }) => addresses === 'unknown') ? 'unknown' : null
    entry.live = { config, slot, endpoints: known.length > 0 ? endpoints : nothing }
  }

  #addressesOf(host: string): Addresses | null {
    const family = isIP(host)
    if (family === 0) return this.#parts.addressesOf(host)
    return [{ address: host, family: family === 6 ? 6 : 4 }]
  }
}

/** The names among the hosts of these URLs, each once. An IP literal needs no resolving. */
export function namesOf(urls: readonly string[]): readonly string[] {
  const hosts = urls.map((url) => upstreamUrl(url).host)
  return [...new Set(hosts)].filter((host) => isIP(host) === 0)
}

function liveEndpoint(slot: number, url: UpstreamUrl, { address, family }: Address): LiveEndpoint {
  const { port, tls, host, authority, target } = url
  return { slot, address, family, port, tls, host, authority, target }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
