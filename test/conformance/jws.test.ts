/** C2SP Wycheproof (Apache-2.0) against the signature verifier: its payloads are no claims, so claims are not judged. */
import assert from 'node:assert/strict'
import { createPublicKey, type webcrypto } from 'node:crypto'
import { test } from 'node:test'
import type { JwtAlgorithm } from '../../src/config/config.ts'
import { loadVerificationKey, secretVerificationKey, type VerificationKey } from '../../src/jwt/key.ts'
import { verifiedPayload } from '../../src/jwt/verified-payload.ts'
import { referenceText } from '../support/reference-data.ts'

type Jwk = webcrypto.JsonWebKey & { readonly alg?: string }

interface Group {
  readonly private: Jwk | { readonly keys: readonly Jwk[] }
  readonly public?: Group['private']
  readonly tests: readonly {
    readonly tcId: number
    readonly jws: string
    readonly result: 'valid' | 'invalid'
  }[]
}

const ALGORITHMS = 'HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA'.split(' ')

const PS384_UNDER_A_PS256_KEY = 'a PS384 signature under a key for PS256'
const MISSPELT = 'its key is for ES521, which is no algorithm'
const PADDING_LOST = 'its padding is not in the file: the text is that of 357, which is valid'
const KEY_USE = 'turns on the use or key_ops of a JWK; a PEM says neither'
const KEY_SET = 'turns on a set of several keys'
const SHORT_SECRET = 'turns on the length of a secret, which the settings judge and may allow'

const SIGNATURE_SKIPS: Readonly<Record<number, string>> = {
  346: PS384_UNDER_A_PS256_KEY,
  347: MISSPELT,
  350: PS384_UNDER_A_PS256_KEY,
  351: MISSPELT,
  353: KEY_USE,
  354: KEY_USE,
  355: KEY_USE,
  356: KEY_USE,
  367: PADDING_LOST,
  370: PADDING_LOST,
}

const KEY_SKIPS: Readonly<Record<number, string>> = {
  1: KEY_SET,
  2: KEY_SET,
  3: KEY_SET,
  4: KEY_SET,
  10: SHORT_SECRET,
  11: SHORT_SECRET,
  12: SHORT_SECRET,
  21: KEY_USE,
}

/** Called valid there: a stray character in the base64url, which some decoders skip. We refuse it. */
const LENIENT = [372, 373]

for (const [file, total, skips] of [
  ['json_web_signature_test', 401, SIGNATURE_SKIPS],
  ['json_web_key_test', 26, KEY_SKIPS],
] as const) {
  const text = referenceText(`vectors/jws/${file}.json`)
  const skip = text === null && `${total} cases skipped: the vectors are not here`
  test(`Wycheproof ${file}: every signature is judged as it should be`, { skip }, async (t) => {
    const { testGroups } = JSON.parse(text ?? '') as { readonly testGroups: readonly Group[] }
    let judged = 0
    let skipped = 0
    for (const group of testGroups) {
      const jwk = group.public ?? group.private
      const key = loadJwk('keys' in jwk ? (jwk.keys[0] ?? {}) : jwk)
      for (const { tcId, jws, result } of group.tests) {
        const reason = skips[tcId]
        if (reason !== undefined) {
          skipped++
          t.diagnostic(`${tcId} skipped: ${reason}`)
          continue
        }
        const holds = key !== null && (await verifiedPayload(key, jws)) !== null
        const lenient = skips === SIGNATURE_SKIPS && LENIENT.includes(tcId)
        assert.equal(holds, result === 'valid' && !lenient, `tcId ${tcId}`)
        judged++
      }
    }
    t.diagnostic(`${judged} judged, ${skipped} skipped`)
    assert.equal(judged + skipped, total)
    assert.equal(skipped, Object.keys(skips).length)
  })
}

/** As an operator's key would be loaded, or null where that is refused. */
function loadJwk(jwk: Jwk): VerificationKey | null {
  const { alg = '', kty, k = '' } = jwk
  if (!ALGORITHMS.includes(alg)) return null
  try {
    // Not as text: these secrets are bytes that no UTF-8 spells.
    if (kty === 'oct') return secretVerificationKey(alg as 'HS256', Buffer.from(k, 'base64url'))
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    return loadVerificationKey(alg as JwtAlgorithm, pem.toString())
  } catch {
    return null
  }
}
