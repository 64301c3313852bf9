import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { readJwkSet } from '../../src/jwt/jwk.ts'
import { KeySet } from '../../src/jwt/key-set.ts'

const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const ed25519 = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })

type Jwk = Readonly<Record<string, unknown>>

function jwkOf(key: KeyObject, own: Jwk = {}): Jwk {
  return { ...key.export({ format: 'jwk' }), ...own }
}

function setOf(...keys: readonly Jwk[]): KeySet {
  const jwks = readJwkSet({ keys })
  assert.ok(jwks !== null)
  return KeySet.published(jwks, ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'], null)
}

function algorithmsOf(...keys: readonly Jwk[]): string {
  return setOf(...keys)
    .keys.map(({ key }) => key.algorithm)
    .join()
}

describe('a published key', () => {
  test('verifies the listed algorithms it fits', () => {
    assert.equal(algorithmsOf(jwkOf(rsa.publicKey)), 'RS256,PS256')
    assert.equal(algorithmsOf(jwkOf(p256.publicKey)), 'ES256')
    assert.equal(algorithmsOf(jwkOf(p384.publicKey)), 'ES384')
    assert.equal(algorithmsOf(jwkOf(ed25519.publicKey)), 'EdDSA')
  })

  test('verifies the one algorithm it is meant for', () => {
    assert.equal(algorithmsOf(jwkOf(rsa.publicKey, { alg: 'PS256' })), 'PS256')
    for (const alg of ['RS512', 'ES256', 'HS256', 'RSA-OAEP', 'none', '', 5, ['RS256']])
      assert.equal(algorithmsOf(jwkOf(rsa.publicKey, { alg })), '', String(alg))
  })

  test('is left out if it is for something else than verifying', () => {
    const key = p256.publicKey
    assert.equal(algorithmsOf(jwkOf(key, { use: 'sig', key_ops: ['verify'] })), 'ES256')
    for (const own of [
      { use: 'enc' },
      { use: 5 },
      { key_ops: ['encrypt'] },
      { key_ops: 'verify' },
      { key_ops: [] },
    ])
      assert.equal(algorithmsOf(jwkOf(key, own)), '', JSON.stringify(own))
  })

  // Once published, anybody can sign with it.
  test('is left out if it is a secret or has its private half with it', () => {
    assert.equal(algorithmsOf(jwkOf(p256.privateKey)), '')
    assert.equal(algorithmsOf(jwkOf(rsa.privateKey)), '')
    assert.equal(algorithmsOf({ kty: 'oct', k: 'c2VjcmV0', kid: 'a' }), '')
  })

  test('is left out if a member is amiss, the others of the set stay', () => {
    const [x, y] = [jwkOf(p256.publicKey)['x'], jwkOf(p256.publicKey)['y']]
    const good = jwkOf(ed25519.publicKey)
    for (const bad of [
      { kty: 'EC', crv: 'P-256', x, y: x },
      { kty: 'EC', crv: 'P-256', x },
      { kty: 'EC', crv: 'P-256', x: `${x}=`, y },
      { kty: 'EC', crv: 'P-256', x: `${x}AAAA`, y },
      { kty: 'EC', crv: 'P-384', x, y },
      { kty: 'EC', crv: 'secp256k1', x, y },
      { kty: 'EC', crv: 'toString', x, y },
      { kty: 'OKP', crv: 'Ed448', x },
      { kty: 'EC', crv: 'Ed25519', x, y },
      { kty: 'OKP', crv: 'P-256', x },
      { kty: 'ec', crv: 'P-256', x, y },
      jwkOf(rsa.publicKey, { e: 'AQ' }),
      jwkOf(rsa.publicKey, { e: 'AQAB'.repeat(100) }),
      jwkOf(rsa.publicKey, { n: 'A'.repeat(4_000) }),
      jwkOf(rsa.publicKey, { kid: 5 }),
      jwkOf(rsa.publicKey, { kid: 'x'.repeat(257) }),
      jwkOf(weak.publicKey),
      {},
    ])
      assert.equal(algorithmsOf(bad, good), 'EdDSA', JSON.stringify(bad).slice(0, 80))
  })
})

test('a set is an object with at most a hundred keys', () => {
  const key = jwkOf(ed25519.publicKey)
  for (const value of [null, [], 'keys', {}, { keys: {} }, { keys: Array(101).fill(key) }])
    assert.equal(readJwkSet(value), null)
  assert.equal(readJwkSet({ keys: Array(100).fill(key) })?.length, 100)
  assert.deepEqual(readJwkSet({ keys: [null, 5, 'x', []] }), [])
})

describe('of a set', () => {
  const a = jwkOf(p256.publicKey, { kid: 'a' })
  const b = jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, { kid: 'b' })

  test('the key of that name is taken, and only for the algorithm it fits', () => {
    const set = setOf(a, b, jwkOf(rsa.publicKey, { kid: 'a' }))
    assert.equal(set.pick('ES256', 'a')?.kid, 'a')
    assert.equal(set.pick('ES256', 'b')?.kid, 'b')
    assert.equal(set.pick('RS256', 'a')?.key.algorithm, 'RS256')
    for (const kid of ['c', '', 'A', 5, null, ['a']]) assert.equal(set.pick('ES256', kid), null)
    for (const algorithm of ['ES384', 'HS256', 'none']) assert.equal(set.pick(algorithm, 'a'), null)
  })

  test('a token without a name means the sole key of its algorithm, or none', () => {
    assert.equal(setOf(a).pick('ES256', undefined)?.kid, 'a')
    assert.equal(setOf(a, b).pick('ES256', undefined), null)
  })

  test('a name that stands for two keys stands for neither', () => {
    const twin = { ...b, kid: 'a' }
    assert.equal(setOf(a, twin).pick('ES256', 'a'), null)
    assert.equal(setOf(a, a).pick('ES256', 'a')?.kid, 'a', 'the same twice is one')
  })

  test('keys that stay are the same in the next one, and those that go end', () => {
    const read = (...keys: readonly Jwk[]) => readJwkSet({ keys }) ?? []
    const first = KeySet.published(read(a, b), ['ES256'], null)
    const next = KeySet.published(read(b), ['ES256'], first)
    const [gone, stays] = [first.pick('ES256', 'a'), first.pick('ES256', 'b')]
    first.retire(next)
    assert.equal(next.pick('ES256', 'b'), stays)
    assert.deepEqual([gone?.live, stays?.live], [false, true])
    const again = KeySet.published(read(a, b), ['ES256'], next)
    assert.equal(again.pick('ES256', 'a')?.live, true, 'one that comes back begins anew')
    const renamed = KeySet.published(read({ ...b, kid: 'c' }), ['ES256'], again)
    assert.notEqual(renamed.pick('ES256', 'c'), stays)
  })
})
