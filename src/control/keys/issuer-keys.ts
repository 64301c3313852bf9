import type { PublicJwk } from '../../jwt/jwk.ts'
import { usableJwks } from '../../jwt/key-set.ts'
import type { Clock } from '../../lib/clock.ts'
import { errorCode } from '../error-code.ts'
import type { Log } from '../log-writer.ts'
import type { StartTimer } from '../start-timer.ts'
import type { FetchFault, FetchJson } from './fetch-json.ts'
import { type FetchedKeys, fetchKeys, type KeyOrigin } from './fetch-keys.ts'
import type { KeyStore } from './key-store.ts'

/** So much of a delay is drawn, so that a fleet started at once does not ask at once for ever. */
const JITTER = 0.1

/** What keeping keys takes of the world. */
export interface KeyWorld {
  readonly fetchJson: FetchJson
  /** Null: nothing is kept across restarts. */
  readonly store: KeyStore | null
  readonly clock: Clock
  readonly startTimer: StartTimer
  /** 0 to below 1. */
  readonly random: () => number
  readonly log: Log
}

export interface IssuerKeysOptions extends KeyOrigin {
  /** The issuer's configured name. */
  readonly name: string
  /** The keys are others than before; empty once they are too old to be believed. */
  readonly changed: (jwks: readonly PublicJwk[]) => void
}

/** For metrics; counts are since the start. */
export interface KeyFigures {
  readonly keys: number
  /** Their names; null of a key that has none. */
  readonly kids: readonly (string | null)[]
  readonly fetches: number
  readonly failures: number
  readonly changes: number
  /** Questions of data threads. */
  readonly unknownKids: number
  /** Milliseconds since the epoch; null: never. */
  readonly fetchedAtMs: number | null
  /** Why the last fetch came to nothing, without what was sent; null if it did not. */
  readonly fault: string | null
}

