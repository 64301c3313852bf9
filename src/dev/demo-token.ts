import { createHmac } from 'node:crypto'
import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'

/** A working day: a line pasted in the evening still works. Seconds. */
export const TOKEN_LIFE_S = 12 * 3600

/** Makes a signed token of these claims that expires TOKEN_LIFE_S from now. */
export type TokenIssuer = (claims: { readonly sub: string; readonly company_id: string | number }) => string

/** Null where no issuer has a secret: private keys are somebody else's. */
export function tokenIssuer({ issuers }: Config['identity'], clock: Clock): TokenIssuer | null {
  const issuer = issuers.find(({ keys }) => keys.kind === 'secret')
  if (issuer === undefined || issuer.keys.kind !== 'secret') return null
  const key = issuer.keys.secret
  const algorithm = issuer.algorithms[0] ?? 'HS256'
  return (claims) => {
    const now = Math.floor(clock.wallMs() / 1000)
    const input = `${encode({ alg: algorithm, typ: 'JWT' })}.${encode({ ...claims, iat: now, exp: now + TOKEN_LIFE_S })}`
    return `${input}.${createHmac(`sha${algorithm.slice(2)}`, key)
      .update(input)
      .digest('base64url')}`
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}
