import { flatCopy } from '../lib/flat-copy.ts'
import type { Identity } from '../proxy/exchange.ts'
import type { LiveKey } from './key-set.ts'
import type { VerifiedToken } from './verify.ts'

export interface TokenCacheLimits {
  /** Entries in all. Default 32,768. */
  readonly maxEntries: number
  /** Bytes in all, as estimated by `estimateBytes`. Default 16 MiB: 16,384 tokens of 700 bytes, or 30,000 of 230. */
  readonly maxBytes: number
}

/** A verified token (ASCII) and when it may be believed: from `startsAtS` until `verified.identity.expiresAtS`. */
export interface CachedToken {
  readonly token: string
  readonly verified: VerifiedToken
  readonly startsAtS: number
  /** What it was verified by. */
  readonly by: LiveKey
}

const DEFAULT_LIMITS: TokenCacheLimits = { maxEntries: 32 * 1024, maxBytes: 16 * 1024 * 1024 }

/** What an entry takes beside its texts, measured by bench/micro/jwt.ts: objects, numbers, string headers, Map slots. */
const ENTRY_BYTES = 256

/**
 * Tokens verified before, by their whole text. It knows no time: whoever takes an entry judges it by the clock.
 *
 * Found by a number made of the signature's last characters, then compared whole: hashing the text itself would cost a
 * request four times that (bench/micro/jwt.ts). Nobody can make tokens share a number without signing them; where two
 * do, the later one stays.
 *
 * Two generations, each with half the limits: what is used moves to the young one; when that is full the old one is
 * dropped whole. So whatever is used again before half the limits of others came by is found, a lookup costs one hash,
 * and nothing is kept in order of use.
 *
 * What was verified by a key that is retired is not found any more, from the moment it is.
 *
 * Refused tokens are not kept: anybody can make any number of them, and they would push out the good ones.
 */
export class TokenCache {
  /** Of one generation. */
  readonly #maxEntries: number
  readonly #maxBytes: number
  #young = new Map<number, CachedToken>()
  #old = new Map<number, CachedToken>()
  #youngBytes = 0

  constructor(limits: TokenCacheLimits = DEFAULT_LIMITS) {
    this.#maxEntries = limits.maxEntries / 2
    this.#maxBytes = limits.maxBytes / 2
  }

  /** Entries held; one that is in both generations counts twice. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(token: string): CachedToken | null {
    const key = keyOf(token)
    const young = this.#young.get(key)
    if (young !== undefined && young.token === token) return young.by.live ? young : null
    const old = this.#old.get(key)
    if (old === undefined || old.token !== token || !old.by.live) return null
    this.#keep(old)
    return old
  }

  put(token: string, verified: VerifiedToken, startsAtS: number, by: LiveKey): void {
    const young = this.#young.get(keyOf(token))
    if (young?.token === token && young.by === by) return // two requests with one new token, verified side by side
    this.#keep({ token: flatCopy(token), verified, startsAtS, by })
  }

  #keep(entry: CachedToken): void {
    const bytes = estimateBytes(entry)
    if (bytes > this.#maxBytes) return
    if (this.#young.size >= this.#maxEntries || this.#youngBytes + bytes > this.#maxBytes) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngBytes = 0
    }
    this.#young.set(keyOf(entry.token), entry)
    this.#youngBytes += bytes
  }
}

/** Characters a key is made of: 60 bits of signature or more, mixed into 30 (FNV-1a). */
const KEY_CHARACTERS = 10

function keyOf(token: string): number {
  let key = 0x811c9dc5 | 0
  for (let index = token.length - KEY_CHARACTERS; index < token.length; index++) {
    key = Math.imul(key ^ token.charCodeAt(index), 0x01000193)
  }
  return key & 0x3fff_ffff
}

/** A word of a set or a list, beside its characters. */
const WORD_BYTES = 48

/** Claims come out of JSON and may take two bytes a character. */
function estimateBytes({ token, verified }: CachedToken): number {
  const { identity } = verified
  return (
    ENTRY_BYTES + token.length + 2 * (identity.subject.length + identity.tenant.length) + extraBytes(identity)
  )
}

function extraBytes({ plan, jti, scopes, claims }: Identity): number {
  let bytes = 2 * ((plan?.length ?? 0) + (jti?.length ?? 0))
  for (const scope of scopes) bytes += WORD_BYTES + 2 * scope.length
  for (const values of claims.values()) {
    for (const value of values) bytes += WORD_BYTES + (typeof value === 'string' ? 2 * value.length : 0)
  }
  return bytes
}
