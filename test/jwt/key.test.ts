import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import type { JwtAlgorithm } from '../../src/jwt/issuer.ts'
import { loadVerificationKey } from '../../src/jwt/key.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const p521 = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const koblitz = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
const ed25519 = generateKeyPairSync('ed25519')
const ed448 = generateKeyPairSync('ed448')

function pem(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

test('takes the key that belongs to each algorithm', () => {
  const fitting: Readonly<Record<JwtAlgorithm, string>> = {
    HS256: 'secret',
    HS384: 'secret',
    HS512: 'secret',
    RS256: pem(rsa.publicKey),
    RS384: pem(rsa.publicKey),
    RS512: pem(rsa.publicKey),
    PS256: pem(rsa.publicKey),
    PS384: pem(rsa.publicKey),
    PS512: pem(rsa.publicKey),
    ES256: pem(p256.publicKey),
    ES384: pem(p384.publicKey),
    ES512: pem(p521.publicKey),
    EdDSA: pem(ed25519.publicKey),
  }
  for (const [algorithm, key] of Object.entries(fitting)) {
    assert.equal(loadVerificationKey(algorithm as JwtAlgorithm, key).algorithm, algorithm)
  }
})

test('takes an RSA key in its older PEM form', () => {
  const key = rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  assert.equal(loadVerificationKey('RS256', key).kind, 'public')
})

/** Of an EC key on P-256, signed by itself; nobody has its private half. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBeDCCAR+gAwIBAgIUeOrFJ4wBPDKYexWRPDQkHAVafekwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGaXNzdWVyMCAXDTI2MTEyNDA0MTcwMloYDzIxMjYxMDMxMDQx
NzAyWjARMQ8wDQYDVQQDDAZpc3N1ZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARy3H1S1LYmuQD9kexsWsAoOK/PDIwRfWV7FKKWPz6IWVKhkZ4NP+tbx5TvgSmw
Qlu4VI4PykWCPZMTC4p4hFsRo1MwUTAdBgNVHQ4EFgQUJcftw11lYycsT0i8480m
xYKUPdAwHwYDVR0jBBgwFoAUJcftw11lYycsT0i8480mxYKUPdAwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBXoDbMx0wRAfaYtLrhv4wL4Djl1WtD
jFPNAq5SOB/n7gIgf1SQfa0uwdSDKcZw7Xr9V0XoeqnXD7OsMxDrissAWgk=
-----END CERTIFICATE-----
`

test('takes the key out of a certificate', () => {
  assert.equal(loadVerificationKey('ES256', CERTIFICATE).kind, 'public')
  assert.throws(() => loadVerificationKey('RS256', CERTIFICATE), /RS256 needs an RSA key, but this one is ec/)
})

test('takes the UTF-8 bytes of a secret as they are', () => {
  const key = loadVerificationKey('HS256', ' paßwort\n')
  assert.equal(key.kind, 'secret')
  assert.deepEqual(key.kind === 'secret' && key.secret.export(), Buffer.from(' paßwort\n', 'utf8'))
})

// A point off the curve belongs to a weaker group: signatures for it can be made up.
function pemOffCurve(): string {
  const der = p256.publicKey.export({ type: 'spki', format: 'der' })
  der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1
  return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`
}

/** With exponent 1 every message is its own signature. */
function pemWithExponentOne(): string {
  const { n = '' } = rsa.publicKey.export({ format: 'jwk' })
  return pem(createPublicKey({ key: { kty: 'RSA', n, e: 'AQ' }, format: 'jwk' }))
}

test('refuses a key that does not fit, in words an operator can act on and without the key', () => {
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
  const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const privatePem = p256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const unreadable = '-----BEGIN PUBLIC KEY-----\nbm90IGEga2V5\n-----END PUBLIC KEY-----\n'
  const cases: readonly (readonly [JwtAlgorithm, string, RegExp])[] = [
    ['HS256', pem(rsa.publicKey), /HS256 takes a shared secret, but the key is a PEM/],
    ['HS512', `\n ${pem(p256.publicKey)}`, /HS512 takes a shared secret, but the key is a PEM/],
    ['HS256', '', /HS256 takes a shared secret, but it is empty/],
    ['RS256', 'a-shared-secret-0123456789abcdef', /RS256 takes a PEM public key, but the key is not a PEM/],
    ['EdDSA', '', /EdDSA takes a PEM public key, but the key is not a PEM/],
    ['ES256', privatePem, /but the PEM holds a private one/],
    ['RS256', unreadable, /RS256 takes a PEM public key, but the PEM cannot be read as one/],
    ['ES256', pemOffCurve(), /ES256 takes a PEM public key, but the PEM cannot be read as one/],
    ['RS256', pem(p256.publicKey), /RS256 needs an RSA key, but this one is ec/],
    ['PS256', pem(pss.publicKey), /PS256 needs an RSA key, but this one is rsa-pss/],
    ['RS256', pem(short.publicKey), /RS256 needs an RSA key of 2048 bits or more, but this one has 1024/],
    ['RS256', pemWithExponentOne(), /RS256 needs an RSA key with an odd exponent of 3 or more/],
    [
      'ES256',
      pem(p384.publicKey),
      /ES256 needs an EC key on the curve prime256v1, but this one is secp384r1/,
    ],
    [
      'ES384',
      pem(p256.publicKey),
      /ES384 needs an EC key on the curve secp384r1, but this one is prime256v1/,
    ],
    ['ES512', pem(p384.publicKey), /ES512 needs an EC key on the curve secp521r1, but this one is secp384r1/],
    [
      'ES256',
      pem(koblitz.publicKey),
      /ES256 needs an EC key on the curve prime256v1, but this one is secp256k1/,
    ],
    ['ES256', pem(rsa.publicKey), /ES256 needs an EC key on the curve prime256v1, but this one is rsa/],
    ['EdDSA', pem(ed448.publicKey), /EdDSA needs an Ed25519 key, but this one is ed448/],
    ['EdDSA', pem(p256.publicKey), /EdDSA needs an Ed25519 key, but this one is ec/],
  ]
  for (const [algorithm, key, message] of cases) {
    assert.throws(
      () => loadVerificationKey(algorithm, key),
      (error: Error) => {
        assert.match(error.message, message)
        for (const line of key.split('\n')) {
          if (line.length > 8 && !line.startsWith('-----'))
            assert.ok(!error.message.includes(line), algorithm)
        }
        return true
      },
    )
  }
})
