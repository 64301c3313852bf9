import { constants, createHmac, type KeyObject, sign } from 'node:crypto'

/** The HMAC secret tests share with their gateways: 76 bytes, enough for every HS algorithm. */
export const SECRET = 'test-secret-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'

/** 2100: nothing a test signs expires while it runs. */
export const FAR_S = 4_102_444_800

export const CLAIMS = { sub: 'user-1', company_id: 'acme', exp: FAR_S } as const

const HASHES: Readonly<Record<string, string>> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }

/** A JWT over claims; undefined claims are left out. */
export function token(
  claims: Readonly<Record<string, unknown>> = CLAIMS,
  { alg = 'HS256', key = SECRET as string | KeyObject, header = {} } = {},
): string {
  return forge(JSON.stringify({ alg, typ: 'JWT', ...header }), JSON.stringify(claims), alg, key)
}

/** A JWT of tenant `company`, valid. */
export function tenantToken(company: string): string {
  return token({ ...CLAIMS, company_id: company })
}

/** Signs exactly these texts, JSON or not; `alg` says how it is signed, whatever the header claims. */
export function forge(
  header: string | Buffer,
  payload: string | Buffer,
  alg: string,
  key: string | KeyObject,
): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${signature(input, alg, key).toString('base64url')}`
}

export function base64url(text: string | Buffer): string {
  return Buffer.from(text as string).toString('base64url')
}

function signature(input: string, alg: string, key: string | KeyObject): Buffer {
  const hash = HASHES[alg.slice(2)] ?? ''
  const bytes = Buffer.from(input)
  switch (alg.slice(0, 2)) {
    case 'HS':
      return createHmac(hash, key).update(bytes).digest()
    case 'RS':
      return sign(hash, bytes, key)
    case 'PS':
      return sign(hash, bytes, {
        key: key as KeyObject,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      })
    case 'ES':
      return sign(hash, bytes, { key: key as KeyObject, dsaEncoding: 'ieee-p1363' })
    case 'Ed':
      return sign(null, bytes, key)
    default:
      return Buffer.alloc(0)
  }
}

/** The Authorization field of a token. */
export function bearer(jwt: string): readonly [string, string] {
  return ['Authorization', `Bearer ${jwt}`]
}
