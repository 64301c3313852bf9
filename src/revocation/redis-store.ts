import type { StoreLink } from '../limits/store-link.ts'
import type { RevocationStore } from './revocation-ledger.ts'
import type { Revocation, RevocationKind } from './revocation-set.ts'

/** One hash: `<kind>:<value>` → seconds since the epoch, empty for no end; and a count of all changes. */
const KEY = 'nyro:revocations'
const COUNT = 'changes'
/** Half of what replicas may take to follow. */
const POLL_MS = 400
/** What one command may take. */
const COMMAND_MS = 500
const KINDS: readonly RevocationKind[] = ['jti', 'subject', 'tenant']

/** A change and its number in one: whoever sees the number sees the change. */
const PUT = "redis.call('HSET',KEYS[1],ARGV[1],ARGV[2]) return redis.call('HINCRBY',KEYS[1],ARGV[3],1)"
const REMOVE = "redis.call('HDEL',KEYS[1],ARGV[1]) return redis.call('HINCRBY',KEYS[1],ARGV[2],1)"

export type Lifted = Pick<Revocation, 'kind' | 'value'>

export interface RedisRevocationParts {
  readonly link: Pick<StoreLink, 'connection' | 'answered' | 'failed'>
  readonly startTimer: (delayMs: number, run: () => void) => () => void
  /** Seconds since the epoch, by the wall clock. */
  readonly nowS: () => number
  /** All that is revoked in this process. */
  readonly known: () => Iterable<Revocation>
  /** What others changed. */
  readonly changed: (revoked: readonly Revocation[], lifted: readonly Lifted[]) => void
}

/**
 * Revocations in Redis or Valkey, for replicas and restarts. Followed by asking for the number of changes twice a
 * second: a message that is lost would leave somebody in. What the store did not take is put there once it is back, and
 * one that forgot everything is told it again.
 */
export class RedisRevocationStore implements RevocationStore {
  readonly #parts: RedisRevocationParts
  /** As the store had it last: until when, by field. */
  #stored: ReadonlyMap<string, string> = new Map()
  /** What the store has not taken yet; null: it is to be removed. */
  readonly #owed = new Map<string, string | null>()
  /** The number of changes when everything was read last, and the highest ever seen. */
  #count = -1
  #highest = 0
  /** Everything goes one after the other: an answer says what was so when nothing else was under way. */
  #last: Promise<unknown> = Promise.resolve()
  #cancel: () => void = () => {}
  #isClosed = false

  constructor(parts: RedisRevocationParts) {
    this.#parts = parts
  }

