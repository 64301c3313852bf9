import { createHmac, timingSafeEqual } from 'node:crypto'

export interface Caller {
  readonly subject: string
  readonly tenant: string
  readonly expiresAtS: number
}

/** Verified tokens kept, twice what the load cycles through, so that neither Node peer pays for the cryptography. */
const MAX_CACHED = 10_000
const HEADER = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')

/** A check of `Authorization` as a service of this kind would write it: HS256, exp, sub and company_id, with a cache. */
export function createTokenCheck(
  secret: string,
): (authorization: string | undefined, nowS: number) => Caller | null {
  const cache = new Map<string, Caller>()
  return (authorization, nowS) => {
    if (authorization?.startsWith('Bearer ') !== true) return null
    const token = authorization.slice(7)
    const known = cache.get(token)
    if (known !== undefined) return known.expiresAtS > nowS ? known : null
    const caller = verify(token, secret)
    if (caller === null || caller.expiresAtS <= nowS) return null
    if (cache.size >= MAX_CACHED) cache.clear()
    cache.set(token, caller)
    return caller
  }
}

function verify(token: string, secret: string): Caller | null {
  const [header, payload, signature, ...rest] = token.split('.')
  if (header !== HEADER || payload === undefined || signature === undefined || rest.length > 0) return null
  const expected = createHmac('sha256', secret).update(`${header}.${payload}`).digest()
  const given = Buffer.from(signature, 'base64url')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
  if (typeof claims !== 'object' || claims === null) return null
  const { sub, company_id: tenant, exp } = claims as Record<string, unknown>
  if (typeof sub !== 'string' || typeof tenant !== 'string' || typeof exp !== 'number') return null
  return { subject: sub, tenant, expiresAtS: exp }
}
