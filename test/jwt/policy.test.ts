import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { loadVerificationKey } from '../../src/jwt/key.ts'
import { soleIssuer } from '../../src/jwt/live-issuer.ts'
import { TokenVerifier } from '../../src/jwt/verify.ts'
import { jwtPolicy } from '../../src/policies/jwt.ts'
import { tenantPolicy } from '../../src/policies/tenant.ts'
import { Exchange, type RequestHead } from '../../src/proxy/exchange.ts'
import type { Failure } from '../../src/proxy/failure.ts'
import type { Verdict } from '../../src/proxy/policy.ts'
import type { Route } from '../../src/proxy/route.ts'
import { identityOf } from '../support/identity.ts'
import { CLAIMS, SECRET, token } from '../support/token.ts'

const NOW_S = 1_800_000_000

function headOf(fields: readonly (readonly [string, string])[]): RequestHead {
  const head = {
    method: 'GET',
    minor: 1,
    target: '/',
    path: '/',
    host: 'gw.test',
    find: (name: string, from: number) =>
      fields.findIndex(([own], index) => index >= from && own.toLowerCase() === name),
    value: (index: number) => fields[index]?.[1] ?? '',
    get: (name: string) => fields.find(([own]) => own.toLowerCase() === name)?.[1] ?? null,
  }
  return head
}

function exchangeOf(fields: readonly (readonly [string, string])[]): Exchange {
  // Of a route these policies only reach, through assert, what is owned.
  const route = { owned: new Set(['x-company-id']) } as unknown as Route
  return new Exchange(headOf(fields), route, '192.0.2.1', 'http', 'request-1', 0)
}

const policy = jwtPolicy(
  new TokenVerifier({ issuers: [soleIssuer(loadVerificationKey('HS256', SECRET), 0)], nowS: () => NOW_S }),
)

function admit(...authorization: readonly string[]): {
  readonly exchange: Exchange
  readonly verdict: Verdict
} {
  const exchange = exchangeOf([
    ['Host', 'gw.test'],
    ...authorization.map((value) => ['Authorization', value] as const),
    ['X-Authorization', 'Bearer x'],
    ['Proxy-Authorization', 'Bearer x'],
  ])
  const verdict = policy.admit(exchange)
  assert.ok(!(verdict instanceof Promise))
  return { exchange, verdict }
}

function refusal(...authorization: readonly string[]): Failure {
  const { exchange, verdict } = admit(...authorization)
  assert.equal(exchange.identity, null)
  assert.ok(verdict !== null && verdict.kind === 'failure')
  return verdict
}

function tenantOf({ identity }: Exchange): string | null {
  return identity === null ? null : identity.tenant
}

const INVALID = 'WWW-Authenticate: Bearer error="invalid_token"\r\n'

test('admits a good token and says who calls', () => {
  const { exchange, verdict } = admit(`Bearer ${token()}`)
  assert.equal(verdict, null)
  assert.deepEqual(exchange.identity, identityOf({ expiresAtS: CLAIMS.exp }))
})

test('the scheme is case-insensitive and followed by one or more spaces', () => {
  for (const scheme of ['bearer ', 'BEARER ', 'bEaReR ', 'Bearer  ', 'Bearer       ']) {
    assert.equal(admit(scheme + token()).verdict, null, scheme)
  }
})

test('no token, an empty one or another scheme is a missing token', () => {
  const values = [
    '',
    'Bearer',
    'Bearer ',
    'Bearer   ',
    'Basic dXNlcjpwYXNz',
    `Token ${token()}`,
    `Bearer\t${token()}`,
    `Bearer,${token()}`,
    `Bearer${token()}`,
    `Bearers ${token()}`,
    `"earer ${token()}`,
    token(),
    'B',
  ]
  for (const refused of [refusal(), ...values.map((value) => refusal(value))]) {
    const { status, code, detail, fields } = refused
    assert.deepEqual(
      { status, code, detail, fields },
      {
        status: 401,
        code: 'token_missing',
        detail: 'Not authenticated',
        fields: 'WWW-Authenticate: Bearer\r\n',
      },
    )
  }
})

// If two are taken for one, the gateway may verify the first and the upstream believe the second.
test('two Authorization fields are refused, whatever is in them', () => {
  const good = `Bearer ${token()}`
  for (const pair of [
    [good, good],
    [good, 'Bearer bad'],
    ['Bearer bad', good],
    ['', good],
    [good, 'Basic x'],
    ['', ''],
  ]) {
    const { status, code, detail, fields } = refusal(...pair)
    assert.deepEqual(
      { status, code, detail, fields },
      {
        status: 400,
        code: 'authorization_repeated',
        detail: 'More than one Authorization field.',
        fields: 'WWW-Authenticate: Bearer error="invalid_request"\r\n',
      },
    )
  }
})