  /** Owes the store all that is known here. */
  tellAll(): void {
    for (const revocation of this.#parts.known()) this.#owed.set(fieldOf(revocation), untilOf(revocation))
  }

  /** Pays what is owed and takes over what others changed, now and from then on. Never rejects. */
  async poll(): Promise<void> {
    this.#cancel()
    try {
      await this.#inTurn(() => this.#follow())
    } catch {
      // The link knows, and says so.
    }
    this.#cancel()
    if (!this.#isClosed) this.#cancel = this.#parts.startTimer(POLL_MS, () => void this.poll())
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
  }

  async load(): Promise<readonly Revocation[]> {
    return this.#inTurn(async () => revocationsOf((await this.#all()).entries))
  }

  put(revocation: Revocation): Promise<void> {
    return this.#owe(fieldOf(revocation), untilOf(revocation))
  }

  remove(kind: RevocationKind, value: string): Promise<void> {
    return this.#owe(fieldOf({ kind, value }), null)
  }

  #owe(field: string, until: string | null): Promise<void> {
    this.#owed.set(field, until)
    return this.#inTurn(() => this.#pay(field))
  }

  async #pay(field: string): Promise<void> {
    const until = this.#owed.get(field)
    if (until === undefined) return
    const script = until === null ? [REMOVE, '1', KEY, field, COUNT] : [PUT, '1', KEY, field, until, COUNT]
    this.#highest = Math.max(this.#highest, Number(await this.#send(['EVAL', ...script])))
    // Unless it was changed again meanwhile.
    if (this.#owed.get(field) === until) this.#owed.delete(field)
  }

  async #follow(): Promise<void> {
    const count = Number((await this.#send(['HGET', KEY, COUNT])) ?? 0)
    if (count < this.#highest) {
      // It was emptied, by a restart most likely: who was revoked stays so.
      this.#stored = new Map()
      this.#count = -1
      this.tellAll()
    }
    this.#highest = count
    for (const field of [...this.#owed.keys()]) await this.#pay(field)
    if (count === this.#count) return
    const { entries, count: seen } = await this.#all()
    const revoked = [...entries].filter(([field, until]) => this.#stored.get(field) !== until)
    const lifted = [...this.#stored.keys()].filter((field) => !entries.has(field))
    this.#stored = entries
    this.#count = seen
    const own = (field: string): boolean => this.#owed.has(field)
    const news = revocationsOf(revoked.filter(([field]) => !own(field)))
    const gone = lifted.filter((field) => !own(field)).flatMap((field) => namedBy(field) ?? [])
    if (news.length + gone.length > 0 && !this.#isClosed) this.#parts.changed(news, gone)
  }

  /** What is over is removed by whoever sees it: that is no change. */
  async #all(): Promise<{ readonly entries: ReadonlyMap<string, string>; readonly count: number }> {
    const entries = pairsOf(await this.#send(['HGETALL', KEY]))
    const count = Number(entries.get(COUNT) ?? 0)
    entries.delete(COUNT)
    const nowS = this.#parts.nowS()
    const over = [...entries].filter(([, until]) => until !== '' && Number(until) <= nowS)
    for (const [field] of over) entries.delete(field)
    if (over.length > 0) await this.#send(['HDEL', KEY, ...over.map(([field]) => field)])
    return { entries, count }
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#last.then(act)
    this.#last = done.catch(() => {})
    return done
  }

  /** Rejects when the link is down, or no answer comes in time. */
  async #send(command: readonly string[]): Promise<unknown> {
    const { link, startTimer } = this.#parts
    const { connection } = link
    if (connection === null) throw new Error('down')
    const { promise, reject } = Promise.withResolvers<never>()
    const cancel = startTimer(COMMAND_MS, () => reject(new Error('slow')))
    try {
      const answer = await Promise.race([connection.send(command), promise])
      link.answered()
      return answer
    } catch (error) {
      link.failed(connection, error instanceof Error ? error.name : 'unknown')
      throw error
    } finally {
      cancel()
    }
  }
}

function fieldOf({ kind, value }: Lifted): string {
  return `${kind}:${value}`
}

function untilOf({ untilS }: Revocation): string {
  return untilS === null ? '' : String(untilS)
}

/** Null: not of this version's making. */
function namedBy(field: string): Lifted | null {
  const colon = field.indexOf(':')
  const kind = KINDS.find((known) => known === field.slice(0, colon))
  return kind === undefined ? null : { kind, value: field.slice(colon + 1) }
}

function revocationsOf(entries: Iterable<readonly [string, string]>): readonly Revocation[] {
  return [...entries].flatMap(([field, until]) => {
    const named = namedBy(field)
    const untilS = until === '' ? null : Number(until)
    return named === null || Number.isNaN(untilS) ? [] : [{ ...named, untilS }]
  })
}

/** Of a hash, as a list of names and values or as an object: the client decides. */
function pairsOf(answer: unknown): Map<string, string> {
  if (answer instanceof Map) return new Map([...answer].map(([name, value]) => [String(name), String(value)]))
  if (!Array.isArray(answer))
    return new Map(Object.entries(answer ?? {}).map(([name, value]) => [name, String(value)]))
  const pairs = new Map<string, string>()
  for (let index = 0; index + 1 < answer.length; index += 2)
    pairs.set(String(answer[index]), String(answer[index + 1]))
  return pairs
}
