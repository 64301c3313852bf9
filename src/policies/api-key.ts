import type { ApiKeySet } from '../api-keys/api-key-set.ts'
import type { Identity, RequestHead } from '../proxy/exchange.ts'
import { type Failure, failure } from '../proxy/failure.ts'

export interface ApiKeyOptions {
  /** The request field keys come in, of which no upstream ever sees one. Default X-API-Key. */
  readonly field: string
  readonly keys: ApiKeySet
}

/** How API keys are read from requests and judged; the failures are made once. */
export class ApiKeyCheck {
  /** Lower case. */
  readonly field: string
  /** A field line for a 401 (RFC 9110 section 11.6.1): no scheme is registered for keys in fields of their own. */
  readonly challenge: string
  readonly #keys: ApiKeySet
  readonly #invalid: Failure
  readonly #repeated: Failure

  constructor({ field, keys }: ApiKeyOptions) {
    this.field = field.toLowerCase()
    this.challenge = `WWW-Authenticate: ApiKey field="${field}"\r\n`
    this.#keys = keys
    this.#invalid = failure('key_invalid', { fields: this.challenge })
    this.#repeated = failure('authorization_repeated', {
      detail: `More than one ${field} field.`,
      fields: this.challenge,
    })
  }

  /** The field's value if it is there once and not empty, null if there is none. */
  read(head: RequestHead): string | Failure | null {
    const index = head.find(this.field, 0)
    if (index < 0) return null
    if (head.find(this.field, index + 1) >= 0) return this.#repeated
    const text = head.value(index)
    return text === '' ? null : text
  }

  /** Unknown, misspelt and expired keys look the same from outside. */
  judge(text: string, nowS: number): Identity | Failure {
    const identity = this.#keys.find(text)
    return identity === null || nowS >= identity.expiresAtS ? this.#invalid : identity
  }
}
