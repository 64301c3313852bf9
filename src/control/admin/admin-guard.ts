import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** A host name and an optional port, as a Host field holds them. */
const LOOPBACK_AUTHORITY = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i
const LOOPBACK_ADDRESS = /^(::ffff:)?127\.|^::1$/
const JSON_TYPE = /^application\/json *(;|$)/i
const BEARER = /^bearer +([^ ]+)$/i

export function isLoopbackAddress(address: string): boolean {
  return LOOPBACK_ADDRESS.test(address)
}

/** Whether a Host field names this machine to itself. */
export function namesLoopback(host: string | undefined): boolean {
  return host !== undefined && LOOPBACK_AUTHORITY.test(host)
}

/** Whether an Origin field names the listener itself, which the request was sent to by that Host. */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)
}

/** Whether a body, if there is one, says it is JSON: no page of another origin can send that unasked. */
export function saysJson(headers: IncomingHttpHeaders): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers
  if (coding === undefined && length === '0') return true
  return JSON_TYPE.test(headers['content-type'] ?? '')
}

/** Holds the digest only: digests are of one length, so comparing them takes one time whatever was sent. */
export class TokenCheck {
  readonly #digest: Buffer

  constructor(token: string) {
    this.#digest = digest(token)
  }

  /** `authorization`: the field's value as received. */
  accepts(authorization: string | undefined): boolean {
    const token = BEARER.exec(authorization ?? '')?.[1]
    return token !== undefined && timingSafeEqual(digest(token), this.#digest)
  }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
