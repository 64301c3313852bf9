import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { test } from 'node:test'
import type { JwtAlgorithm } from '../../src/jwt/issuer.ts'
import { loadVerificationKey } from '../../src/jwt/key.ts'
import { base64url, CLAIMS, token } from '../support/token.ts'
import { payloadUnder } from './judged.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

function curve(namedCurve: string) {
  return [generateKeyPairSync('ec', { namedCurve }), generateKeyPairSync('ec', { namedCurve })] as const
}

const PUBLIC = {
  RS256: [rsa, otherRsa],
  RS384: [rsa, otherRsa],
  RS512: [rsa, otherRsa],
  PS256: [rsa, otherRsa],
  PS384: [rsa, otherRsa],
  PS512: [rsa, otherRsa],
  ES256: curve('P-256'),
  ES384: curve('P-384'),
  ES512: curve('P-521'),
  EdDSA: [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')],
} as const

for (const [alg, [own, foreign]] of Object.entries(PUBLIC)) {
  const pem = own.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const key = loadVerificationKey(alg as JwtAlgorithm, pem)

  test(`${alg}: the key's own signature holds, and the payload is what was signed`, async () => {
    const payload = await payloadUnder(key, token(CLAIMS, { alg, key: own.privateKey }))
    assert.deepEqual(payload && JSON.parse(payload.toString()), CLAIMS)
  })

  test(`${alg}: a foreign, altered, shortened, lengthened, empty or random signature does not hold`, async () => {
    const good = token(CLAIMS, { alg, key: own.privateKey })
    const dot = good.lastIndexOf('.') + 1
    const [input, bytes] = [good.slice(0, dot), Buffer.from(good.slice(dot), 'base64url')]
    const signatures = [
      Buffer.alloc(0),
      Buffer.alloc(bytes.length),
      Buffer.alloc(bytes.length, 0xff),
      randomBytes(bytes.length),
      bytes.subarray(1),
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), bytes]),
      ...[0, bytes.length >> 1, bytes.length - 1].map((at) => {
        const altered = Buffer.from(bytes)
        altered[at] = (altered[at] ?? 0) ^ 1
        return altered
      }),
    ]
    for (const signature of signatures) {
      assert.equal(await payloadUnder(key, input + signature.toString('base64url')), null)
    }
    assert.equal(await payloadUnder(key, token(CLAIMS, { alg, key: foreign.privateKey })), null)
    const otherPayload = `${input.split('.')[0]}.${base64url(JSON.stringify({ ...CLAIMS, sub: 'root' }))}`
    assert.equal(await payloadUnder(key, `${otherPayload}.${good.slice(dot)}`), null)
  })
}

// One signature in 256 begins with a zero; OpenSSL takes it without, which would make two tokens of one.
test('RS256: a signature without its leading zero does not hold', async () => {
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const key = loadVerificationKey('RS256', pem)
  for (let nonce = 0; nonce < 5_000; nonce++) {
    const good = token({ ...CLAIMS, nonce }, { alg: 'RS256', key: rsa.privateKey })
    const dot = good.lastIndexOf('.') + 1
    const signature = Buffer.from(good.slice(dot), 'base64url')
    if (signature[0] !== 0) continue
    assert.notEqual(await payloadUnder(key, good), null)
    const shortened = good.slice(0, dot) + signature.subarray(1).toString('base64url')
    assert.equal(await payloadUnder(key, shortened), null)
    return
  }
  assert.fail('no signature began with a zero')
})

// ECDSA in its DER form is what most tools print; JWS has the two numbers side by side (RFC 7518 section 3.4).
test('ES256: a signature in DER does not hold', async () => {
  const [{ publicKey, privateKey }] = PUBLIC.ES256
  const key = loadVerificationKey('ES256', publicKey.export({ type: 'spki', format: 'pem' }).toString())
  const input = `${base64url('{"alg":"ES256"}')}.${base64url(JSON.stringify(CLAIMS))}`
  const der = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'der' })
  assert.equal(await payloadUnder(key, `${input}.${der.toString('base64url')}`), null)
})
