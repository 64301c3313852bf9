import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import type { JwtAlgorithm } from './issuer.ts'
import { hasRocaFingerprint } from './roca.ts'

type SecretAlgorithm = Extract<JwtAlgorithm, `HS${string}`>
type PublicAlgorithm = Exclude<JwtAlgorithm, SecretAlgorithm>

/** A key bound to the one algorithm it may verify, so that no token can choose (RFC 8725 section 3.1). */
export type VerificationKey = SecretVerificationKey | PublicVerificationKey

export interface SecretVerificationKey {
  readonly kind: 'secret'
  readonly algorithm: SecretAlgorithm
  /** As node:crypto calls it. */
  readonly hash: 'sha256' | 'sha384' | 'sha512'
  readonly secret: KeyObject
}

export interface PublicVerificationKey {
  readonly kind: 'public'
  readonly algorithm: PublicAlgorithm
  readonly publicKey: KeyObject
  /** What a signature of it takes, bytes: OpenSSL lets an RSA one go without its leading zeros (RFC 8017 section 8.1.2 does not). */
  readonly signatureBytes: number
}

const HASHES = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' } as const

/** RFC 7518 section 3.4, as OpenSSL calls the curves. */
const CURVES = { ES256: 'prime256v1', ES384: 'secp384r1', ES512: 'secp521r1' } as const

/** RFC 7518 sections 3.3 and 3.5. */
const MIN_RSA_BITS = 2048

/**
 * Reads the operator's key for an algorithm: the UTF-8 bytes of a secret for HS*, a PEM public key or certificate for
 * the others. Throws an Error in the operator's words, never with the key in it, when the two do not fit.
 * The length of a secret is not judged here: the settings may allow a short one.
 */
export function loadVerificationKey(algorithm: JwtAlgorithm, key: string): VerificationKey {
  if (!isSecretAlgorithm(algorithm)) return publicVerificationKey(algorithm, readPem(algorithm, key))
  // A public key is known to everybody: taken for a secret, it would let anybody sign.
  if (isPem(key))
    throw new Error(`${algorithm} takes a shared secret, but the key is a PEM: set the PEM's own algorithm`)
  return secretVerificationKey(algorithm, Buffer.from(key))
}

/** Throws an Error when the secret is empty. */
export function secretVerificationKey(algorithm: SecretAlgorithm, secret: Buffer): SecretVerificationKey {
  if (secret.length === 0) throw new Error(`${algorithm} takes a shared secret, but it is empty`)
  return { kind: 'secret', algorithm, hash: HASHES[algorithm], secret: createSecretKey(secret) }
}

/** Throws an Error when type, curve or strength of the key do not fit the algorithm. */
export function publicVerificationKey(
  algorithm: PublicAlgorithm,
  publicKey: KeyObject,
): PublicVerificationKey {
  const fault = findFault(algorithm, publicKey)
  if (fault !== null) throw new Error(`${algorithm} ${fault}`)
  return { kind: 'public', algorithm, publicKey, signatureBytes: signatureBytes(algorithm, publicKey) }
}

/** RFC 7518 section 3.4 and RFC 8032 section 5.1.6 for what is not RSA. */
function signatureBytes(algorithm: PublicAlgorithm, { asymmetricKeyDetails }: KeyObject): number {
  switch (algorithm) {
    case 'ES256':
      return 64
    case 'ES384':
      return 96
    case 'ES512':
      return 132
    case 'EdDSA':
      return 64
    default:
      return Math.ceil((asymmetricKeyDetails?.modulusLength ?? 0) / 8)
  }
}

function isSecretAlgorithm(algorithm: JwtAlgorithm): algorithm is SecretAlgorithm {
  return Object.hasOwn(HASHES, algorithm)
}

function isPem(key: string): boolean {
  return key.includes('-----BEGIN ')
}

function readPem(algorithm: PublicAlgorithm, key: string): KeyObject {
  if (!isPem(key)) throw new Error(`${algorithm} takes a PEM public key, but the key is not a PEM`)
  if (key.includes('PRIVATE KEY-----')) {
    throw new Error(
      `${algorithm} takes a PEM public key, but the PEM holds a private one: keep that where tokens are signed`,
    )
  }
  try {
    return createPublicKey(key)
  } catch {
    throw new Error(`${algorithm} takes a PEM public key, but the PEM cannot be read as one`)
  }
}

function findFault(algorithm: PublicAlgorithm, key: KeyObject): string | null {
  const type = key.asymmetricKeyType ?? 'unknown'
  const details = key.asymmetricKeyDetails ?? {}
  switch (algorithm) {
    case 'EdDSA':
      return type === 'ed25519' ? null : `needs an Ed25519 key, but this one is ${type}`
    case 'ES256':
    case 'ES384':
    case 'ES512': {
      const curve = CURVES[algorithm]
      const found = type === 'ec' ? (details.namedCurve ?? 'a curve without a name') : type
      return found === curve ? null : `needs an EC key on the curve ${curve}, but this one is ${found}`
    }
    default:
      return type === 'rsa' ? findRsaFault(key) : `needs an RSA key, but this one is ${type}`
  }
}

function findRsaFault(key: KeyObject): string | null {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (modulusLength < MIN_RSA_BITS) {
    return `needs an RSA key of ${MIN_RSA_BITS} bits or more, but this one has ${modulusLength}`
  }
  // With exponent 1 a signature is its own message; even ones are no RSA.
  if (publicExponent < 3n || publicExponent % 2n === 0n)
    return 'needs an RSA key with an odd exponent of 3 or more'
  const { n = '' } = key.export({ format: 'jwk' })
  if (hasRocaFingerprint(BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`))) {
    return 'refuses this RSA key: it was made by a faulty generator (CVE-2017-15361), so its private half can be computed'
  }
  return null
}
