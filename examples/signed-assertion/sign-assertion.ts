import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { definePolicy, type PolicyInstance, type PolicyParts, refuse } from 'nyro-gateway'

const FIELD = 'X-Identity-Assertion'
/** An assertion is made anew this long before it expires, so that none expires on its way. */
const RENEWAL_MS = 10_000
/** RFC 7518 section 3.2: as long as the hash. */
const LEAST_KEY_BYTES = 32
/** Larger ones would not fit into the field. */
const LONGEST_SUBJECT = 1_024

interface Options {
  /** Shared with the services behind. */
  readonly key: KeyObject
  readonly issuer: string
  readonly audience: string
  readonly ttlMs: number
}

/** An assertion that is kept with the identity it is about, and with nobody else's. */
interface Signed {
  readonly jws: string
  readonly renewAtMs: number
}

/**
 * States who calls in a field that the services behind can verify by themselves: a compact JWS (RFC 7515), HS256, with
 * the claims iss, aud, sub, tenant, iat and exp. The policy owns the field, so a client's own copy never gets through.
 */
export const policy = definePolicy({
  kind: 'signed-assertion',
  owns: [FIELD],
  schema: readOptions,
  create: (options, parts) => new AssertionSigner(options, parts),
})

class AssertionSigner implements PolicyInstance {
  readonly #options: Options
  readonly #parts: PolicyParts
  readonly #header = encoded({ alg: 'HS256', typ: 'JWT' })
  /** The gateway keeps one identity for each token it has verified: an assertion lives no longer than that. */
  readonly #signed = new WeakMap<object, Signed>()

  constructor(options: Options, parts: PolicyParts) {
    this.#options = options
    this.#parts = parts
  }

  admit: PolicyInstance['admit'] = (exchange) => {
    const { identity } = exchange
    if (identity === null) return null
    if (identity.subject.length > LONGEST_SUBJECT) return refuse('The subject is too long to be asserted.')
    const nowMs = this.#parts.wallMs()
    let signed = this.#signed.get(identity)
    if (signed === undefined || nowMs >= signed.renewAtMs) {
      signed = this.#sign(identity, nowMs)
      this.#signed.set(identity, signed)
    }
    exchange.assert(FIELD, signed.jws)
    return null
  }

  #sign(identity: { subject: string; tenant: string; expiresAtS: number }, nowMs: number): Signed {
    const { key, issuer, audience, ttlMs } = this.#options
    const iat = Math.floor(nowMs / 1_000)
    // Never beyond the credential it speaks for.
    const exp = Math.min(iat + Math.floor(ttlMs / 1_000), identity.expiresAtS)
    const { subject: sub, tenant } = identity
    const input = `${this.#header}.${encoded({ iss: issuer, aud: audience, sub, tenant, iat, exp })}`
    const jws = `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
    return { jws, renewAtMs: exp * 1_000 - RENEWAL_MS }
  }
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** A plain function judges `with`; any Standard Schema (zod, valibot, arktype) would do as well. */
export function readOptions(given: unknown): Options {
  const { key, issuer, audience, ttlS = 60, ...others } = given as Record<string, unknown> // destructured, then judged
  if (typeof key !== 'string' || Buffer.byteLength(key) < LEAST_KEY_BYTES)
    throw new Error(`key is missing or short; expected at least ${LEAST_KEY_BYTES} bytes`)
  if (typeof issuer !== 'string' || typeof audience !== 'string')
    throw new Error('issuer or audience is missing; expected both')
  if (typeof ttlS !== 'number' || !(ttlS >= 20 && ttlS <= 3_600))
    throw new Error('ttlS is no number of seconds from 20 to 3600')
  if (Object.keys(others).length > 0)
    throw new Error('there are other keys than key, issuer, audience and ttlS')
  return { key: createSecretKey(Buffer.from(key)), issuer, audience, ttlMs: ttlS * 1_000 }
}
