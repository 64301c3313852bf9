import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startGateway } from '../support/gateway.ts'
import type { Field } from '../support/message.ts'
import { Origin } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import { askOnce, request } from '../support/raw-client.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { bearer, CLAIMS, FAR_S, forge, SECRET, token } from '../support/token.ts'

let stage: Stage

before(async () => {
  stage = await openStage()
})
after(() => stage[Symbol.asyncDispose]())

const TARGET = '/api/v1/ingest/x'
const INVALID = 'Bearer error="invalid_token"'
const EXPIRED = 'Bearer error="invalid_token", error_description="The token has expired"'

/** Refused with exactly this, and never seen by the upstream. */
async function refuses(
  fields: readonly Field[],
  [status, code, detail, challenge]: readonly [number, string, string, string | null],
): Promise<void> {
  const { length } = stage.ingest.seen
  const response = await stage.ask('GET', TARGET, fields)
  assertProblem(response, status, code, detail)
  assert.equal(response.get('www-authenticate'), challenge)
  assert.equal(stage.ingest.seen.length, length, 'the upstream saw nothing')
}

/** Forwarded, with this tenant stated. */
async function admits(fields: readonly Field[], tenant: string): Promise<void> {
  const response = await stage.ask('GET', TARGET, fields)
  assert.equal(response.status, 200, response.text)
  assert.deepEqual(stage.ingest.last.all('x-company-id'), [tenant])
}

const MISSING = [401, 'token_missing', 'Not authenticated', 'Bearer'] as const
const BAD = [401, 'token_invalid', 'Could not validate credentials', INVALID] as const
const LATE = [
  401,
  'token_expired',
  'Could not validate credentials: Signature has expired.',
  EXPIRED,
] as const
const EARLY = [
  401,
  'token_not_yet_valid',
  'Could not validate credentials: The token is not yet valid.',
  INVALID,
] as const
const NO_TENANT = [403, 'tenant_invalid', 'Missing company identifier.', null] as const

/** A token over claims written as JSON text, for what JSON.stringify cannot write. */
function written(claims: string): readonly Field[] {
  return [bearer(forge('{"alg":"HS256","typ":"JWT"}', claims, 'HS256', SECRET))]
}

describe('the Authorization field', () => {
  test('has a scheme in any case, one or more spaces and blanks around it', async () => {
    for (const before of ['Bearer ', 'bearer ', 'BEARER ', 'bEaReR   '])
      await admits([['Authorization', `${before}${token()}  `]], 'acme')
    await admits([['aUTHORIZATION', `Bearer ${token()}`]], 'acme')
  })

  test('that is missing, empty or of another scheme is token_missing', async () => {
    const values = [
      '',
      'Bearer',
      'Bearer  ',
      'Basic dXNlcjpwYXNz',
      token(),
      `Token ${token()}`,
      `Bearer\t${token()}`,
      `Bearer${token()}`,
    ]
    await refuses([], MISSING)
    for (const value of values) await refuses([['Authorization', value]], MISSING)
  })

  test('more than once is refused, whichever copy is good', async () => {
    const good = bearer(token())
    const twice = [
      400,
      'authorization_repeated',
      'More than one Authorization field.',
      'Bearer error="invalid_request"',
    ] as const
    await refuses([good, bearer('bad')], twice)
    await refuses([bearer('bad'), good], twice)
    await refuses([good, good], twice)
    await refuses([good, ['authorization', '']], twice)
  })

  test('reaches the upstream as it was', async () => {
    await admits([['aUthorization', `bearer  ${token()}`]], 'acme')
    assert.ok(stage.ingest.last.text.includes(`aUthorization: bearer  ${token()}`))
  })

  test('is passed on unread where no identity is asked for, and no tenant is stated', async () => {
    for (const field of [bearer(token()), bearer('garbage'), ['Authorization', 'Basic eA=='] as const]) {
      assert.equal((await stage.ask('POST', '/api/auth/login', [field])).status, 200)
      assert.deepEqual(stage.auth.last.all('authorization'), [field[1]])
      assert.deepEqual(stage.auth.last.all('x-company-id'), [])
    }
  })
})

