import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'

/** A private key that assertions are signed with, ES256. Plain data, never printed. */
export interface SigningKey {
  /** RFC 7638: says what the public half is, so that whoever has the PEM finds the same. */
  readonly kid: string
  /** PKCS #8. */
  readonly pem: string
}

/** Ready to sign; made once for each key. */
export interface CompiledSigningKey {
  /** The first part of every JWS, its dot included. */
  readonly prefix: string
  readonly privateKey: KeyObject
}

/** A public key as a set publishes it (RFC 7517). */
export interface PublishedKey {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly kid: string
  readonly alg: 'ES256'
  readonly use: 'sig'
}

export function createSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return signingKeyOf(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())
}

/** Of a private key on P-256; the config is judged, so anything else is a defect. */
export function signingKeyOf(pem: string): SigningKey {
  const { crv, kty, x, y } = publicMembers(createPrivateKey(pem))
  // RFC 7638 section 3.2: these members, in this order, without a space.
  const kid = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
  return { kid, pem }
}

export function compileSigningKey({ kid, pem }: SigningKey): CompiledSigningKey {
  const header = JSON.stringify({ alg: 'ES256', typ: 'JWT', kid })
  return {
    prefix: `${Buffer.from(header).toString('base64url')}.`,
    privateKey: createPrivateKey(pem),
  }
}

export function publishedKey({ kid, pem }: SigningKey): PublishedKey {
  return { ...publicMembers(createPrivateKey(pem)), kid, alg: 'ES256', use: 'sig' }
}

function publicMembers(privateKey: KeyObject): Pick<PublishedKey, 'kty' | 'crv' | 'x' | 'y'> {
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (x === undefined || y === undefined) throw new Error('the key of assertions is on no curve')
  return { kty: 'EC', crv: 'P-256', x, y }
}
