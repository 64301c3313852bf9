import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { IssuerConfig } from '../../src/jwt/issuer.ts'
import { findIssuerProblems, findUrlFault } from '../../src/jwt/issuer-problem.ts'
import { compileIssuer } from '../../src/jwt/live-issuer.ts'
import { TokenVerifier } from '../../src/jwt/verify.ts'
import type { Identity } from '../../src/proxy/exchange.ts'
import { issuerConfig, remoteKeys } from '../support/issuer-config.ts'
import { SECRET, token } from '../support/token.ts'

const NOW_S = 1_800_000_000
const GOOD = { sub: 'user-1', company_id: 'acme', exp: NOW_S + 60 }
const OTHER_SECRET = SECRET.split('').reverse().join('')

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsaPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()

function verifierOf(configs: readonly Partial<IssuerConfig>[], kept: readonly string[] = []): TokenVerifier {
  const issuers = configs.map((own, index) =>
    compileIssuer(issuerConfig({ name: `idp-${index}`, ...own }), kept),
  )
  return new TokenVerifier({ issuers, nowS: () => NOW_S })
}

async function judged(verifier: TokenVerifier, jwt: string): Promise<string> {
  const outcome = await verifier.verify(jwt)
  if (outcome.ok) return outcome.identity.issuer
  return outcome.detail === null ? outcome.code : `${outcome.code}: ${outcome.detail}`
}

async function identityBy(verifier: TokenVerifier, claims: object): Promise<Identity> {
  const outcome = await verifier.verify(token({ ...GOOD, ...claims }))
  assert.ok(outcome.ok)
  return outcome.identity
}

describe('of several issuers', () => {
  const [a, b] = ['https://a.example.com', 'https://b.example.com']
  const verifier = verifierOf([
    { issuer: a },
    { issuer: b, algorithms: ['RS256', 'PS256'], keys: { kind: 'pem', pem: rsaPem } },
    { issuer: null, keys: { kind: 'secret', secret: OTHER_SECRET } },
  ])
  const byRsa = (claims: object, alg = 'RS256'): string =>
    token({ ...GOOD, ...claims }, { alg, key: rsa.privateKey })

  test('the one a token says it is from verifies it', async () => {
    assert.equal(await judged(verifier, token({ ...GOOD, iss: a })), 'idp-0')
    assert.equal(await judged(verifier, byRsa({ iss: b })), 'idp-1')
    assert.equal(await judged(verifier, byRsa({ iss: b }, 'PS256')), 'idp-1')
  })

  // One issuer's key must not sign in another's name, or the least trusted of them speaks for all.
  test('none verifies what says it is from another', async () => {
    assert.equal(await judged(verifier, token({ ...GOOD, iss: b })), 'token_invalid')
    assert.equal(await judged(verifier, byRsa({ iss: a })), 'token_invalid')
    assert.equal(await judged(verifier, token({ ...GOOD, iss: a }, { key: OTHER_SECRET })), 'token_invalid')
  })

  test('the one without a name takes tokens whose issuer nobody claims, as any or none', async () => {
    for (const iss of [undefined, 'https://c.example.com', `${a}/`, a.toUpperCase(), 5, null, [a]])
      assert.equal(
        await judged(verifier, token({ ...GOOD, iss }, { key: OTHER_SECRET })),
        'idp-2',
        String(iss),
      )
    const named = verifierOf([{ issuer: a }, { issuer: b, keys: { kind: 'secret', secret: OTHER_SECRET } }])
    assert.equal(await judged(named, token(GOOD)), 'token_invalid')
    assert.equal(await judged(verifierOf([{ issuer: a }]), token(GOOD)), 'token_invalid')
    assert.equal(await judged(verifierOf([{ issuer: a }]), token({ ...GOOD, iss: a })), 'idp-0')
  })

  test('of two iss in one token the last counts, for the choice and for the judgement', async () => {
    const { forge } = await import('../support/token.ts')
    const payload = (first: string, last: string): string =>
      JSON.stringify({ ...GOOD, iss: '?' }).replace('"iss":"?"', `"iss":"${first}","iss":"${last}"`)
    const header = '{"alg":"HS256"}'
    assert.equal(await judged(verifier, forge(header, payload(b, a), 'HS256', SECRET)), 'idp-0')
    assert.equal(await judged(verifier, forge(header, payload(a, b), 'HS256', SECRET)), 'token_invalid')
  })

  // RFC 8725 section 2.1: HMAC with a public key that everybody knows.
  test('no algorithm is taken that is not listed, whatever the key would do', async () => {
    assert.equal(await judged(verifier, byRsa({ iss: b }, 'RS384')), 'token_invalid')
    for (const alg of ['HS256', 'HS384', 'none'])
      assert.equal(await judged(verifier, token({ ...GOOD, iss: b }, { alg, key: rsaPem })), 'token_invalid')
  })

  // RFC 8725 section 3.10: they name the attacker's key, or a place to fetch it from.
  test('nothing in a header leads to a key', async () => {
    const jwk = rsa.publicKey.export({ format: 'jwk' })
    for (const header of [
      { jku: 'https://evil.example.com/jwks' },
      { x5u: 'https://evil.example.com/cert' },
      { jwk },
      { kid: '../../etc/passwd' },
      { kid: "' OR 1=1 --" },
      { kid: a },
    ]) {
      const forged = token({ ...GOOD, iss: a }, { alg: 'RS256', key: rsa.privateKey, header })
      assert.equal(await judged(verifier, forged), 'token_invalid')
      assert.equal(await judged(verifier, token({ ...GOOD, iss: a }, { header })), 'idp-0', 'and none harms')
    }
  })
})

