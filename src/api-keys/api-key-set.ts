import type { Identity } from '../proxy/exchange.ts'
import { apiKeyHash, isApiKeyText } from './key-text.ts'

/** How `Identity.issuer` names what no token issuer vouches for. */
export const API_KEY_ISSUER = 'api-key'

/** The keys of one file: who each belongs to, by its hash. */
export class ApiKeySet {
  readonly #byHash: ReadonlyMap<string, Identity>

  /** `byHash`: by SHA-256 in lower-case hex. */
  constructor(byHash: ReadonlyMap<string, Identity>) {
    this.#byHash = byHash
  }

  get size(): number {
    return this.#byHash.size
  }

  /**
   * Whose key this is, expired ones included, or null. Found by its digest: how long that takes says something about
   * digests, which nobody can choose, and nothing about keys.
   */
  find(text: string): Identity | null {
    if (!isApiKeyText(text)) return null
    return this.#byHash.get(apiKeyHash(text)) ?? null
  }
}
