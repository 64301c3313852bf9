import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLocalJWKSet, decodeJwt, jwtVerify } from 'jose'
import { AssertionSigner } from '../../src/assertion/assertion-signer.ts'
import {
  type CompiledSigningKey,
  compileSigningKey,
  createSigningKey,
  publishedKey,
  signingKeyOf,
} from '../../src/assertion/signing-key.ts'
import { identityOf } from '../support/identity.ts'

const KEY = createSigningKey()
const START_S = 1_800_000_000

interface State {
  nowS: number
  key: CompiledSigningKey
}

function open(own: { readonly audience?: string; readonly maxEntries?: number } = {}): {
  readonly signer: AssertionSigner
  readonly state: State
} {
  const state: State = { nowS: START_S, key: compileSigningKey(KEY) }
  const signer = new AssertionSigner({
    key: () => state.key,
    issuer: 'nyro-gateway',
    audience: own.audience ?? null,
    ttlS: 60,
    nowS: () => state.nowS,
    ...(own.maxEntries === undefined ? {} : { maxEntries: own.maxEntries }),
  })
  return { signer, state }
}

describe('an assertion', () => {
  test('is verified by jose with the published key, and names caller, tenant and source', async () => {
    const keys = createLocalJWKSet({ keys: [publishedKey(createSigningKey()), publishedKey(KEY)] })
    const text = open({ audience: 'billing' }).signer.assertionOf(identityOf({ issuer: 'idp' }))
    const { payload, protectedHeader } = await jwtVerify(text, keys, {
      issuer: 'nyro-gateway',
      audience: 'billing',
      algorithms: ['ES256'],
      currentDate: new Date(START_S * 1_000),
    })
    assert.deepEqual(protectedHeader, { alg: 'ES256', typ: 'JWT', kid: KEY.kid })
    assert.deepEqual(payload, {
      ...{ iss: 'nyro-gateway', aud: 'billing', sub: 'user-1', tenant: 'acme', source: 'idp' },
      ...{ iat: START_S, exp: START_S + 60 },
    })
  })

  test('is the same until half of its time is over, then another one', () => {
    const { signer, state } = open()
    const identity = identityOf()
    const first = signer.assertionOf(identity)
    state.nowS = START_S + 29.9
    assert.equal(signer.assertionOf(identity), first)
    state.nowS = START_S + 30
    const second = signer.assertionOf(identity)
    assert.equal(decodeJwt(second).exp, START_S + 90)
    state.nowS = START_S + 45
    assert.equal(signer.assertionOf(identity), second)
  })

  test('is signed anew when the clock was set back', () => {
    const { signer, state } = open()
    const identity = identityOf()
    signer.assertionOf(identity)
    state.nowS = START_S - 10
    assert.equal(decodeJwt(signer.assertionOf(identity)).iat, START_S - 10)
  })

  // A proof that outlives the credential would let somebody in whose access has ended.
  test('ends with the credential behind it', () => {
    const text = open().signer.assertionOf(identityOf({ expiresAtS: START_S + 5 }))
    assert.equal(decodeJwt(text).exp, START_S + 5)
  })

  test('of one identity is never that of another, however few are kept', () => {
    const { signer } = open({ maxEntries: 2 })
    const identities = ['a', 'b', 'c', 'd'].map((tenant) => identityOf({ tenant }))
    for (const round of [1, 2]) {
      for (const identity of identities) {
        assert.equal(decodeJwt(signer.assertionOf(identity))['tenant'], identity.tenant, `round ${round}`)
      }
    }
  })

  test('is signed by the key that is in force when it is signed', () => {
    const { signer, state } = open()
    const next = createSigningKey()
    signer.assertionOf(identityOf())
    state.key = compileSigningKey(next)
    const [header = ''] = signer.assertionOf(identityOf()).split('.')
    assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).kid, next.kid)
  })
})

describe('a signing key', () => {
  test('is called by what its public half is, so that every replica calls it the same', () => {
    assert.deepEqual(signingKeyOf(KEY.pem), KEY)
    assert.notEqual(createSigningKey().kid, KEY.kid)
  })

  test('publishes nothing of its private half', () => {
    const { x, y, kid, ...rest } = publishedKey(KEY)
    assert.deepEqual(rest, { kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' })
    assert.deepEqual([x.length, y.length, kid.length], [43, 43, 43])
  })
})
