import type { JwtAlgorithm } from './issuer.ts'
import { type PublicJwk, publicKeyOf } from './jwk.ts'
import { type PublicVerificationKey, publicVerificationKey, type VerificationKey } from './key.ts'

/** A key as long as it may be believed. What was verified by it is worth nothing once `live` is false. */
export interface LiveKey {
  readonly key: VerificationKey
  readonly kid: string | null
  /** What it is made of, to be known again in a later set; empty for the operator's own. */
  readonly identity: string
  live: boolean
}

/** The keys of one issuer at one time. Nothing is tried: at most one key is right for a token. */
export class KeySet {
  readonly keys: readonly LiveKey[]
  /** The operator's own keys go by algorithm alone; published ones by their `kid`. */
  readonly #goBy: 'algorithm' | 'kid'

  private constructor(keys: readonly LiveKey[], goBy: 'algorithm' | 'kid') {
    this.keys = keys
    this.#goBy = goBy
  }

  /** The operator's own, at most one for each algorithm. */
  static own(keys: readonly VerificationKey[]): KeySet {
    return new KeySet(
      keys.map((key) => ({ key, kid: null, identity: '', live: true })),
      'algorithm',
    )
  }

  /**
   * Published ones, each once for every algorithm it fits and is meant for; what fits none is left out. Keys that
   * `before` holds already stay the same, and with them what they verified.
   */
  static published(
    jwks: readonly PublicJwk[],
    algorithms: readonly JwtAlgorithm[],
    before: KeySet | null,
  ): KeySet {
    const known = new Map(before?.keys.map((live) => [live.identity, live]))
    const keys = new Map<string, LiveKey>()
    for (const jwk of jwks) {
      for (const algorithm of algorithms) {
        if (isSecretAlgorithm(algorithm) || (jwk.alg !== null && jwk.alg !== algorithm)) continue
        const identity = JSON.stringify([algorithm, jwk.kid, jwk.key])
        const live = known.get(identity) ?? compileKey(jwk, algorithm, identity)
        if (live !== null) keys.set(identity, live)
      }
    }
    return new KeySet([...keys.values()], 'kid')
  }

  /**
   * The one key for a token's header. Null if there is none, or if several are alike: a `kid` that stands for two keys
   * stands for neither, and without a `kid` only the sole key of an algorithm can be meant.
   */
  pick(algorithm: string, kid: unknown): LiveKey | null {
    let found: LiveKey | null = null
    for (const live of this.keys) {
      if (live.key.algorithm !== algorithm) continue
      if (this.#goBy === 'kid' && kid !== undefined && live.kid !== kid) continue
      if (found !== null) return null
      found = live
    }
    return found
  }

  /** Ends whatever key is not in the set that follows. */
  retire(next: KeySet): void {
    const kept = new Set(next.keys)
    for (const live of this.keys) if (!kept.has(live)) live.live = false
  }
}

/** Those of a published set that some listed algorithm can use. */
export function usableJwks(
  jwks: readonly PublicJwk[],
  algorithms: readonly JwtAlgorithm[],
): readonly PublicJwk[] {
  return jwks.filter((jwk) => KeySet.published([jwk], algorithms, null).keys.length > 0)
}

function compileKey(
  jwk: PublicJwk,
  algorithm: PublicVerificationKey['algorithm'],
  identity: string,
): LiveKey | null {
  try {
    return { key: publicVerificationKey(algorithm, publicKeyOf(jwk)), kid: jwk.kid, identity, live: true }
  } catch {
    return null // no point on its curve, too short, or for another algorithm
  }
}

/** HMAC with a published key would be signed by anybody. */
function isSecretAlgorithm(algorithm: JwtAlgorithm): algorithm is Extract<JwtAlgorithm, `HS${string}`> {
  return algorithm.startsWith('HS')
}
