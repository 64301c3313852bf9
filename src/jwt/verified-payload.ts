import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Jws } from './jws.ts'
import type { PublicVerificationKey, SecretVerificationKey, VerificationKey } from './key.ts'

/**
 * The payload of a token whose signature holds under this key and its one algorithm; null of any other. Claims are
 * not looked at. Synchronous for HS*; the other algorithms wait for a verification in libuv's thread pool.
 */
export function verifiedPayload(key: VerificationKey, jws: Jws): Buffer | null | Promise<Buffer | null> {
  if (jws.header.alg !== key.algorithm) return null
  // We know no extension that could be critical (RFC 7515 section 4.1.11); `b64` only counts when listed there.
  if (jws.header.crit !== undefined) return null
  if (key.kind === 'secret') return macHolds(key, jws) ? jws.payload : null
  if (jws.signature.length !== key.signatureBytes) return null
  return signatureHolds(key, jws.text).then((holds) => (holds ? jws.payload : null))
}

function macHolds(key: SecretVerificationKey, jws: Jws): boolean {
  const mac = createHmac(key.hash, key.secret).update(jws.signed, 'latin1').digest()
  return mac.length === jws.signature.length && timingSafeEqual(mac, jws.signature)
}

async function signatureHolds(key: PublicVerificationKey, token: string): Promise<boolean> {
  loadingJose ??= loadJose()
  const { compactVerify, JOSEError } = await loadingJose
  try {
    await compactVerify(token, key.publicKey, { algorithms: [key.algorithm] })
    return true
  } catch (error) {
    if (error instanceof JOSEError) return false
    throw error
  }
}

/** Loaded with the first token that needs it (10 ms and 5 MiB), so never where tokens are HS*. */
let loadingJose: ReturnType<typeof loadJose> | null = null

async function loadJose() {
  // These two modules, not the package's entry: that one costs 45 ms and 9 MiB.
  const { compactVerify } = await import('jose/jws/compact/verify')
  const { JOSEError } = await import('jose/errors')
  return { compactVerify, JOSEError }
}
