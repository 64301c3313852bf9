import type { Identity } from '../proxy/exchange.ts'
import { judgeClaims, judgeTime } from './claims.ts'
import type { VerificationKey } from './key.ts'
import { TokenCache, type TokenCacheLimits } from './token-cache.ts'
import { TOKEN_INVALID, type TokenFailure } from './token-failure.ts'
import { verifiedPayload } from './verified-payload.ts'

export type { TokenFailure, TokenFailureCode } from './token-failure.ts'

export interface VerifiedToken {
  readonly ok: true
  readonly identity: Identity
}

export interface TokenVerifierOptions {
  readonly key: VerificationKey
  /** Leeway at both ends of a token's time, seconds. */
  readonly clockSkewS: number
  /** Seconds since the epoch, by the wall clock. */
  readonly nowS: () => number
  readonly cache?: TokenCacheLimits
}

/** Verifies tokens against one key. Nothing a token says chooses the key, the algorithm or a place to fetch from. */
export class TokenVerifier {
  #key: VerificationKey
  readonly #clockSkewS: number
  readonly #nowS: () => number
  readonly #cache: TokenCache

  constructor(options: TokenVerifierOptions) {
    this.#key = options.key
    this.#clockSkewS = options.clockSkewS
    this.#nowS = options.nowS
    this.#cache = new TokenCache(options.cache)
  }

  /** Synchronous for HS*, and for any algorithm on a cache hit; a promise only for a cold token with a public key. */
  verify(token: string): VerifiedToken | TokenFailure | Promise<VerifiedToken | TokenFailure> {
    const cached = this.#cache.get(token)
    if (cached !== null) {
      const { verified, startsAtS } = cached
      return judgeTime(startsAtS, verified.identity.expiresAtS, this.#nowS()) ?? verified
    }
    const key = this.#key
    const payload = verifiedPayload(key, token)
    if (!(payload instanceof Promise)) return this.#conclude(token, payload)
    return payload.then((settled) => {
      // The key was replaced meanwhile: what the retired one says no longer counts.
      return key === this.#key ? this.#conclude(token, settled) : this.verify(token)
    })
  }

  /** Every later answer is by the new key. */
  replaceKey(key: VerificationKey): void {
    this.#key = key
    this.#cache.clear()
  }

  #conclude(token: string, payload: Buffer | null): VerifiedToken | TokenFailure {
    if (payload === null) return TOKEN_INVALID
    const judged = judgeClaims(payload, this.#nowS(), this.#clockSkewS)
    if (!judged.ok) return judged
    const verified: VerifiedToken = Object.freeze({ ok: true, identity: judged.identity })
    this.#cache.put(token, verified, judged.startsAtS)
    return verified
  }
}
