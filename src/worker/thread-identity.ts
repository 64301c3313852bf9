import { parseApiKeys } from '../api-keys/parse-api-keys.ts'
import type { ApiKeysConfig, Config, CorsConfig, IdentityConfig } from '../config/config.ts'
import type { StartTimer } from '../control/start-timer.ts'
import type { CredentialSource } from '../identity/credential-source.ts'
import type { KeysCheckedMessage, KeysMessage, UnknownKidMessage } from '../jwt/key-message.ts'
import { KeyRequests } from '../jwt/key-request.ts'
import { compileIssuer } from '../jwt/live-issuer.ts'
import { type TokenTally, TokenVerifier } from '../jwt/verify.ts'
import type { Clock } from '../lib/clock.ts'
import { ApiKeyCheck } from '../policies/api-key.ts'
import { identityPolicy } from '../policies/identity.ts'
import { type IsRevoked, jwtPolicy } from '../policies/jwt.ts'
import type { Policy } from '../proxy/policy.ts'
import {
  applyRevocations,
  type RevocationsAppliedMessage,
  type RevocationsMessage,
} from '../revocation/revocation-ledger.ts'
import { RevocationSet } from '../revocation/revocation-set.ts'
import type { IdentityParts } from './routing/route-compiler.ts'

/** What a data thread is to know of identities when it is born. */
export interface IdentityBirth {
  /** Of every issuer whose keys control keeps. */
  readonly keys: readonly KeysMessage[]
  readonly revocations: RevocationsMessage | null
}

export const NOTHING_KNOWN: IdentityBirth = { keys: [], revocations: null }

/** Control to a data thread, about identities. */
export type IdentityMessage = KeysMessage | KeysCheckedMessage

export interface ThreadIdentityParts {
  readonly birth: IdentityBirth
  readonly clock: Clock
  /** Asks control for a key; null: nobody is there to be asked. */
  readonly ask: ((message: UnknownKidMessage) => void) | null
  /** Told what the cache of tokens was good for; null: nobody is. Default null. */
  readonly tally?: TokenTally | null
}

/** Who verifies, for one config: kept while what is configured stays the same, and with it the tokens it has verified. */
export interface CompiledIdentity {
  /** What it was made of, and what of that its verifier. */
  readonly text: string
  readonly verifierText: string
  /** Null where nothing verifies. */
  readonly parts: IdentityParts | null
  readonly verifier: TokenVerifier | null
}

/** What a data thread knows of who calls: issuers, their keys as control tells them, API keys, and what is revoked. */
export class ThreadIdentity {
  readonly revocations = new RevocationSet()
  readonly #nowS: () => number
  readonly #keyRequests: KeyRequests | null
  /** The last word on each issuer's keys: a verifier made later begins with it. */
  readonly #keys = new Map<string, KeysMessage>()
  readonly #isRevoked: IsRevoked
  readonly #tally: TokenTally | null
  #inForce: CompiledIdentity | null = null

  constructor({ birth, clock, ask, tally = null }: ThreadIdentityParts) {
    this.#tally = tally
    const nowS = (): number => clock.wallMs() / 1_000
    this.#nowS = nowS
    this.#keyRequests =
      ask === null ? null : new KeyRequests({ nowMs: clock.monotonicMs, startTimer, send: ask })
    const { revocations } = this
    this.#isRevoked = (identity) => revocations.size > 0 && revocations.covers(identity, nowS())
    for (const message of birth.keys) this.#keys.set(message.issuer, message)
    if (birth.revocations !== null) this.revoke(birth.revocations)
  }

  /**
   * Beside the one in force, or that one. `claims`: those that some route asks about. Throws an Error in the operator's
   * words where a key cannot be used.
   */
  compile(config: Pick<Config, 'identity' | 'cors'>, claims: readonly string[]): CompiledIdentity {
    const { identity, cors } = config
    const { issuers } = identity
    const text = JSON.stringify([identity, cors.origins, claims])
    if (this.#inForce?.text === text) return this.#inForce
    const verifierText = JSON.stringify([issuers, claims])
    const verifier =
      this.#inForce?.verifierText === verifierText ? this.#inForce.verifier : this.#verifier(issuers, claims)
    const apiKeys = identity.apiKeys === null ? null : compileApiKeys(identity.apiKeys)
    const parts = verifier === null && apiKeys === null ? null : this.#parts(verifier, apiKeys, cors)
    return { text, verifierText, parts, verifier }
  }

  #parts(
    tokens: TokenVerifier | null,
    apiKeys: ApiKeyCheck | null,
    { origins: listed }: CorsConfig,
  ): IdentityParts {
    const origins = new Set(listed === '*' ? [] : listed)
    const policy = (sources: readonly CredentialSource[]): Policy =>
      tokens !== null && apiKeys === null && sources.every(({ kind }) => kind === 'header')
        ? jwtPolicy(tokens, 'required', this.#isRevoked)
        : identityPolicy({
            ...{ tokens, apiKeys, sources, origins, auth: 'required' },
            ...{ isRevoked: this.#isRevoked, nowS: this.#nowS },
          })
    const owned = apiKeys === null ? [] : [apiKeys.field]
    return { owned, policy }
  }

  /** From now on it is told of keys. */
  putInForce(compiled: CompiledIdentity): void {
    if (compiled === this.#inForce) return
    this.#inForce = compiled
    for (const message of this.#keys.values()) compiled.verifier?.publish(message)
  }

  take(message: IdentityMessage): void {
    if (message.kind === 'keys-checked') {
      this.#keyRequests?.answered(message)
      return
    }
    this.#keys.set(message.issuer, message)
    this.#inForce?.verifier?.publish(message)
  }

  revoke(message: RevocationsMessage): RevocationsAppliedMessage {
    return applyRevocations(this.revocations, message)
  }

  #verifier(issuers: IdentityConfig['issuers'], claims: readonly string[]): TokenVerifier | null {
    if (issuers.length === 0) return null
    return new TokenVerifier({
      issuers: issuers.map((issuer) => compileIssuer(issuer, claims)),
      nowS: this.#nowS,
      keyRequests: this.#keyRequests,
      tally: this.#tally,
    })
  }
}

function compileApiKeys({ field, entries }: ApiKeysConfig): ApiKeyCheck {
  const { keys, problems } = parseApiKeys(entries)
  if (keys === null) throw new Error(`API keys: ${problems.join(' | ')}`)
  return new ApiKeyCheck({ field, keys })
}

/** Rare: a question for a key. Holds up no thread that ends. */
const startTimer: StartTimer = (delayMs, run) => {
  const timer = setTimeout(run, delayMs)
  timer.unref()
  return () => clearTimeout(timer)
}
