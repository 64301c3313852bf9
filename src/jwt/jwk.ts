import { createPublicKey, type KeyObject } from 'node:crypto'
import { decodeBase64url } from './base64url.ts'
import type { JwtAlgorithm } from './issuer.ts'

/** A public key of a set (RFC 7517): the members that make it, and nothing else of what was published. Plain data. */
export interface PublicJwk {
  readonly kid: string | null
  /** The only algorithm it is meant for; null: any it fits. */
  readonly alg: JwtAlgorithm | null
  readonly key: PublicMembers
}

export type PublicMembers =
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'EC'; readonly crv: string; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: string; readonly x: string }

/** Of a set; a longer one is no set. */
export const MAX_KEYS = 100
/** Characters. */
export const MAX_KID = 256
/** 8192 bits: OpenSSL takes twice that, and a second a signature. */
const MAX_MODULUS_BYTES = 1024
/** OpenSSL's own bound for long moduli: 64 bits. */
const MAX_EXPONENT_BYTES = 8

/** Bytes of a coordinate (RFC 7518 section 6.2.1.2, RFC 8037 section 2). */
const COORDINATES: Readonly<Record<string, number>> = { 'P-256': 32, 'P-384': 48, 'P-521': 66, Ed25519: 32 }

const ALGORITHMS: ReadonlySet<string> = new Set<JwtAlgorithm>([
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512', 'EdDSA'] as const),
])

/** How many keys a set that was read lists, of use or not. */
export function listedKeys(set: object): number {
  return 'keys' in set && Array.isArray(set.keys) ? set.keys.length : 0
}

/**
 * The keys of a JWK Set that can verify signatures, or null if this is no set. Keys for another use, of unknown kinds or
 * with a member amiss are left out (RFC 7517 section 5), and so are secrets and private keys: once published, anybody
 * can sign with them.
 */
export function readJwkSet(value: unknown): readonly PublicJwk[] | null {
  if (typeof value !== 'object' || value === null || !('keys' in value)) return null
  const { keys } = value
  if (!Array.isArray(keys) || keys.length > MAX_KEYS) return null
  return keys.map(readJwk).filter((jwk) => jwk !== null)
}

/** Throws Node's error where the members are no key. */
export function publicKeyOf(jwk: PublicJwk): KeyObject {
  // Type assertion: a union of exact members is narrower than the open record that Node declares.
  return createPublicKey({ key: jwk.key as unknown as Record<string, string>, format: 'jwk' })
}

function readJwk(value: unknown): PublicJwk | null {
  if (typeof value !== 'object' || value === null) return null
  // Type assertion: any member may be asked for, and each is judged before it is believed.
  const jwk = value as Readonly<Record<string, unknown>>
  const { kid = null, alg = null, use, key_ops: operations } = jwk
  if (kid !== null && (typeof kid !== 'string' || kid.length > MAX_KID)) return null
  if (alg !== null && (typeof alg !== 'string' || !ALGORITHMS.has(alg))) return null
  if (use !== undefined && use !== 'sig') return null
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return null
  if (jwk['d'] !== undefined || jwk['k'] !== undefined) return null
  const key = readMembers(jwk)
  // Type assertion: a member of ALGORITHMS.
  return key === null ? null : { kid, alg: alg as JwtAlgorithm | null, key }
}

function readMembers(jwk: Readonly<Record<string, unknown>>): PublicMembers | null {
  const { kty, crv, x, y, n, e } = jwk
  if (kty === 'RSA') {
    if (!isBytes(n, 1, MAX_MODULUS_BYTES) || !isBytes(e, 1, MAX_EXPONENT_BYTES)) return null
    return { kty, n, e }
  }
  const length = typeof crv === 'string' && Object.hasOwn(COORDINATES, crv) ? (COORDINATES[crv] ?? 0) : 0
  if (length === 0 || typeof crv !== 'string' || !isBytes(x, length, length)) return null
  if (kty === 'OKP') return crv === 'Ed25519' ? { kty, crv, x } : null
  if (kty !== 'EC' || crv === 'Ed25519' || !isBytes(y, length, length)) return null
  return { kty, crv, x, y }
}

function isBytes(member: unknown, least: number, most: number): member is string {
  if (typeof member !== 'string' || member.length > 2 * most) return false
  const bytes = decodeBase64url(member)
  return bytes !== null && bytes.length >= least && bytes.length <= most
}
