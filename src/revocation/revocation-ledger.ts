import { type Revocation, type RevocationKind, RevocationSet } from './revocation-set.ts'

/** Control to data threads: what changed. Each is answered with the number of the last one applied. */
export interface RevocationsMessage {
  readonly kind: 'revocations'
  readonly number: number
  readonly revoked: readonly Revocation[]
  readonly lifted: readonly Pick<Revocation, 'kind' | 'value'>[]
}

/** A data thread to control: every change up to this one is in force there. */
export interface RevocationsAppliedMessage {
  readonly kind: 'revocations-applied'
  readonly number: number
}

/** Keeps revocations beyond this process; replicas that share it tell each other. All reject when it cannot be reached. */
export interface RevocationStore {
  load(): Promise<readonly Revocation[]>
  put(revocation: Revocation): Promise<void>
  remove(kind: RevocationKind, value: string): Promise<void>
}

export interface RevocationLedgerOptions {
  /** Seconds since the epoch, by the wall clock. */
  readonly nowS: () => number
  /** Null: revocations last as long as the process. */
  readonly store: RevocationStore | null
  /** To every data thread that joined. */
  readonly send: (message: RevocationsMessage) => void
  /** Default 100,000: 9 MiB a thread (bench/micro/identity.ts). */
  readonly maxEntries?: number
}

/** `full`: nothing was revoked. `unstored`: in force in this process, but the store did not take it. */
export type RevocationOutcome = 'done' | 'unstored' | 'full'

const MAX_ENTRIES = 100_000

interface Waiting {
  readonly number: number
  readonly resolve: () => void
}

/** Control's book of what is revoked: changes it, keeps it, and knows when every data thread has followed. */
export class RevocationLedger {
  readonly #options: RevocationLedgerOptions
  readonly #set = new RevocationSet()
  /** The last change each data thread has applied, by row. */
  readonly #applied = new Map<number, number>()
  #waiting: Waiting[] = []
  #number = 0

  constructor(options: RevocationLedgerOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#set.size
  }

  /** What the store holds is in force once this settles. Rejects when the store cannot be reached. */
  async start(): Promise<void> {
    const stored = (await this.#options.store?.load()) ?? []
    await this.merge(stored)
  }

  /** What others put into the store or took out of it: in force here, and not put there again. */
  async merge(revocations: readonly Revocation[], lifted: RevocationsMessage['lifted'] = []): Promise<void> {
    for (const { kind, value } of lifted) this.#set.lift(kind, value)
    for (const revocation of revocations) this.#set.revoke(revocation)
    await this.#tell(revocations, lifted)
  }

  /** Those that are over included, until they are swept. */
  [Symbol.iterator](): Iterator<Revocation> {
    return this.#set[Symbol.iterator]()
  }

  /** What a data thread would begin with. */
  known(): RevocationsMessage {
    return { kind: 'revocations', number: this.#number, revoked: [...this.#set], lifted: [] }
  }

  /** Settles when it is in force on every data thread and in the store. */
  async revoke(revocation: Revocation): Promise<RevocationOutcome> {
    const { store, maxEntries = MAX_ENTRIES } = this.#options
    const isFull = (): boolean =>
      this.#set.size >= maxEntries && !this.#set.has(revocation.kind, revocation.value)
    if (isFull()) await this.sweep()
    if (isFull()) return 'full'
    this.#set.revoke(revocation)
    const told = this.#tell([revocation], [])
    const stored = await isDone(store?.put(revocation))
    await told
    return stored ? 'done' : 'unstored'
  }

  /** Null: nothing of the kind is revoked. */
  async lift(kind: RevocationKind, value: string): Promise<RevocationOutcome | null> {
    if (!this.#set.lift(kind, value)) return null
    const told = this.#tell([], [{ kind, value }])
    const stored = await isDone(this.#options.store?.remove(kind, value))
    await told
    return stored ? 'done' : 'unstored'
  }

  /** Forgets what is over, to be called now and then; stores forget by themselves. */
  async sweep(): Promise<void> {
    const nowS = this.#options.nowS()
    const over = [...this.#set].filter(({ untilS }) => untilS !== null && untilS <= nowS)
    for (const { kind, value } of over) this.#set.lift(kind, value)
    await this.#tell([], over)
  }

  /** A data thread is there; what it is to begin with. Everything that changes from now on is sent to it. */
  join(row: number): RevocationsMessage {
    this.#applied.set(row, this.#number)
    return this.known()
  }

  /** It is gone: nobody waits for it any longer. */
  leave(row: number): void {
    this.#applied.delete(row)
    this.#settle()
  }

  applied(row: number, { number }: RevocationsAppliedMessage): void {
    if (this.#applied.has(row)) this.#applied.set(row, number)
    this.#settle()
  }

  #tell(revoked: readonly Revocation[], lifted: RevocationsMessage['lifted']): Promise<void> {
    if (revoked.length + lifted.length === 0) return Promise.resolve()
    this.#number++
    const number = this.#number
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ number, resolve })
    this.#options.send({ kind: 'revocations', number, revoked, lifted })
    this.#settle()
    return promise
  }

  #settle(): void {
    let least = Number.POSITIVE_INFINITY
    for (const number of this.#applied.values()) least = Math.min(least, number)
    const [over, waiting]: [Waiting[], Waiting[]] = [[], []]
    for (const entry of this.#waiting) (entry.number <= least ? over : waiting).push(entry)
    this.#waiting = waiting
    for (const { resolve } of over) resolve()
  }
}

/** What a data thread does with a message; the answer goes back to control. */
export function applyRevocations(
  set: RevocationSet,
  { number, revoked, lifted }: RevocationsMessage,
): RevocationsAppliedMessage {
  for (const { kind, value } of lifted) set.lift(kind, value)
  for (const revocation of revoked) set.revoke(revocation)
  return { kind: 'revocations-applied', number }
}

async function isDone(stored: Promise<void> | undefined): Promise<boolean> {
  try {
    await stored
    return true
  } catch {
    return false
  }
}
