import { type Credential, placedCredentials } from '../identity/credential.ts'
import type { CredentialSource } from '../identity/credential-source.ts'
import type { TokenFailure, TokenVerifier, VerifiedToken } from '../jwt/verify.ts'
import type { Exchange, Identity } from '../proxy/exchange.ts'
import { type Failure, failure } from '../proxy/failure.ts'
import type { Policy, Verdict } from '../proxy/policy.ts'
import type { ApiKeyCheck } from './api-key.ts'
import { isForeignPage } from './foreign-page.ts'
import { AUTHORIZATION_REPEATED, bearerToken, type IsRevoked, TOKEN_REVOKED, toFailure } from './jwt.ts'

export interface IdentityOptions {
  /** Null: no tokens are believed. */
  readonly tokens: TokenVerifier | null
  /** Null: no API keys are believed. */
  readonly apiKeys: ApiKeyCheck | null
  /** Where a credential may stand. Default: header. */
  readonly sources: readonly CredentialSource[]
  /** `optional`: whoever brings no credential is nobody, and admitted. */
  readonly auth: 'required' | 'optional'
  readonly isRevoked: IsRevoked
  /** Of pages that may use a credential from a cookie, beside the gateway's own: exactly as browsers send them. */
  readonly origins: ReadonlySet<string>
  /** Seconds since the epoch, by the wall clock. */
  readonly nowS: () => number
}

const BEARER = 'WWW-Authenticate: Bearer\r\n'
const TOKEN_INVALID = failure('token_invalid', {
  fields: 'WWW-Authenticate: Bearer error="invalid_token"\r\n',
})
/** RFC 6750 section 2: one method a request. */
const SEVERAL = failure('authorization_repeated', {
  detail: 'More than one credential.',
  fields: 'WWW-Authenticate: Bearer error="invalid_request"\r\n',
})
const ORIGIN_REFUSED = failure('origin_refused')

/**
 * Says who calls, by the one credential a request brings: a token or an API key, in a place the route lists. Two that
 * differ are refused unread, whatever they are worth: the gateway would act on one and somebody else on the other.
 */
export function identityPolicy(options: IdentityOptions): Policy {
  const judge = new IdentityJudge(options)
  const { apiKeys } = options
  return {
    kind: 'identity',
    owns: apiKeys === null ? [] : [apiKeys.field],
    admit: (exchange) => judge.admit(exchange),
  }
}

class IdentityJudge {
  readonly #options: IdentityOptions
  readonly #header: boolean
  /** Other than headers; mostly none. */
  readonly #places: readonly CredentialSource[]
  readonly #missing: Failure
  readonly #keyRefused: Failure

  constructor(options: IdentityOptions) {
    const { sources, tokens, apiKeys } = options
    this.#options = options
    this.#header = sources.some(({ kind }) => kind === 'header')
    this.#places = sources.filter(({ kind }) => kind !== 'header')
    const challenges = (tokens === null && apiKeys !== null ? '' : BEARER) + (apiKeys?.challenge ?? '')
    this.#missing = failure('token_missing', { fields: challenges })
    this.#keyRefused = failure('key_invalid', { fields: challenges })
  }

  admit(exchange: Exchange): Verdict | Promise<Verdict> {
    const { head } = exchange
    const token = this.#bearer(exchange)
    if (token !== null && typeof token === 'object') return token
    const key = this.#header && this.#options.apiKeys !== null ? this.#options.apiKeys.read(head) : null
    if (key !== null && typeof key === 'object') return key
    if (this.#places.length > 0) return this.#admitPlaced(exchange, token, key)
    if (token !== null && key !== null) return SEVERAL
    if (token !== null) return this.#judgeToken(exchange, token)
    if (key !== null) return this.#judgeKey(exchange, key)
    return this.#options.auth === 'optional' ? null : this.#missing
  }

  #bearer({ head }: Exchange): string | Failure | null {
    const index = head.find('authorization', 0)
    if (index < 0) return null
    // Also where tokens are looked for elsewhere: upstreams would choose one of two.
    if (head.find('authorization', index + 1) >= 0) return AUTHORIZATION_REPEATED
    return this.#header && this.#options.tokens !== null ? bearerToken(head.value(index)) : null
  }

  #admitPlaced(exchange: Exchange, token: string | null, key: string | null): Verdict | Promise<Verdict> {
    const found: Credential[] = [...placedCredentials(exchange.head, this.#places)]
    if (token !== null) found.push({ kind: 'token', text: token, place: 'header' })
    if (key !== null) found.push({ kind: 'api-key', text: key, place: 'header' })
    const [one] = found
    if (one === undefined) return this.#options.auth === 'optional' ? null : this.#missing
    if (found.some(({ text }) => text !== one.text)) return SEVERAL
    // Browsers add cookies to what any page has them send, a WebSocket above all, which no other rule of theirs holds back.
    const isAmbient = found.some(({ place }) => place === 'cookie')
    if (isAmbient && isForeignPage(exchange.head, this.#options.origins)) return ORIGIN_REFUSED
    return one.kind === 'token' ? this.#judgeToken(exchange, one.text) : this.#judgeKey(exchange, one.text)
  }

  #judgeToken(exchange: Exchange, token: string): Verdict | Promise<Verdict> {
    const outcome = this.#options.tokens?.verify(token) ?? null
    if (outcome === null) return TOKEN_INVALID
    if (!(outcome instanceof Promise)) return this.#concludeToken(exchange, outcome)
    return outcome.then((settled) => this.#concludeToken(exchange, settled))
  }

  #concludeToken(exchange: Exchange, outcome: VerifiedToken | TokenFailure): Verdict {
    return outcome.ok ? this.#conclude(exchange, outcome.identity) : toFailure(outcome)
  }

  #judgeKey(exchange: Exchange, text: string): Verdict {
    const outcome = this.#options.apiKeys?.judge(text, this.#options.nowS()) ?? this.#keyRefused
    return 'kind' in outcome ? outcome : this.#conclude(exchange, outcome)
  }

  #conclude(exchange: Exchange, identity: Identity): Verdict {
    if (this.#options.isRevoked(identity)) return TOKEN_REVOKED
    exchange.identity = identity
    return null
  }
}