describe('the claims of an issuer', () => {
  test('must be meant for one of its audiences', async () => {
    const verifier = verifierOf([{ audience: ['api', 'admin'] }])
    for (const aud of ['api', 'admin', ['x', 'api']])
      assert.equal(await judged(verifier, token({ ...GOOD, aud })), 'idp-0', String(aud))
    for (const aud of [undefined, null, '', 'API', 'api ', ['x'], [], [['api']], { api: 1 }, 5])
      assert.equal(await judged(verifier, token({ ...GOOD, aud })), 'token_invalid', String(aud))
    assert.equal(await judged(verifierOf([{}]), token({ ...GOOD, aud: 'x' })), 'idp-0', 'unless it has none')
  })

  test('must not live longer than allowed, counted from when they say they were made', async () => {
    const verifier = verifierOf([{ maxLifetimeS: 60 }])
    assert.equal(await judged(verifier, token({ ...GOOD, iat: NOW_S })), 'idp-0')
    for (const iat of [NOW_S - 1, 'x', -1e308])
      assert.equal(await judged(verifier, token({ ...GOOD, iat })), 'token_invalid', String(iat))
    const ahead = { ...GOOD, exp: NOW_S + 90, iat: NOW_S + 30 }
    assert.equal(await judged(verifier, token(ahead)), 'token_invalid', 'made in the future')
    assert.equal(await judged(verifier, token(GOOD)), 'claims_missing: Token missing required claims: iat')
  })

  test('must hold what is required, absent ones named in order', async () => {
    const verifier = verifierOf([{ requiredClaims: ['jti', 'email'] }])
    assert.equal(await judged(verifier, token({ ...GOOD, jti: 'x', email: 'y' })), 'idp-0')
    const { sub: _, ...anonymous } = GOOD
    assert.equal(
      await judged(verifier, token({ ...anonymous, jti: null })),
      'claims_missing: Token missing required claims: sub, jti, email',
    )
    for (const name of ['toString', 'constructor', '__proto__'])
      assert.equal(
        await judged(verifierOf([{ requiredClaims: [name] }]), token(GOOD)),
        `claims_missing: Token missing required claims: ${name}`,
        'what every object inherits is no claim',
      )
  })

  test('are judged for whom and until when before what is missing', async () => {
    const verifier = verifierOf([{ audience: ['api'], requiredClaims: ['jti'] }])
    assert.equal(await judged(verifier, token({ exp: 1 })), 'token_invalid')
    assert.equal(await judged(verifier, token({ exp: 1, aud: 'api' })), 'token_expired')
  })

  test('say who calls by the names the operator gives', async () => {
    const names = { subject: 'uid', tenant: 'https://x.example/org', plan: 'tier', scopes: 'permissions' }
    const verifier = verifierOf([{ claims: names }])
    const claims = { uid: 'u', 'https://x.example/org': 42, tier: 'pro', permissions: ['a', 'b'], jti: 'j' }
    const identity = await identityBy(verifier, claims)
    assert.deepEqual(identity, {
      ...{ subject: 'u', tenant: '42', expiresAtS: GOOD.exp, plan: 'pro', issuer: 'idp-0', jti: 'j' },
      ...{ scopes: new Set(['a', 'b']), claims: new Map() },
    })
    assert.equal(
      await judged(verifier, token(GOOD)),
      'claims_missing: Token missing required claims: uid, https://x.example/org',
    )
    const rounded = { exp: GOOD.exp, uid: 'u', 'https://x.example/org': 5.5 }
    assert.equal(await judged(verifier, token(rounded)), 'tenant_invalid')
  })

  test('grant scopes as words or as a list, and nothing by anything else', async () => {
    const verifier = verifierOf([{}])
    for (const [scope, granted] of [
      ['a b', ['a', 'b']],
      [' a  b ', ['a', 'b']],
      [
        ['a', 'b c'],
        ['a', 'b c'],
      ],
      ['', []],
      [undefined, []],
      [null, []],
      [5, []],
      [{ a: true }, []],
      [['a', 5], []],
    ] as const) {
      assert.deepEqual([...(await identityBy(verifier, { scope })).scopes], granted, JSON.stringify(scope))
    }
  })

  test('are forgotten but for those that some route asks about', async () => {
    const verifier = verifierOf([{}], ['role', 'level', 'toString'])
    const { claims } = await identityBy(verifier, {
      ...{ role: ['admin', { x: 1 }, null], level: 3, secret: 'x' },
    })
    assert.deepEqual(
      claims,
      new Map<string, unknown>([
        ['role', ['admin']],
        ['level', [3]],
      ]),
    )
  })

  test('name a plan as text only', async () => {
    for (const [plan, expected] of [
      ['pro', 'pro'],
      ['', null],
      [5, null],
      [['pro'], null],
      [undefined, null],
    ])
      assert.equal((await identityBy(verifierOf([{}]), { plan })).plan, expected)
  })
})

