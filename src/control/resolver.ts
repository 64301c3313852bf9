import { lookup } from 'node:dns/promises'
import { errorCode } from './error-code.ts'
import type { Log } from './log-writer.ts'
import type { StartTimer } from './start-timer.ts'

const REFRESH_MS = 30_000
const RETRY_MIN_MS = 1_000
const RETRY_MAX_MS = 5_000

/** The resolver's word that there is no such name, or no address of it; anything else is its own trouble. */
const UNKNOWN_CODES: readonly string[] = ['ENOTFOUND', 'ENODATA']

/** Every address of a name, in the order the system prefers. Rejects with an error that has a `code`. */
export type Lookup = (host: string) => Promise<readonly Address[]>

export const systemLookup: Lookup = async (host) => {
  const found = await lookup(host, { all: true, order: 'verbatim' })
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}

export interface Address {
  readonly address: string
  readonly family: 4 | 6
}

export type Addresses = readonly Address[] | 'unknown'

export interface ResolverOptions {
  readonly lookup: Lookup
  readonly startTimer: StartTimer
  readonly log: Log
  /** A name's addresses are known now, or others than before. */
  readonly changed: (host: string, addresses: Addresses) => void
}

interface Name {
  readonly host: string
  /** Null until the first answer. */
  addresses: Addresses | null
  /** In a row. */
  failures: number
  cancel: (() => void) | null
  /** Nobody follows it any more: an answer on its way is not for anybody. */
  isLeft: boolean
}

/**
 * Keeps the addresses of upstreams' names for all threads. One lookup per name at a time, each 30 s; a failing one is
 * repeated after 1 s to 5 s while the last good answer serves. A lookup that hangs holds up its own name only.
 */
export class Resolver {
  readonly #options: ResolverOptions
  readonly #names = new Map<string, Name>()

  constructor(options: ResolverOptions) {
    this.#options = options
  }

  /** Keeps these names resolved from now on, and no others. Names; an IP literal needs no resolving. */
  follow(hosts: readonly string[]): void {
    const wanted = new Set(hosts)
    for (const [host, name] of this.#names) {
      if (wanted.has(host)) continue
      name.isLeft = true
      name.cancel?.()
      this.#names.delete(host)
    }
    for (const host of wanted) {
      if (this.#names.has(host)) continue
      const name: Name = { host, addresses: null, failures: 0, cancel: null, isLeft: false }
      this.#names.set(host, name)
      void this.#resolve(name)
    }
  }

  /** What is known now; null before a name's first answer. */
  addressesOf(host: string): Addresses | null {
    return this.#names.get(host)?.addresses ?? null
  }

  close(): void {
    this.follow([])
  }

  async #resolve(name: Name): Promise<void> {
    let delayMs = REFRESH_MS
    try {
      const found = await this.#options.lookup(name.host)
      if (name.isLeft) return
      if (found.length === 0) delayMs = this.#failed(name, 'ENODATA')
      else this.#found(name, found)
    } catch (error) {
      if (name.isLeft) return
      delayMs = this.#failed(name, errorCode(error) ?? 'UNKNOWN')
    }
    name.cancel = this.#options.startTimer(delayMs, () => void this.#resolve(name))
  }

  #found(name: Name, found: readonly Address[]): void {
    const { log } = this.#options
    if (name.failures > 0) log.log('info', 'Name resolved again', { host: name.host })
    name.failures = 0
    if (name.addresses !== null && name.addresses !== 'unknown' && sameSet(name.addresses, found)) return
    const addresses = found.map(({ address }) => address).join(' ')
    log.log('debug', 'Addresses changed', { host: name.host, addresses })
    this.#set(name, found)
  }

  #failed(name: Name, code: string): number {
    const { log } = this.#options
    const serves = name.addresses !== null && name.addresses !== 'unknown'
    if (name.failures === 0) {
      log.log('warning', 'Name not resolved', { host: name.host, code, last_answer_serves: serves })
    }
    name.failures += 1
    if (name.addresses === null && UNKNOWN_CODES.includes(code)) this.#set(name, 'unknown')
    return Math.min(RETRY_MIN_MS * 2 ** (name.failures - 1), RETRY_MAX_MS)
  }

  #set(name: Name, addresses: Addresses): void {
    name.addresses = addresses
    this.#options.changed(name.host, addresses)
  }
}

/** Name servers rotate the order of their answers; that alone is no change. */
function sameSet(before: readonly Address[], after: readonly Address[]): boolean {
  if (before.length !== after.length) return false
  const known = new Set(before.map(({ address }) => address))
  return after.every(({ address }) => known.has(address))
}