describe('a token', () => {
  test('that is no JWS of our algorithm and key is token_invalid, always with the same answer', async () => {
    const header = '{"alg":"HS256","typ":"JWT"}'
    const claims = JSON.stringify(CLAIMS)
    const [head, payload, signature] = token().split('.')
    const tokens = [
      'a',
      'a.b',
      'a.b.c',
      'a.b.c.d',
      '..',
      `${token()}.`,
      `${token()} extra`,
      `${token()}, Bearer ${token()}`,
      `${head}.${payload}.`,
      `${head}.${payload}`,
      `${head}..${signature}`,
      `${head}.${payload}.${signature}=`,
      `${head}=.${payload}.${signature}`,
      `${head}.${payload}.${signature}!`,
      `${head}.${payload}.!${signature}`,
      forge(header, claims, 'HS256', 'another-secret-another-secret-another-secret'),
      forge(header, claims, 'none', SECRET),
      forge('{"alg":"none"}', claims, 'none', SECRET),
      forge('{"alg":"HS384"}', claims, 'HS384', SECRET),
      forge('{"alg":"hs256"}', claims, 'HS256', SECRET),
      forge('{"typ":"JWT"}', claims, 'HS256', SECRET),
      forge('{"alg":["HS256"]}', claims, 'HS256', SECRET),
      forge('{"alg":"HS256","crit":["exp"],"exp":1}', claims, 'HS256', SECRET),
      forge('{"alg":"HS256","crit":[]}', claims, 'HS256', SECRET),
      forge('{notjson', claims, 'HS256', SECRET),
      forge('["HS256"]', claims, 'HS256', SECRET),
      forge('null', claims, 'HS256', SECRET),
      forge(header, 'nope', 'HS256', SECRET),
      forge(header, '[]', 'HS256', SECRET),
      forge(header, '"text"', 'HS256', SECRET),
      forge(header, 'null', 'HS256', SECRET),
      forge(header, Buffer.from(claims.replace('user-1', 'us\u00e9r'), 'latin1'), 'HS256', SECRET),
      'x'.repeat(17_000),
      '\u00ff.\u00fe.\u00fd',
    ]
    for (const each of tokens) await refuses([bearer(each)], BAD)
  })

  test('with claims of the wrong type is token_invalid', async () => {
    const claims = [
      { ...CLAIMS, exp: String(FAR_S) },
      { ...CLAIMS, exp: `${FAR_S}.5` },
      { ...CLAIMS, exp: [FAR_S] },
      { ...CLAIMS, exp: null },
      { ...CLAIMS, exp: true },
      { ...CLAIMS, sub: null },
      { ...CLAIMS, sub: '' },
      { ...CLAIMS, sub: ['u'] },
      { ...CLAIMS, sub: 7 },
      { ...CLAIMS, nbf: 'soon' },
      { ...CLAIMS, nbf: null },
    ]
    for (const each of claims) await refuses([bearer(token(each))], BAD)
    await refuses(written('{"sub":"u","company_id":"a","exp":1e400}'), BAD)
    await refuses(written('{"sub":"u","company_id":"a","exp":4102444800,"nbf":-1e400}'), BAD)
  })

  test('past exp is token_expired, whatever else it lacks', async () => {
    for (const exp of [1_600_000_000, 1, 0, -1, Math.floor(Date.now() / 1000)])
      await refuses([bearer(token({ ...CLAIMS, exp }))], LATE)
    await refuses([bearer(token({ sub: 'u', exp: 1 }))], LATE)
    await refuses([bearer(token({ sub: 'u', exp: 1, nbf: FAR_S }))], LATE)
  })

  test('before nbf is token_not_yet_valid', async () => {
    await refuses([bearer(token({ ...CLAIMS, nbf: FAR_S - 1 }))], EARLY)
    await refuses([bearer(token({ sub: 'u', nbf: FAR_S - 1 }))], EARLY)
    await admits([bearer(token({ ...CLAIMS, nbf: 1 }))], 'acme')
  })

  test('without sub, company_id or exp is claims_missing, naming those absent in that order', async () => {
    const { sub, company_id, exp } = CLAIMS
    const lacking: [Record<string, unknown>, string][] = [
      [{ company_id, exp }, 'sub'],
      [{ sub, exp }, 'company_id'],
      [{ sub, company_id }, 'exp'],
      [{ company_id }, 'sub, exp'],
      [{ exp }, 'sub, company_id'],
      [{}, 'sub, company_id, exp'],
    ]
    for (const [claims, names] of lacking)
      await refuses(
        [bearer(token(claims))],
        [401, 'claims_missing', `Token missing required claims: ${names}`, INVALID],
      )
  })

  test('with a company_id that names no tenant is tenant_invalid', async () => {
    const ids = [
      null,
      '',
      true,
      false,
      ['a'],
      { id: 1 },
      1.5,
      ' a',
      'a ',
      'a  b',
      'a\u0000b',
      'a\tb',
      'Compa\u00f1\u00eda',
      'a\u007f',
      'x'.repeat(257),
      9_007_199_254_740_992,
    ]
    for (const company_id of ids) await refuses([bearer(token({ ...CLAIMS, company_id }))], NO_TENANT)
    for (const text of ['9007199254740993', '9223372036854775808', '5.0', '1e3', '-1e3', '1E2', '5.5'])
      await refuses(written(`{"sub":"u","exp":4102444800,"company_id":${text}}`), NO_TENANT)
  })

  test('states its company_id as it is written', async () => {
    const ids = ['a', 'a b c', 'a,b', 'x'.repeat(256), '!~', '"quoted"', '00042']
    for (const company_id of ids) await admits([bearer(token({ ...CLAIMS, company_id }))], company_id)
    for (const text of ['42', '0', '9007199254740991'])
      await admits(written(`{"sub":"u","exp":4102444800,"company_id":${text}}`), text)
  })

  test('has its last claim of a name counted, and its other claims not checked', async () => {
    await admits(
      written('{"sub":"u","company_id":"first","company_id":"second","exp":1,"exp":4102444800}'),
      'second',
    )
    await admits(written('{"nested":{"company_id":8},"sub":"u","company_id":7,"exp":4102444800}'), '7')
    await admits([bearer(token({ ...CLAIMS, iss: 'any', aud: ['any'], iat: FAR_S, jti: '5' }))], 'acme')
    await admits([bearer(token({ ...CLAIMS, exp: FAR_S + 0.75 }))], 'acme')
    await admits([bearer(token(CLAIMS, { header: { typ: undefined, kid: '../../etc/passwd' } }))], 'acme')
  })
})