describe('issuers that cannot be used', () => {
  const remote = (url: string, own: Partial<IssuerConfig> = {}): IssuerConfig =>
    issuerConfig({ algorithms: ['RS256'], keys: remoteKeys({ url }), ...own })

  test('are all named at once, by what is wrong and what to do', () => {
    const problems = findIssuerProblems([
      issuerConfig({ name: 'a' }),
      issuerConfig({ name: 'a' }),
      issuerConfig({ name: 'b', issuer: 'x', requiredClaims: Array(17).fill('c') }),
      null,
      { ...issuerConfig({ name: 'c', issuer: 'x' }), keys: null },
      remote('http://id.example.com/jwks', { name: 'd', issuer: 'y', algorithms: ['RS256', 'HS256'] }),
      issuerConfig({
        ...{ name: 'e', issuer: 'z', algorithms: ['RS256'] },
        keys: remoteKeys({ kind: 'discovery', url: 'z', cooldownMs: 700_000 }),
      }),
    ])
    assert.deepEqual(
      problems.map(({ index, member, found }) => [index, member.join('.'), found]),
      [
        [1, 'name', 'is the name of identity.jwt[0] too'],
        [1, '', 'has no issuer, like identity.jwt[0]'],
        [4, 'issuer', 'is that of identity.jwt[2] too'],
        [2, 'requiredClaims', 'has 17 names'],
        [5, 'algorithms', 'lists HS256, whose key is a secret, while these keys are published'],
        [5, 'jwks', 'is plain http, where anybody on the way could put keys of his own'],
        [6, 'keys.cooldown', 'is longer than `refresh`, which could then never be kept'],
        [6, 'issuer', 'is no URL'],
      ],
    )
  })

  test('are none of these', () => {
    assert.deepEqual(
      findIssuerProblems([
        issuerConfig({ name: 'a' }),
        issuerConfig({
          name: 'b',
          issuer: 'b',
          algorithms: ['RS256', 'PS512'],
          keys: { kind: 'pem', pem: rsaPem },
        }),
        remote('https://id.example.com/jwks', { name: 'c', issuer: 'c' }),
        remote('http://127.0.0.1:8080/jwks', { name: 'd', issuer: 'd' }),
      ]),
      [],
    )
  })

  // Whoever stands between answers with a key of his own.
  test('keys come by TLS only, but from loopback and where it is allowed by name', () => {
    for (const url of [
      'https://id.example.com/jwks',
      'http://localhost:1/',
      'http://127.0.0.1/',
      'http://127.8.8.8/',
      'http://[::1]:9/',
      'http://idp.internal/jwks',
    ])
      assert.equal(findUrlFault(url, ['idp.internal']), null, url)
    for (const url of [
      ...['http://id.example.com/', 'http://127.0.0.1.example.com/', 'http://localhost.example.com/'],
      ...['http://x.idp.internal/', 'ftp://localhost/', 'file:///etc/jwks', 'id.example.com', ''],
      ...['https://user:pw@id.example.com/', 'https://id.example.com/#x', 'http://10.0.0.1/'],
    ]) {
      const fault = findUrlFault(url, ['idp.internal'])
      assert.ok(fault !== null, url)
      assert.ok(!fault.includes('pw'))
    }
  })
})
