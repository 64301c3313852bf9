import { parseJws } from '../../src/jwt/jws.ts'
import type { VerificationKey } from '../../src/jwt/key.ts'
import { verifiedPayload } from '../../src/jwt/verified-payload.ts'

/** The payload of a token under a key, as the verifier comes by it; null of what is no token or does not hold. */
export function payloadUnder(key: VerificationKey, token: string): Buffer | null | Promise<Buffer | null> {
  const jws = parseJws(token)
  return jws === null ? null : verifiedPayload(key, jws)
}