/**
 * The keys of one remote issuer. Fetched at the start and again before they are old, one fetch at a time, never two
 * within a cooldown whoever asks; while fetching fails the last good ones serve until they are too old.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions
  readonly #world: KeyWorld
  #jwks: readonly PublicJwk[] = []
  #flight: Promise<void> | null = null
  /** Monotonic; when the last fetch began. */
  #askedMs = Number.NEGATIVE_INFINITY
  #cancelNext: (() => void) | null = null
  #cancelEnd: (() => void) | null = null
  #failuresInRow = 0
  #saving: Promise<void> | null = null
  #closed = false
  readonly #figures = {
    fetches: 0,
    failures: 0,
    changes: 0,
    unknownKids: 0,
    fetchedAtMs: null as number | null,
    fault: null as string | null,
  }

  constructor(options: IssuerKeysOptions, world: KeyWorld) {
    this.#options = options
    this.#world = world
  }

  get jwks(): readonly PublicJwk[] {
    return this.#jwks
  }

  get figures(): KeyFigures {
    return { keys: this.#jwks.length, kids: this.#jwks.map(({ kid }) => kid), ...this.#figures }
  }

  /** What the last run left serves until the first fetch is done. Settles with the former: a disk that hangs holds up no fetch. */
  start(): Promise<void> {
    void this.#fetch()
    return this.#restore()
  }

  /** Settles when nothing is being written any more; nobody has to wait for it. */
  async close(): Promise<void> {
    this.#closed = true
    this.#cancelNext?.()
    this.#cancelEnd?.()
    await this.#saving
  }

  /** Settles when all is done that may be done about it now: milliseconds until asking again can help. */
  async unknownKid(kid: string): Promise<number> {
    this.#figures.unknownKids++
    if (!this.#closed && !this.#jwks.some((jwk) => jwk.kid === kid)) {
      if (this.#flight !== null || this.#restMs() === 0) await this.#fetch()
    }
    return this.#restMs()
  }

  /** What is left of the cooldown. */
  #restMs(): number {
    const { cooldownMs } = this.#options.source
    return Math.max(0, this.#askedMs + cooldownMs - this.#world.clock.monotonicMs())
  }

  async #restore(): Promise<void> {
    const { name, source, algorithms } = this.#options
    const stored = (await this.#world.store?.load(name)) ?? null
    if (this.#closed || stored === null || stored.url !== source.url) return
    if (this.#figures.fetchedAtMs !== null) return // the network was quicker
    // A clock that was set back makes them no younger than now.
    const ageMs = Math.max(0, this.#world.clock.wallMs() - stored.fetchedAtMs)
    const jwks = usableJwks(stored.jwks, algorithms)
    if (ageMs >= source.maxStaleMs || jwks.length === 0) return
    this.#figures.fetchedAtMs = stored.fetchedAtMs
    this.#set(jwks, 'Keys restored')
    this.#endAfter(source.maxStaleMs - ageMs)
  }

  #fetch(): Promise<void> {
    this.#flight ??= this.#fetchOnce().finally(() => {
      this.#flight = null
    })
    return this.#flight
  }

  async #fetchOnce(): Promise<void> {
    this.#cancelNext?.()
    this.#askedMs = this.#world.clock.monotonicMs()
    this.#figures.fetches++
    const fetched = await fetchKeys(this.#options, this.#world.fetchJson)
    if (this.#closed) return
    const delayMs = fetched.ok ? this.#succeeded(fetched) : this.#failed(fetched)
    this.#cancelNext = this.#world.startTimer(delayMs, () => void this.#fetch())
    // Not waited for: a disk that hangs holds up nobody's keys.
    if (fetched.ok && this.#saving === null) {
      this.#saving = this.#save(fetched.jwks).finally(() => {
        this.#saving = null
      })
    }
  }

  #succeeded({ jwks, leftOut, maxAgeMs }: FetchedKeys): number {
    const { name, source } = this.#options
    const { log, clock } = this.#world
    if (this.#failuresInRow > 0) log.log('info', 'Keys fetched again', { issuer: name })
    this.#failuresInRow = 0
    this.#figures.fault = null
    this.#figures.fetchedAtMs = clock.wallMs()
    if (!sameKeys(this.#jwks, jwks)) this.#set(jwks, 'Keys changed', leftOut)
    this.#endAfter(source.maxStaleMs)
    const wantedMs = Math.min(maxAgeMs ?? source.refreshMs, source.refreshMs)
    return Math.max(source.cooldownMs, wantedMs * (1 - JITTER * this.#world.random()))
  }

  #failed({ reason }: FetchFault): number {
    const { name, source } = this.#options
    this.#figures.failures++
    this.#figures.fault = reason
    if (this.#failuresInRow++ === 0)
      this.#world.log.log('warning', 'Keys not fetched', {
        issuer: name,
        reason,
        keys_that_serve: this.#jwks.length,
      })
    return source.cooldownMs * (1 + JITTER * this.#world.random())
  }

  #set(jwks: readonly PublicJwk[], event: string, leftOut = 0): void {
    const { name, changed } = this.#options
    const [before, after] = [kidsOf(this.#jwks), kidsOf(jwks)]
    const added = after.filter((kid) => !before.includes(kid)).join(' ')
    const removed = before.filter((kid) => !after.includes(kid)).join(' ')
    this.#world.log.log('info', event, { issuer: name, keys: jwks.length, left_out: leftOut, added, removed })
    this.#jwks = jwks
    this.#figures.changes++
    changed(jwks)
  }

  /** Monotonic: a clock that steps makes keys neither older nor younger. */
  #endAfter(delayMs: number): void {
    this.#cancelEnd?.()
    this.#cancelEnd = this.#world.startTimer(delayMs, () => {
      this.#world.log.log('error', 'Keys too old to be believed', { issuer: this.#options.name })
      this.#set([], 'Keys dropped')
    })
  }

  async #save(jwks: readonly PublicJwk[]): Promise<void> {
    const { name, source } = this.#options
    const { store, log, clock } = this.#world
    try {
      await store?.save(name, { url: source.url, fetchedAtMs: clock.wallMs(), jwks })
    } catch (error) {
      log.log('warning', 'Keys not kept on disk', { issuer: name, code: errorCode(error) ?? 'UNKNOWN' })
    }
  }
}

function kidsOf(jwks: readonly PublicJwk[]): readonly string[] {
  return jwks.map(({ kid }) => kid ?? '(unnamed)')
}

/** Whatever the order they are published in. */
function sameKeys(one: readonly PublicJwk[], other: readonly PublicJwk[]): boolean {
  const texts = (jwks: readonly PublicJwk[]): string =>
    JSON.stringify(jwks.map((jwk) => JSON.stringify(jwk)).sort())
  return texts(one) === texts(other)
}
