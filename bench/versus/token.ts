import { createHmac } from 'node:crypto'

/** Long enough for HS256 (RFC 7518 section 3.2); a test value, not a secret. */
export const SECRET = 'bench-secret-0123456789abcdef0123456789abcdef'

const HEADER = encode({ alg: 'HS256', typ: 'JWT' })
const TENANTS = 50

export interface Token {
  readonly text: string
  readonly tenant: string
}

/** A valid token, distinct for every pair of `batch` and `index`, of one of 50 tenants. */
export function makeToken(batch: string, index: number): Token {
  const tenant = `acme-${index % TENANTS}`
  const payload = encode({
    sub: `user-${index}`,
    company_id: tenant,
    exp: 4_102_444_800,
    jti: `${batch}-${index}`,
  })
  const signed = `${HEADER}.${payload}`
  const signature = createHmac('sha256', SECRET).update(signed).digest('base64url')
  return { text: `${signed}.${signature}`, tenant }
}

/** The same with another key's signature: well-formed, distinct, refused. */
export function makeForgery(batch: string, index: number): Token {
  const { text, tenant } = makeToken(batch, index)
  const signed = text.slice(0, text.lastIndexOf('.'))
  const signature = createHmac('sha256', `not ${SECRET}`).update(signed).digest('base64url')
  return { text: `${signed}.${signature}`, tenant }
}

/** Lines as load/load.lua reads them. */
export function tokenLines(tokens: readonly Token[]): string {
  return tokens.map(({ text, tenant }) => `${text} ${tenant}\n`).join('')
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