describe('with GATEWAY_JWT_ALGORITHM', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ed = generateKeyPairSync('ed25519')
  const pairs: [string, KeyObject, KeyObject][] = [
    ['RS256', rsa.publicKey, rsa.privateKey],
    ['PS256', rsa.publicKey, rsa.privateKey],
    ['ES256', p256.publicKey, p256.privateKey],
    ['EdDSA', ed.publicKey, ed.privateKey],
  ]
  for (const [alg, publicKey, key] of pairs)
    test(`${alg}, exactly that is accepted`, async () => {
      const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
      await using other = await openStage({ GATEWAY_JWT_ALGORITHM: alg, GATEWAY_JWT_SECRET: pem })
      const ask = (jwt: string) => other.ask('GET', TARGET, [bearer(jwt)])
      for (let round = 0; round < 2; round++) {
        const good = await ask(token(CLAIMS, { alg, key }))
        assert.equal(good.status, 200, good.text)
      }
      assert.deepEqual(other.ingest.last.all('x-company-id'), ['acme'])
      assertProblem(await ask(token({ ...CLAIMS, exp: 1 }, { alg, key })), 401, 'token_expired')
      const confused = forge('{"alg":"HS256"}', JSON.stringify(CLAIMS), 'HS256', pem)
      const foreign = pairs
        .filter(([name]) => name !== alg)
        .map(([name, , own]) => token(CLAIMS, { alg: name, key: own }))
      for (const bad of [confused, token(), ...foreign]) assertProblem(await ask(bad), 401, 'token_invalid')
    })

  test('HS512 and a secret in a file, one trailing newline is trimmed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nyro-secret-'))
    try {
      writeFileSync(`${folder}/secret`, `${SECRET}\n`)
      await using origin = await Origin.start()
      await using gateway = await startGateway({
        GATEWAY_JWT_ALGORITHM: 'HS512',
        GATEWAY_JWT_SECRET_FILE: `${folder}/secret`,
        GATEWAY_INGEST_SERVICE_URL: origin.url,
      })
      const ask = (jwt: string) => askOnce(gateway.port, request('GET', TARGET, [bearer(jwt)]))
      const good = await ask(token(CLAIMS, { alg: 'HS512' }))
      assert.equal(good.status, 200, good.text)
      assertProblem(await ask(token()), 401, 'token_invalid')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
