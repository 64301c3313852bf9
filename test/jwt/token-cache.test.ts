import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { loadVerificationKey, type VerificationKey } from '../../src/jwt/key.ts'
import { KeySet, type LiveKey } from '../../src/jwt/key-set.ts'
import { type LiveIssuer, soleIssuer } from '../../src/jwt/live-issuer.ts'
import { TokenCache } from '../../src/jwt/token-cache.ts'
import { TokenVerifier, type VerifiedToken } from '../../src/jwt/verify.ts'
import { identityOf } from '../support/identity.ts'
import { SECRET, token } from '../support/token.ts'

const NOW_S = 1_800_000_000
const GOOD = { sub: 'user-1', company_id: 'acme', exp: NOW_S + 60 }

const BY: LiveKey = { key: loadVerificationKey('HS256', SECRET), kid: null, identity: '', live: true }

class Fixture {
  nowS = NOW_S
  readonly verifier: TokenVerifier
  readonly #issuer: LiveIssuer

  constructor(key = loadVerificationKey('HS256', SECRET), clockSkewS = 0) {
    this.#issuer = soleIssuer(key, clockSkewS)
    this.verifier = new TokenVerifier({ issuers: [this.#issuer], nowS: () => this.nowS })
  }

  replaceKey(key: VerificationKey): void {
    this.#issuer.replaceKeys(KeySet.own([key]))
  }

  async code(jwt: string): Promise<string> {
    const outcome = await this.verifier.verify(jwt)
    return outcome.ok ? 'verified' : outcome.code
  }
}

function es256(): { readonly key: VerificationKey; readonly privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  return { key: loadVerificationKey('ES256', pem), privateKey }
}

function verified(tenant: string): VerifiedToken {
  return { ok: true, identity: identityOf({ tenant, expiresAtS: NOW_S + 60 }) }
}

test('a token seen again is not verified again', async () => {
  const { key, privateKey } = es256()
  const { verifier } = new Fixture(key)
  const jwt = token(GOOD, { alg: 'ES256', key: privateKey })
  const cold = verifier.verify(jwt)
  assert.ok(cold instanceof Promise)
  const settled = await cold
  assert.equal(verifier.verify(jwt), settled, 'at once, and the same value')
})

test('refusals are not kept: the token is judged anew each time', () => {
  const fixture = new Fixture()
  const early = token({ ...GOOD, nbf: NOW_S + 10 })
  assert.equal(fixture.verifier.verify(early), fixture.verifier.verify(early), 'one value for all refusals')
  fixture.nowS += 10
  const outcome = fixture.verifier.verify(early)
  assert.ok(!(outcome instanceof Promise) && outcome.ok)
})

// Whoever caches a verdict without its end lets a token live as long as its place in the cache.
test('a token in the cache ends at exp and begins at nbf, whichever way the clock steps', async () => {
  const fixture = new Fixture()
  const jwt = token({ ...GOOD, nbf: NOW_S - 60 })
  const steps: readonly (readonly [number, string])[] = [
    [0, 'verified'],
    [59.9, 'verified'],
    [60, 'token_expired'],
    [3600, 'token_expired'],
    [0, 'verified'],
    [-60, 'verified'],
    [-60.1, 'token_not_yet_valid'],
  ]
  for (const [offsetS, code] of steps) {
    fixture.nowS = NOW_S + offsetS
    assert.equal(await fixture.code(jwt), code, `${offsetS} s`)
  }
})

test('a clock skew holds for a token in the cache as for a new one', async () => {
  const fixture = new Fixture(loadVerificationKey('HS256', SECRET), 30)
  const jwt = token({ ...GOOD, nbf: NOW_S })
  for (const [offsetS, code] of [
    [-30, 'verified'],
    [-31, 'token_not_yet_valid'],
    [89, 'verified'],
    [90, 'token_expired'],
  ] as const) {
    fixture.nowS = NOW_S + offsetS
    assert.equal(await fixture.code(jwt), code, `${offsetS} s`)
  }
})

// A key is retired because it leaked: whatever it signed must stop at once, tokens verified before included.
test('a token signed by a retired key is refused although it was verified before', async () => {
  const fixture = new Fixture()
  const jwt = token(GOOD)
  assert.equal(await fixture.code(jwt), 'verified')
  fixture.replaceKey(loadVerificationKey('HS256', `${SECRET}-next`))
  assert.equal(await fixture.code(jwt), 'token_invalid')
  assert.equal(await fixture.code(token(GOOD, { key: `${SECRET}-next` })), 'verified')
})

// The retired key's verdict arrives after the cache was emptied, and would be put into it.
test('a token whose verification began before its key was retired is refused, then and afterwards', async () => {
  const [retired, next] = [es256(), es256()]
  const fixture = new Fixture(retired.key)
  const jwt = token(GOOD, { alg: 'ES256', key: retired.privateKey })
  const pending = fixture.code(jwt)
  fixture.replaceKey(next.key)
  assert.equal(await pending, 'token_invalid')
  assert.equal(await fixture.code(jwt), 'token_invalid')
})

test('tokens of different tenants are never mixed up, however alike they are', async () => {
  const { verifier } = new Fixture()
  const tenants = Array.from({ length: 300 }, (_, index) => `tenant-${index}`)
  const tokens = tenants.map((tenant) => token({ ...GOOD, company_id: tenant }))
  for (let round = 0; round < 3; round++) {
    for (const [index, jwt] of tokens.entries()) {
      const outcome = await verifier.verify(jwt)
      assert.equal(outcome.ok && outcome.identity.tenant, tenants[index])
    }
  }
})

test('what is used again before half the entries of others came by is always found', () => {
  const cache = new TokenCache({ maxEntries: 200, maxBytes: 1_000_000 })
  const inUse = Array.from({ length: 50 }, (_, index) => `token-${index}`)
  for (const jwt of inUse) cache.put(jwt, verified(jwt), 0, BY)
  for (let round = 0; round < 20; round++) {
    for (const [index, jwt] of inUse.entries()) {
      cache.put(`stranger-${round}-${index}`, verified('x'), 0, BY)
      assert.equal(cache.get(jwt)?.verified.identity.tenant, jwt)
    }
  }
})

test('the cache never holds more entries than it may', () => {
  const cache = new TokenCache({ maxEntries: 100, maxBytes: 1_000_000 })
  for (let index = 0; index < 1000; index++) {
    cache.put(`token-${index}`, verified('a'), 0, BY)
    assert.ok(cache.size <= 100, `${cache.size} entries`)
    cache.get(`token-${index - 60}`)
    assert.ok(cache.size <= 100, `${cache.size} entries`)
  }
  assert.ok(cache.size > 40)
  assert.equal(cache.get('token-0'), null)
})

test('the cache never holds more bytes than it may, whatever it is that is long', () => {
  const limits = { maxEntries: 1_000_000, maxBytes: 200_000 }
  const tokens = new TokenCache(limits)
  for (let index = 0; index < 100; index++) tokens.put(`${index}${'x'.repeat(10_000)}`, verified('a'), 0, BY)
  assert.ok(tokens.size > 0 && tokens.size * 10_000 <= 200_000, `${tokens.size} long tokens`)

  const long = 'ж'.repeat(10_000)
  const many = Array.from({ length: 400 }, (_, index) => `scope-${index}`)
  for (const own of [
    { subject: long },
    { plan: long },
    { jti: long },
    { scopes: new Set(many) },
    { claims: new Map([['roles', many]]) },
  ]) {
    const cache = new TokenCache(limits)
    const identity = identityOf({ ...own, expiresAtS: NOW_S })
    for (let index = 0; index < 100; index++) cache.put(`token-${index}`, { ok: true, identity }, 0, BY)
    assert.ok(cache.size > 0 && cache.size * 20_000 <= 200_000, `${cache.size} with ${Object.keys(own)}`)
  }

  const cache = new TokenCache(limits)
  cache.put('x'.repeat(200_000), verified('a'), 0, BY)
  assert.equal(cache.size, 0, 'what is too long for it alone is not kept')
})

test('by default the latest 8,192 tokens of 700 bytes are always there', () => {
  const cache = new TokenCache()
  // What differs stands where signatures differ: at the end.
  const nth = (index: number): string => 'x'.repeat(690) + `${index}`.padStart(10, '0')
  for (let index = 0; index < 40_000; index++) cache.put(nth(index), verified('acme'), 0, BY)
  assert.ok(cache.size >= 8192)
  let held = 0
  // From the youngest backwards, so that being found does not push out what is still to be looked for.
  for (let index = 39_999; cache.get(nth(index)) !== null; index--) held++
  assert.ok(held >= 8192, `${held} of the latest`)
})

// Tokens are found by a number made of their last characters: two that share it must not be taken for each other.
test('tokens that share their last characters are told apart', () => {
  const cache = new TokenCache()
  cache.put('tenant-a.0123456789', verified('a'), 0, BY)
  assert.equal(cache.get('tenant-b.0123456789'), null)
  cache.put('tenant-b.0123456789', verified('b'), 0, BY)
  assert.equal(cache.get('tenant-b.0123456789')?.verified.identity.tenant, 'b')
  assert.equal(cache.get('tenant-a.0123456789'), null, 'the later one stays')
})

test('two requests with one new token at once leave one entry', async () => {
  const cache = new TokenCache()
  cache.put('token', verified('a'), 0, BY)
  cache.put('token', verified('a'), 0, BY)
  assert.equal(cache.size, 1)
})

test('what a retired key verified is not found, and what another verified is', () => {
  const cache = new TokenCache({ maxEntries: 4, maxBytes: 10_000 })
  const leaked = { ...BY }
  for (const [jwt, by] of [
    ['old-1', leaked],
    ['old-2', BY],
    ['young', leaked],
  ] as const)
    cache.put(jwt, verified('a'), 0, by)
  leaked.live = false
  assert.equal(cache.get('old-1'), null)
  assert.equal(cache.get('young'), null)
  assert.notEqual(cache.get('old-2'), null)
  cache.put('young', verified('b'), 0, BY)
  assert.equal(cache.get('young')?.verified.identity.tenant, 'b', 'verified again, by a key that lives')
})
