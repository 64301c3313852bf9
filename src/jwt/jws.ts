import { decodeBase64url } from './base64url.ts'
import { parseJsonObject } from './json-object.ts'

/** Bytes of a whole token; what is longer is refused unread. */
export const MAX_TOKEN_BYTES = 16 * 1024

/**
 * The members we act on. `kid` only chooses among keys the issuer is known by; `jku`, `x5u`, `jwk` and the rest are the
 * sender's word and are not looked at.
 */
export interface JoseHeader {
  readonly alg?: unknown
  readonly crit?: unknown
  readonly kid?: unknown
}

/** A token taken apart; nothing in it is proven. */
export interface Jws {
  /** The whole of it. ASCII. */
  readonly text: string
  readonly header: JoseHeader
  readonly payload: Buffer
  readonly signature: Buffer
  /** What the signature is over: the first two segments and the dot between them. ASCII. */
  readonly signed: string
}

/** Takes a JWS in compact serialization apart (RFC 7515 section 7.1), or null if it is none. */
export function parseJws(token: string): Jws | null {
  if (token.length > MAX_TOKEN_BYTES) return null
  const headerEnd = token.indexOf('.')
  const payloadEnd = token.indexOf('.', headerEnd + 1)
  if (payloadEnd < 0) return null

  const headerBytes = decodeBase64url(token.slice(0, headerEnd))
  if (headerBytes === null) return null
  const header: JoseHeader | null = parseJsonObject(headerBytes)
  if (header === null) return null

  const payload = decodeBase64url(token.slice(headerEnd + 1, payloadEnd))
  if (payload === null) return null
  // A fourth segment falls here: a dot is not in the alphabet.
  const signature = decodeBase64url(token.slice(payloadEnd + 1))
  if (signature === null) return null

  return { text: token, header, payload, signature, signed: token.slice(0, payloadEnd) }
}
