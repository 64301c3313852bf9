import type { PublicJwk } from './jwk.ts'

/** Control to data threads: the keys an issuer is known by from now on. Issuers go by their configured names. */
export interface KeysMessage {
  readonly kind: 'keys'
  readonly issuer: string
  readonly jwks: readonly PublicJwk[]
}

/** Control's answer to the one thread that asked, after the keys it found, if they are others than before. */
export interface KeysCheckedMessage {
  readonly kind: 'keys-checked'
  readonly issuer: string
  /** How long asking again is in vain. */
  readonly retryMs: number
}

/** A data thread met a `kid` that it has no key for. */
export interface UnknownKidMessage {
  readonly kind: 'unknown-kid'
  readonly issuer: string
  /** The sender's word; empty where a token has none and there are no keys at all. */
  readonly kid: string
}
