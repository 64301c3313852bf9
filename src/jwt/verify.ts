import type { Identity } from '../proxy/exchange.ts'
import { claimedIssuer, judgeClaims, judgeTime } from './claims.ts'
import { MAX_KID } from './jwk.ts'
import { type Jws, parseJws } from './jws.ts'
import type { KeysMessage } from './key-message.ts'
import type { KeyRequests } from './key-request.ts'
import type { LiveKey } from './key-set.ts'
import type { LiveIssuer } from './live-issuer.ts'
import { TokenCache, type TokenCacheLimits } from './token-cache.ts'
import { TOKEN_INVALID, type TokenFailure } from './token-failure.ts'
import { verifiedPayload } from './verified-payload.ts'

export type { TokenFailure, TokenFailureCode } from './token-failure.ts'

export interface VerifiedToken {
  readonly ok: true
  readonly identity: Identity
}

type Outcome = VerifiedToken | TokenFailure

export interface TokenVerifierOptions {
  /** No two with the same `iss`, at most one that takes any. */
  readonly issuers: readonly LiveIssuer[]
  /** Seconds since the epoch, by the wall clock. */
  readonly nowS: () => number
  /** Where keys that are not there are asked for; null: nowhere. Default null. */
  readonly keyRequests?: KeyRequests | null
  readonly cache?: TokenCacheLimits
  /** Told what the cache was good for; null: nobody is. Default null. */
  readonly tally?: TokenTally | null
}

export interface TokenTally {
  /** A token had been verified before. */
  tokenKnown(): void
  /** One had to be. */
  tokenJudged(): void
}

/**
 * Verifies tokens of any number of issuers. A token's `iss` chooses the issuer, its `alg` and `kid` at most one among
 * the issuer's keys; nothing it says is fetched, and an `iss` is only believed once the signature holds.
 */
export class TokenVerifier {
  readonly #all: readonly LiveIssuer[]
  /** By what `iss` says. */
  readonly #issuers: ReadonlyMap<string, LiveIssuer>
  /** For tokens whose `iss` no issuer claims. */
  readonly #otherwise: LiveIssuer | null
  /** The only one, if its keys are the operator's own: nobody needs to look at claims before the signature. */
  readonly #sole: LiveIssuer | null
  readonly #nowS: () => number
  readonly #keyRequests: KeyRequests | null
  readonly #cache: TokenCache
  readonly #tally: TokenTally | null

  constructor(options: TokenVerifierOptions) {
    const { issuers } = options
    this.#all = issuers
    this.#issuers = new Map(
      issuers.flatMap((live) => (live.rules.issuer === null ? [] : [[live.rules.issuer, live] as const])),
    )
    this.#otherwise = issuers.find(({ rules }) => rules.issuer === null) ?? null
    const [first = null] = issuers
    this.#sole = issuers.length === 1 && first?.cooldownMs === null ? first : null
    this.#nowS = options.nowS
    this.#keyRequests = options.keyRequests ?? null
    this.#cache = new TokenCache(options.cache)
    this.#tally = options.tally ?? null
  }

  /** What control tells of an issuer's keys; of an issuer that is not among these, nothing. */
  publish({ issuer, jwks }: KeysMessage): void {
    for (const live of this.#all) if (live.rules.issuerName === issuer) live.publish(jwks)
  }

  /**
   * Synchronous for HS*, and for any algorithm on a cache hit; a promise for a cold token with a public key, and for
   * one whose key has to be asked for.
   */
  verify(token: string): Outcome | Promise<Outcome> {
    const cached = this.#cache.get(token)
    if (cached !== null) {
      this.#tally?.tokenKnown()
      const { verified, startsAtS } = cached
      return judgeTime(startsAtS, verified.identity.expiresAtS, this.#nowS()) ?? verified
    }
    this.#tally?.tokenJudged()
    const jws = parseJws(token)
    if (jws === null || jws.header.crit !== undefined) return TOKEN_INVALID
    const issuer = this.#sole ?? this.#issuerOf(jws)
    return issuer === null ? TOKEN_INVALID : this.#verifyBy(issuer, jws, this.#keyRequests)
  }

  #issuerOf(jws: Jws): LiveIssuer | null {
    const claimed = claimedIssuer(jws.payload)
    return (claimed === null ? null : this.#issuers.get(claimed)) ?? this.#otherwise
  }

  /** `requests`: null once the key was asked for. */
  #verifyBy(issuer: LiveIssuer, jws: Jws, requests: KeyRequests | null): Outcome | Promise<Outcome> {
    const { alg, kid } = jws.header
    if (!issuer.accepts(alg)) return TOKEN_INVALID
    const live = issuer.pickKey(alg, kid)
    if (live === null) return this.#awaitKey(issuer, jws, requests)
    const payload = verifiedPayload(live.key, jws)
    if (!(payload instanceof Promise)) return this.#conclude(issuer, live, jws, payload)
    return payload.then((settled) => {
      // The key was retired meanwhile: what it says no longer counts.
      return live.live ? this.#conclude(issuer, live, jws, settled) : this.#verifyBy(issuer, jws, requests)
    })
  }

  #awaitKey(issuer: LiveIssuer, jws: Jws, requests: KeyRequests | null): TokenFailure | Promise<Outcome> {
    const { kid = '' } = jws.header
    if (requests === null || issuer.cooldownMs === null) return TOKEN_INVALID
    if (typeof kid !== 'string' || kid.length > MAX_KID) return TOKEN_INVALID
    const answer = requests.ask(issuer.rules.issuerName, kid, issuer.cooldownMs)
    return answer === null ? TOKEN_INVALID : answer.then(() => this.#verifyBy(issuer, jws, null))
  }

  #conclude(issuer: LiveIssuer, live: LiveKey, jws: Jws, payload: Buffer | null): Outcome {
    if (payload === null) return TOKEN_INVALID
    const judged = judgeClaims(payload, issuer.rules, this.#nowS())
    if (!judged.ok) return judged
    const verified: VerifiedToken = Object.freeze({ ok: true, identity: judged.identity })
    this.#cache.put(jws.text, verified, judged.startsAtS, live)
    return verified
  }
}
