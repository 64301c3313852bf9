import { isTenantText } from '../lib/tenant-text.ts'
import type { Identity } from '../proxy/exchange.ts'
import { API_KEY_ISSUER, ApiKeySet } from './api-key-set.ts'

/** What a file of keys is read as: all of it, or all that is wrong with it. */
export type ParsedApiKeys =
  | { readonly keys: ApiKeySet; readonly problems: null }
  | { readonly keys: null; readonly problems: readonly ApiKeyProblem[] }

/** What is wrong, and where; never with a hash in it. */
export interface ApiKeyProblem {
  /** The entry, from 0; null: the file as a whole. */
  readonly entry: number | null
  /** Null: the entry as a whole. */
  readonly member: string | null
  /** A whole sentence that names the place. */
  readonly text: string
}

const KNOWN: readonly string[] = ['name', 'tenant', 'hash', 'prefix', 'scopes', 'plan', 'expires', 'subject']
const HASH = /^[0-9a-f]{64}$/
const SHOWN_PREFIX = /^nyro_[0-9A-Za-z]{8}$/
/** RFC 6749 section 3.3. */
const SCOPE = /^[!#-[\]-~]+$/
/** RFC 3339, or a day, which ends where it begins in UTC. */
const MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/
const MAX_TEXT = 256
const NAME = /^[A-Za-z]{1,24}$/

const NO_LIST: ApiKeyProblem = {
  entry: null,
  member: null,
  text: 'The file must be a list of keys, each beginning with "- name:".',
}

type Entry = Readonly<Record<string, unknown>>

/**
 * Reads the entries of a key file, already parsed from YAML or JSON: a list of `name`, `tenant`, `hash`, `prefix`, and
 * if wanted `scopes`, `plan`, `expires`, `subject`. Problems name the entry and the member, and never show a hash.
 */
export function parseApiKeys(data: unknown): ParsedApiKeys {
  // An empty file is a file without keys.
  if (data === null || data === undefined) return { keys: new ApiKeySet(new Map()), problems: null }
  if (!Array.isArray(data)) return { keys: null, problems: [NO_LIST] }
  const reader = new EntryReader()
  for (const entry of data) reader.read(entry)
  return reader.problems.length === 0
    ? { keys: new ApiKeySet(reader.byHash), problems: null }
    : { keys: null, problems: reader.problems }
}

class EntryReader {
  readonly byHash = new Map<string, Identity>()
  readonly problems: ApiKeyProblem[] = []
  #entry = -1
  /** Where each was said first. */
  readonly #names = new Map<string, string>()
  readonly #hashes = new Map<string, string>()
  readonly #prefixes = new Map<string, string>()

  /** Entries come in the order of the file. */
  read(value: unknown): void {
    this.#entry++
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#say(null, 'is no key', 'an entry with name, tenant, hash and prefix')
      return
    }
    const entry = value as Entry // an object that is no array
    for (const member of Object.keys(entry)) {
      if (!KNOWN.includes(member)) this.#say(member, 'is unknown', `one of ${KNOWN.join(', ')}`)
    }
    const name = this.#text(entry, 'name')
    const hash = this.#matching(entry, 'hash', HASH, 'the SHA-256 of the key in 64 lower-case hex digits')
    const prefix = this.#matching(entry, 'prefix', SHOWN_PREFIX, 'the first 13 characters of the key')
    this.#once(this.#names, name, 'name')
    this.#once(this.#hashes, hash, 'hash')
    this.#once(this.#prefixes, prefix, 'prefix')
    const identity = this.#identity(entry, name, prefix)
    if (hash !== null && identity !== null) this.byHash.set(hash, identity)
  }

  #identity(entry: Entry, name: string | null, prefix: string | null): Identity | null {
    const tenant = this.#tenant(entry)
    const subject = entry['subject'] === undefined ? name : this.#text(entry, 'subject')
    const plan = entry['plan'] === undefined ? null : this.#text(entry, 'plan')
    const scopes = this.#scopes(entry)
    const expiresAtS = this.#expiry(entry)
    if (tenant === null || subject === null) return null
    return Object.freeze({
      ...{ subject, tenant, expiresAtS, plan, scopes },
      claims: new Map(),
      issuer: API_KEY_ISSUER,
      // What a key is revoked by: all of it that anybody is ever shown.
      jti: prefix,
    })
  }

  #tenant(entry: Entry): string | null {
    const { tenant } = entry
    if (typeof tenant === 'string' && isTenantText(tenant)) return tenant
    return this.#say(
      'tenant',
      described(tenant),
      'a text of 1 to 256 visible ASCII characters, single spaces inside; put a number in quotes',
    )
  }

  #text(entry: Entry, member: string): string | null {
    const value = entry[member]
    if (typeof value === 'string' && value.trim() !== '' && value.length <= MAX_TEXT) return value
    return this.#say(member, described(value), `a text of 1 to ${MAX_TEXT} characters`)
  }

  #matching(entry: Entry, member: string, shape: RegExp, wanted: string): string | null {
    const value = entry[member]
    if (typeof value === 'string' && shape.test(value)) return value
    return this.#say(member, described(value), wanted)
  }

  #scopes(entry: Entry): ReadonlySet<string> {
    const { scopes = [] } = entry
    if (Array.isArray(scopes) && scopes.every((scope) => typeof scope === 'string' && SCOPE.test(scope)))
      return new Set(scopes)
    this.#say('scopes', 'is no list of scopes', 'a list of words such as "ingest:write"')
    return new Set()
  }

  #expiry(entry: Entry): number {
    const { expires } = entry
    if (expires === undefined || expires === null) return Number.POSITIVE_INFINITY
    const ms = typeof expires === 'string' && MOMENT.test(expires) ? Date.parse(expires) : Number.NaN
    if (Number.isFinite(ms)) return ms / 1_000
    this.#say('expires', 'is no moment', 'a day or a time such as 2030-01-31 or 2030-01-31T12:00:00Z')
    return Number.NEGATIVE_INFINITY
  }

  #once(seen: Map<string, string>, value: string | null, member: string): void {
    if (value === null) return
    const first = seen.get(value)
    if (first === undefined) seen.set(value, this.#pathOf(member))
    else this.#say(member, `is that of ${first} too`, 'each key once')
  }

  #say(member: string | null, found: string, wanted: string): null {
    const text = `${this.#pathOf(member)} ${found}; expected ${wanted}.`
    this.problems.push({ entry: this.#entry, member, text })
    return null
  }

  #pathOf(member: string | null): string {
    const entry = `keys[${this.#entry}]`
    if (member === null) return entry
    // A key may have been pasted in the place of a member's name.
    return NAME.test(member) ? `${entry}.${member}` : `${entry} has a member that`
  }
}

/** What kind of thing stands there, never what it is: a key may have been put where its hash belongs. */
function described(value: unknown): string {
  if (value === undefined) return 'is missing'
  if (value === null) return 'is empty'
  if (typeof value === 'string') return value === '' ? 'is empty' : `is a text of ${value.length} characters`
  return Array.isArray(value) ? 'is a list' : `is a ${typeof value}`
}
