import type { Config } from '../config/config.ts'
import type { ConnectStore } from '../limits/store-connection.ts'
import { StoreLink } from '../limits/store-link.ts'
import { RedisRevocationStore } from '../revocation/redis-store.ts'
import { RevocationLedger } from '../revocation/revocation-ledger.ts'
import type { ControlMessage, IdentityAnswer } from '../worker/messages.ts'
import type { IdentityBirth } from '../worker/thread-identity.ts'
import type { KeyWorld } from './keys/issuer-keys.ts'
import { KeyKeeper } from './keys/key-keeper.ts'

/** How often revocations that are over are forgotten. */
const SWEEP_MS = 60_000
/** How long a start waits for what a store says is revoked. */
const FIRST_WORD_MS = 1_000
/** What the store may take for an answer: nobody's request waits for it. */
const STORE_BUDGET_MS = 500
/** An issuer of this machine is there again when the gateway is. */
const OF_THIS_MACHINE = /^http:\/\/(?:127\.|localhost[:/]|\[::1\])/

export interface IdentityThreads {
  post(message: ControlMessage): void
  postTo(row: number, message: ControlMessage): void
}

export interface IdentityDeskOptions {
  readonly keyWorld: KeyWorld
  /** Asked for when needed: they know the desk before it knows them. */
  readonly threads: () => IdentityThreads
  /** By a store's URL. */
  readonly connectorOf: (url: string) => ConnectStore
}

/** A store of revocations, and the way to it. */
interface OpenStore {
  readonly url: string
  readonly store: RedisRevocationStore
  readonly link: StoreLink
}

/** What control knows of who calls, for all data threads: published keys, and what is revoked. */
export class IdentityDesk {
  readonly keys: KeyKeeper
  readonly revocations: RevocationLedger
  readonly #options: IdentityDeskOptions
  #store: OpenStore | null = null
  #cancelSweep: () => void = () => {}
  #isWarned = false

  constructor(options: IdentityDeskOptions) {
    const { keyWorld, threads } = options
    const store = (): RedisRevocationStore | null => this.#store?.store ?? null
    this.#options = options
    this.keys = new KeyKeeper(keyWorld, (message) => threads().post(message))
    this.revocations = new RevocationLedger({
      nowS: () => keyWorld.clock.wallMs() / 1_000,
      // The store a reload brings is another one.
      get store() {
        return store()
      },
      send: (message) => threads().post(message),
    })
  }

  /** Whether revocations reach further than this process. */
  get isShared(): boolean {
    return this.#store !== null
  }

  /** Settles when threads may be born: what a store knows is in force with them, if it says so in time. */
  async start(config: Config): Promise<void> {
    this.#sweepLater()
    this.#keep(config)
    const first = this.#follow(config.store.redis)
    if (first === null) return
    const { startTimer, log } = this.#options.keyWorld
    const { promise, resolve } = Promise.withResolvers<'late'>()
    const cancel = startTimer(FIRST_WORD_MS, () => resolve('late'))
    const outcome = await Promise.race([first, promise])
    cancel()
    if (outcome === 'late') log.log('warning', 'What the store says is revoked is not known yet', {})
  }

  /** In the turn in which it comes into force, before threads are told of it: no key of a former place is believed then. */
  replace(config: Config): void {
    this.#keep(config)
    for (const message of this.keys.known()) this.#options.threads().post(message)
    void this.#follow(config.store.redis)
  }

  /** For a thread that is born now; it is waited for from then on. */
  birth(row: number): IdentityBirth {
    return { keys: this.keys.known(), revocations: this.revocations.join(row) }
  }

  /** For whoever only wants to know. */
  known(): IdentityBirth {
    return { keys: this.keys.known(), revocations: this.revocations.known() }
  }

  died(row: number): void {
    this.revocations.leave(row)
  }

  said(row: number, message: IdentityAnswer): void {
    if (message.kind === 'revocations-applied') {
      this.revocations.applied(row, message)
      return
    }
    // Behind the keys that changed, which go the same way.
    void this.keys.unknownKid(message).then((answer) => this.#options.threads().postTo(row, answer))
  }

  close(): void {
    this.#cancelSweep()
    this.#leaveStore()
    void this.keys.close()
  }

  #keep({ identity }: Config): void {
    const { keyWorld } = this.#options
    const isRemote = identity.issuers.some(({ keys }) => 'url' in keys && !OF_THIS_MACHINE.test(keys.url))
    if (isRemote && keyWorld.store === null && !this.#isWarned) {
      this.#isWarned = true
      keyWorld.log.log('warning', 'Published keys are not kept on disk: GATEWAY_STATE_DIR is not set', {})
    }
    void this.keys.replace(identity.issuers)
  }

  /** Goes by this store from now on; null: by none, or by the one it went by already. Settles with its first word. */
  #follow(url: string | null): Promise<void> | null {
    if (url === (this.#store?.url ?? null)) return null
    this.#leaveStore()
    if (url === null) return null
    const { promise, resolve } = Promise.withResolvers<void>()
    const { clock, startTimer, random, log } = this.#options.keyWorld
    const link = new StoreLink({
      connect: this.#options.connectorOf(url),
      ...{ probe: ['PING'], budgetMs: STORE_BUDGET_MS, nowMs: clock.monotonicMs, startTimer, random },
      changed: (state, reason) => {
        if (state === 'down') log.log('warning', 'Store of revocations lost', { reason })
        else {
          log.log('info', 'Store of revocations reached', {})
          void store.poll().then(resolve)
        }
      },
    })
    const store = new RedisRevocationStore({
      ...{ link, startTimer, nowS: () => clock.wallMs() / 1_000 },
      known: () => this.revocations,
      changed: (revoked, lifted) => void this.revocations.merge(revoked, lifted),
    })
    this.#store = { url, store, link }
    store.tellAll()
    link.start()
    return promise
  }

  #leaveStore(): void {
    this.#store?.store.close()
    this.#store?.link.stop()
    this.#store = null
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#options.keyWorld.startTimer(SWEEP_MS, () => {
      void this.revocations.sweep()
      this.#sweepLater()
    })
  }
}
