import type { IssuerConfig } from '../../jwt/issuer.ts'
import type { KeysCheckedMessage, KeysMessage, UnknownKidMessage } from '../../jwt/key-message.ts'
import { IssuerKeys, type KeyFigures, type KeyWorld } from './issuer-keys.ts'

/** How long a question about an issuer that is not configured any more is in vain. */
const GONE_MS = 60_000

/** Keeps the published keys of every remote issuer for all data threads. Nothing waits for it: ready is ready without. */
export class KeyKeeper {
  readonly #issuers = new Map<string, IssuerKeys>()

  /** `changed`: to be sent to every data thread. Issuers with keys of the operator's own are left out. */
  constructor(issuers: readonly IssuerConfig[], world: KeyWorld, changed: (message: KeysMessage) => void) {
    for (const { name, keys: source, algorithms } of issuers) {
      if (source.kind !== 'jwks' && source.kind !== 'discovery') continue
      const options = {
        ...{ name, source, algorithms },
        changed: (jwks: KeysMessage['jwks']) => changed({ kind: 'keys', issuer: name, jwks }),
      }
      this.#issuers.set(name, new IssuerKeys(options, world))
    }
  }

  /** Settles once what is on disk is known, which takes no network. */
  async start(): Promise<void> {
    await Promise.all([...this.#issuers.values()].map((keys) => keys.start()))
  }

  /** What a data thread that begins now is to know. */
  known(): readonly KeysMessage[] {
    return [...this.#issuers].map(([issuer, { jwks }]) => ({ kind: 'keys', issuer, jwks }))
  }

  /** The answer is for the thread that asked, behind the keys that changed. */
  async unknownKid({ issuer, kid }: UnknownKidMessage): Promise<KeysCheckedMessage> {
    const keys = this.#issuers.get(issuer)
    const retryMs = keys === undefined ? GONE_MS : await keys.unknownKid(kid)
    return { kind: 'keys-checked', issuer, retryMs }
  }

  figures(): readonly (KeyFigures & { readonly issuer: string })[] {
    return [...this.#issuers].map(([issuer, { figures }]) => ({ issuer, ...figures }))
  }

  /** Settles when nothing is being written any more; nobody has to wait for it. */
  async close(): Promise<void> {
    await Promise.all([...this.#issuers.values()].map((keys) => keys.close()))
  }
}
