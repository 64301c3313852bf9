import type { IssuerConfig } from '../../jwt/issuer.ts'
import type { KeysCheckedMessage, KeysMessage, UnknownKidMessage } from '../../jwt/key-message.ts'
import type { KeyOrigin } from './fetch-keys.ts'
import { IssuerKeys, type KeyFigures, type KeyWorld } from './issuer-keys.ts'

/** How long a question about an issuer that is not configured any more is in vain. */
const GONE_MS = 60_000

interface Kept {
  readonly keys: IssuerKeys
  /** Of what was configured, to be known again. */
  readonly origin: string
}

/** Keeps the published keys of every remote issuer for all data threads. Nothing waits for it: ready is ready without. */
export class KeyKeeper {
  readonly #world: KeyWorld
  readonly #changed: (message: KeysMessage) => void
  #issuers: ReadonlyMap<string, Kept> = new Map()

  /** `changed`: to be sent to every data thread. */
  constructor(world: KeyWorld, changed: (message: KeysMessage) => void) {
    this.#world = world
    this.#changed = changed
  }

  /**
   * Keeps these issuers' keys from now on; those with keys of the operator's own are left out. An issuer that was kept
   * before, from the same place, goes on as it is: a reload fetches nothing. Settles once what is on disk is known.
   */
  async replace(issuers: readonly IssuerConfig[]): Promise<void> {
    const before = this.#issuers
    const next = new Map<string, Kept>()
    const starting: Promise<void>[] = []
    for (const { name, keys: source, algorithms } of issuers) {
      if (source.kind !== 'jwks' && source.kind !== 'discovery') continue
      const origin = JSON.stringify([source, algorithms])
      const known = before.get(name)
      const kept =
        known?.origin === origin ? known : { origin, keys: this.#open(name, { source, algorithms }) }
      if (kept !== known) starting.push(kept.keys.start())
      next.set(name, kept)
    }
    this.#issuers = next
    for (const [name, { keys }] of before) if (next.get(name)?.keys !== keys) void keys.close()
    await Promise.all(starting)
  }

  /** What a data thread that begins now is to know. */
  known(): readonly KeysMessage[] {
    return [...this.#issuers].map(([issuer, { keys }]) => ({ kind: 'keys', issuer, jwks: keys.jwks }))
  }

  /** The answer is for the thread that asked, behind the keys that changed. */
  async unknownKid({ issuer, kid }: UnknownKidMessage): Promise<KeysCheckedMessage> {
    const retryMs = (await this.#issuers.get(issuer)?.keys.unknownKid(kid)) ?? GONE_MS
    return { kind: 'keys-checked', issuer, retryMs }
  }

  figures(): readonly (KeyFigures & { readonly issuer: string })[] {
    return [...this.#issuers].map(([issuer, { keys }]) => ({ issuer, ...keys.figures }))
  }

  /** Settles when nothing is being written any more; nobody has to wait for it. */
  async close(): Promise<void> {
    await Promise.all([...this.#issuers.values()].map(({ keys }) => keys.close()))
  }

  #open(name: string, origin: KeyOrigin): IssuerKeys {
    const changed = (jwks: KeysMessage['jwks']): void => this.#changed({ kind: 'keys', issuer: name, jwks })
    return new IssuerKeys({ name, ...origin, changed }, this.#world)
  }
}
