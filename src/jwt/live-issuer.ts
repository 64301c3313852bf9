import { CLAIM_NAMES } from '../lib/claim.ts'
import { type ClaimRules, compileClaimRules } from './claim-rule.ts'
import type { IssuerConfig, JwtAlgorithm, KeySource } from './issuer.ts'
import type { PublicJwk } from './jwk.ts'
import { loadVerificationKey, type VerificationKey } from './key.ts'
import { KeySet, type LiveKey } from './key-set.ts'

/** An issuer as a data thread knows it: its rules, and its keys as they are now. */
export class LiveIssuer {
  readonly rules: ClaimRules
  readonly #algorithms: ReadonlySet<string>
  /** Shortest between two questions for a key that is not there; null where all keys are the operator's own. */
  readonly cooldownMs: number | null
  #keys: KeySet

  constructor(
    rules: ClaimRules,
    algorithms: readonly JwtAlgorithm[],
    keys: KeySet,
    cooldownMs: number | null = null,
  ) {
    this.rules = rules
    this.#algorithms = new Set(algorithms)
    this.cooldownMs = cooldownMs
    this.#keys = keys
  }

  accepts(algorithm: unknown): algorithm is string {
    return typeof algorithm === 'string' && this.#algorithms.has(algorithm)
  }

  pickKey(algorithm: string, kid: unknown): LiveKey | null {
    return this.#keys.pick(algorithm, kid)
  }

  /** Every later answer is by these; what retired ones verified is forgotten. */
  replaceKeys(keys: KeySet): void {
    this.#keys.retire(keys)
    this.#keys = keys
  }

  publish(jwks: readonly PublicJwk[]): void {
    this.replaceKeys(KeySet.published(jwks, [...this.#algorithms] as JwtAlgorithm[], this.#keys)) // made of them
  }
}

/**
 * `kept`: claims that some route asks about. Throws an Error in the operator's words where an own key does not fit an
 * algorithm; `findIssuerProblems` says so before.
 */
export function compileIssuer(config: IssuerConfig, kept: readonly string[] = []): LiveIssuer {
  const { algorithms, keys } = config
  const cooldownMs = keys.kind === 'jwks' || keys.kind === 'discovery' ? keys.cooldownMs : null
  return new LiveIssuer(compileClaimRules(config, kept), algorithms, ownKeys(keys, algorithms), cooldownMs)
}

/** The issuer of the contract without a file: one key, one algorithm, `iss` and `aud` not looked at. */
export function soleIssuer(key: VerificationKey, clockSkewS: number): LiveIssuer {
  const rules = compileClaimRules(
    {
      name: 'default',
      issuer: null,
      audience: [],
      clockSkewS,
      maxLifetimeS: null,
      requiredClaims: [],
      claims: CLAIM_NAMES,
    },
    [],
  )
  return new LiveIssuer(rules, [key.algorithm], KeySet.own([key]))
}

function ownKeys(source: KeySource, algorithms: readonly JwtAlgorithm[]): KeySet {
  switch (source.kind) {
    case 'secret':
      return KeySet.own(algorithms.map((algorithm) => loadVerificationKey(algorithm, source.secret)))
    case 'pem':
      return KeySet.own(algorithms.map((algorithm) => loadVerificationKey(algorithm, source.pem)))
    default:
      return KeySet.published([], algorithms, null)
  }
}
