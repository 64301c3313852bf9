import {
  createSigningKey,
  type PublishedKey,
  publishedKey,
  type SigningKey,
  signingKeyOf,
} from '../assertion/signing-key.ts'
import type { StartTimer } from './start-timer.ts'

/** Upstreams that fetch the key set once a day miss no key: each is published a day before it signs and a day after. */
const ROTATION_MS = 86_400_000

export interface AssertionKeysOptions {
  /** The operator's own key to begin with, as PEM; null: those of the process. */
  readonly own: string | null
  readonly startTimer: StartTimer
  /** To every data thread: what signs from now on. */
  readonly changed: (key: SigningKey) => void
  /** For tests. */
  readonly create?: () => SigningKey
}

/** The keys that assertions are signed with: made by the process and changed every day, or the operator's own. */
export class AssertionKeys {
  readonly #options: AssertionKeysOptions
  readonly #create: () => SigningKey
  #current: SigningKey
  #next: SigningKey
  /** The operator's; null: those of the process sign. */
  #own: SigningKey | null
  /** Signed within this rotation, and within the one before. */
  #retired: SigningKey[] = []
  #retiredBefore: readonly SigningKey[] = []
  #cancel: () => void

  constructor(options: AssertionKeysOptions) {
    this.#options = options
    this.#create = options.create ?? createSigningKey
    this.#current = this.#create()
    this.#next = this.#create()
    this.#own = options.own === null ? null : signingKeyOf(options.own)
    this.#cancel = this.#wait()
  }

  /** What data threads sign with where the operator has no key; private. */
  get current(): SigningKey {
    return this.#current
  }

  /** What upstreams may meet, the one that signs first. */
  get published(): readonly PublishedKey[] {
    const signing = this.#own === null ? [this.#current, this.#next] : [this.#own]
    const keys = [...signing, ...this.#retired, ...this.#retiredBefore]
    return [...new Map(keys.map((key) => [key.kid, publishedKey(key)])).values()]
  }

  /** Another key of the operator's, or none, from now on. To be told before anything signs with it. */
  useOwn(pem: string | null): void {
    const next = pem === null ? null : signingKeyOf(pem)
    if (next?.kid === this.#own?.kid) return
    this.#retired.push(this.#own ?? this.#current)
    this.#own = next
  }

  close(): void {
    this.#cancel()
  }

  #wait(): () => void {
    return this.#options.startTimer(ROTATION_MS, () => this.#rotate())
  }

  #rotate(): void {
    this.#retiredBefore = [...this.#retired, ...(this.#own === null ? [this.#current] : [])]
    this.#retired = []
    this.#current = this.#next
    this.#next = this.#create()
    this.#cancel = this.#wait()
    this.#options.changed(this.#current)
  }
}