test('every refused token answers with its status, code, detail and challenge', () => {
  const invalid = [401, 'token_invalid', 'Could not validate credentials', INVALID] as const
  const rows: readonly (readonly [string, readonly [number, string, string, string]])[] = [
    ['junk', invalid],
    [`${token()} extra`, invalid],
    [`${token()}\t`, invalid],
    [`\t${token()}`, invalid],
    [token(CLAIMS, { alg: 'HS512' }), invalid],
    [token({ ...CLAIMS, exp: '5' }), invalid],
    [
      token({ ...CLAIMS, exp: NOW_S }),
      [
        401,
        'token_expired',
        'Could not validate credentials: Signature has expired.',
        'WWW-Authenticate: Bearer error="invalid_token", error_description="The token has expired"\r\n',
      ],
    ],
    [
      token({ ...CLAIMS, nbf: NOW_S + 1 }),
      [401, 'token_not_yet_valid', 'Could not validate credentials: The token is not yet valid.', INVALID],
    ],
    [token({ ...CLAIMS, company_id: null }), [403, 'tenant_invalid', 'Missing company identifier.', '']],
  ]
  for (const [jwt, expected] of rows) {
    const { status, code, detail, fields } = refusal(`Bearer ${jwt}`)
    assert.deepEqual([status, code, detail, fields], expected)
  }
})

test('missing claims are named in the detail', () => {
  for (const absent of [['sub'], ['company_id'], ['exp'], ['sub', 'exp'], ['sub', 'company_id', 'exp']]) {
    const claims = Object.fromEntries(Object.entries(CLAIMS).filter(([name]) => !absent.includes(name)))
    const { status, code, detail, fields } = refusal(`Bearer ${token(claims)}`)
    assert.deepEqual(
      [status, code, detail, fields],
      [401, 'claims_missing', `Token missing required claims: ${absent.join(', ')}`, INVALID],
    )
  }
})

test('a refusal never carries the token', () => {
  const secretive = token({ ...CLAIMS, exp: 1, sub: 'subject-not-to-be-shown' })
  const text = JSON.stringify([refusal(`Bearer ${secretive}`), refusal(`Bearer ${secretive}x`)])
  for (const segment of [...secretive.split('.'), 'subject-not-to-be-shown'])
    assert.ok(!text.includes(segment))
})

test('a token with a public key makes it wait once, and then answer at once', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const key = loadVerificationKey('EdDSA', publicKey.export({ type: 'spki', format: 'pem' }).toString())
  const waiting = jwtPolicy(new TokenVerifier({ issuers: [soleIssuer(key, 0)], nowS: () => NOW_S }))
  const field = ['Authorization', `Bearer ${token(CLAIMS, { alg: 'EdDSA', key: privateKey })}`] as const

  const cold = exchangeOf([field])
  const verdict = waiting.admit(cold)
  assert.ok(verdict instanceof Promise)
  assert.equal(tenantOf(cold), null)
  assert.equal(await verdict, null)
  assert.equal(tenantOf(cold), 'acme')

  const warm = exchangeOf([field])
  assert.equal(waiting.admit(warm), null)
  assert.equal(tenantOf(warm), 'acme')

  const bad = await waiting.admit(exchangeOf([['Authorization', `Bearer ${token()}`]]))
  assert.ok(bad !== null && bad.kind === 'failure' && bad.code === 'token_invalid')
})

test('the verified tenant is stated to the upstream, in a field nobody else may state', () => {
  const tenant = tenantPolicy('X-Company-ID')
  assert.deepEqual(tenant.owns, ['x-company-id'])
  const { exchange } = admit(`Bearer ${token({ ...CLAIMS, company_id: 42 })}`)
  assert.equal(tenant.admit(exchange), null)
  assert.equal(exchange.asserted, 'X-Company-ID: 42\r\n')
})

test('without an identity no tenant is stated', () => {
  const exchange = exchangeOf([['X-Company-ID', 'forged']])
  assert.equal(tenantPolicy('X-Company-ID').admit(exchange), null)
  assert.equal(exchange.asserted, '')
})

test('where a token is optional, a good one is believed, a bad one refused, and who sends none is nobody', () => {
  const verifier = new TokenVerifier({
    issuers: [soleIssuer(loadVerificationKey('HS256', SECRET), 0)],
    nowS: () => NOW_S,
  })
  const optional = jwtPolicy(verifier, 'optional')
  const asked = (...authorization: readonly string[]): readonly [string | null, string | null] => {
    const exchange = exchangeOf(authorization.map((value) => ['Authorization', value] as const))
    const verdict = optional.admit(exchange)
    assert.ok(!(verdict instanceof Promise))
    const code = verdict !== null && verdict.kind === 'failure' ? verdict.code : null
    return [code, tenantOf(exchange)]
  }
  assert.deepEqual(asked(`Bearer ${token()}`), [null, 'acme'])
  assert.deepEqual(asked(), [null, null])
  assert.deepEqual(asked('Basic dTpw'), [null, null])
  assert.deepEqual(asked('Bearer '), [null, null])
  assert.deepEqual(asked('Bearer nonsense'), ['token_invalid', null])
  assert.deepEqual(asked(`Bearer ${token({ ...CLAIMS, exp: NOW_S })}`), ['token_expired', null])
  assert.deepEqual(asked(`Bearer ${token()}`, `Bearer ${token()}`), ['authorization_repeated', null])
})
