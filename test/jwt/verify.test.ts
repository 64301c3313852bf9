import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadVerificationKey } from '../../src/jwt/key.ts'
import { soleIssuer } from '../../src/jwt/live-issuer.ts'
import { type TokenFailure, TokenVerifier, type VerifiedToken } from '../../src/jwt/verify.ts'
import { identityOf } from '../support/identity.ts'
import { forge, SECRET, token } from '../support/token.ts'

const NOW_S = 1_800_000_000
const GOOD = { sub: 'user-1', company_id: 'acme', exp: NOW_S + 60 }
const HEADER = '{"alg":"HS256","typ":"JWT"}'

function verify(jwt: string, { clockSkewS = 0, nowS = NOW_S } = {}): VerifiedToken | TokenFailure {
  const key = loadVerificationKey('HS256', SECRET)
  const outcome = new TokenVerifier({ issuers: [soleIssuer(key, clockSkewS)], nowS: () => nowS }).verify(jwt)
  assert.ok(!(outcome instanceof Promise), 'HS256 is verified synchronously')
  return outcome
}

function signed(payload: string | Buffer, header: string | Buffer = HEADER): string {
  return forge(header, payload, 'HS256', SECRET)
}

function codeOf(outcome: VerifiedToken | TokenFailure): string {
  return outcome.ok ? 'verified' : outcome.code
}

function tenantOf(companyId: string): string {
  const outcome = verify(signed(`{"sub":"u","exp":${NOW_S + 60},"company_id":${companyId}}`))
  return outcome.ok ? outcome.identity.tenant : outcome.code
}

test('a good token yields who calls, for which tenant and until when', () => {
  assert.deepEqual(verify(token(GOOD)), {
    ok: true,
    identity: identityOf({ expiresAtS: NOW_S + 60 }),
  })
})

test('an identity cannot be changed: the next request with the token would get the change', () => {
  const outcome = verify(token(GOOD))
  assert.ok(outcome.ok && Object.isFrozen(outcome) && Object.isFrozen(outcome.identity))
})

test('a token that is not a well-formed JWS is invalid', () => {
  const good = token(GOOD)
  const [header = '', payload = '', signature = ''] = good.split('.')
  const malformed = {
    empty: '',
    'one segment': header,
    'two segments': `${header}.${payload}`,
    'no signature': `${header}.${payload}.`,
    'four segments': `${good}.${signature}`,
    'a dot before': `.${good}`,
    'a trailing word': `${good} extra`,
    'a trailing space': `${good} `,
    'five segments, as in JWE': `${header}.${payload}.${header}.${payload}.${signature}`,
    'JSON serialization': JSON.stringify({ protected: header, payload, signature }),
    'junk segments': 'a.b.c',
    'latin1 bytes': 'é.ü.ñ',
    'padding at the header': `${header}=.${payload}.${signature}`,
    'padding at the signature': `${good}=`,
    'a space within the signature': `${good.slice(0, -4)} ${good.slice(-4)}`,
  }
  for (const [what, jwt] of Object.entries(malformed))
    assert.equal(codeOf(verify(jwt)), 'token_invalid', what)
})

// The signature is good each time: what the sender signed is refused, not what somebody changed on the way.
test('a header that is no JSON object, has another alg or any crit makes a signed token invalid', () => {
  const headers: Readonly<Record<string, string | Buffer>> = {
    'not JSON': '{notjson',
    'an array': '["alg","HS256"]',
    'a string': '"HS256"',
    null: 'null',
    empty: '',
    'not UTF-8': Buffer.from('{"alg":"HS256","kid":"\u00ff"}', 'latin1'),
    'a byte order mark': `\ufeff${HEADER}`,
    'no alg': '{"typ":"JWT"}',
    'alg null': '{"alg":null}',
    'alg list': '{"alg":["HS256"]}',
    'alg none': '{"alg":"none"}',
    'alg in lower case': '{"alg":"hs256"}',
    'alg with a space': '{"alg":"HS256 "}',
    'another HS': '{"alg":"HS384"}',
    'alg repeated, the last wrong': '{"alg":"HS256","alg":"none"}',
    'alg as a prototype': '{"__proto__":{"alg":"HS256"}}',
    'an unknown crit': '{"alg":"HS256","crit":["x"],"x":1}',
    'an empty crit': '{"alg":"HS256","crit":[]}',
    'crit null': '{"alg":"HS256","crit":null}',
    'crit b64': '{"alg":"HS256","crit":["b64"],"b64":true}',
  }
  for (const [what, header] of Object.entries(headers)) {
    assert.equal(codeOf(verify(signed(JSON.stringify(GOOD), header))), 'token_invalid', what)
  }
})

test('other header members are not looked at', () => {
  const headers = [
    '{"alg":"HS256"}',
    '{"alg":"none","alg":"HS256"}',
    '{"alg":"HS256","typ":"at+jwt","cty":"JWT","b64":false,"x5c":[1],"x5t":null}',
    '{"alg":"HS256","__proto__":{"crit":["x"]}}',
  ]
  for (const header of headers) {
    assert.equal(codeOf(verify(signed(JSON.stringify(GOOD), header))), 'verified', header)
  }
})

test('claims that are no JSON object in UTF-8 make a signed token invalid', () => {
  const payloads: readonly (string | Buffer)[] = [
    '',
    'nope',
    'null',
    '5',
    '"text"',
    '[]',
    `[${JSON.stringify(GOOD)}]`,
    `${JSON.stringify(GOOD)} x`,
    `\ufeff${JSON.stringify(GOOD)}`,
    Buffer.concat([
      Buffer.from('{"sub":"u'),
      Buffer.from([0xff]),
      Buffer.from(`","company_id":"a","exp":${NOW_S + 60}}`),
    ]),
    Buffer.from(JSON.stringify(GOOD), 'utf16le'),
  ]
  for (const payload of payloads) {
    assert.equal(codeOf(verify(signed(payload))), 'token_invalid', payload.toString('latin1'))
  }
})

test('a token is read up to 16 KiB and refused beyond', () => {
  const overhead = token({ ...GOOD, pad: '' }).length
  // Three bytes of padding make four characters of the token.
  const fitting = token({ ...GOOD, pad: 'x'.repeat(Math.floor((16_384 - overhead) * 0.75)) })
  assert.ok(fitting.length <= 16_384 && fitting.length > 16_380)
  assert.equal(codeOf(verify(fitting)), 'verified')
  const over = token({ ...GOOD, pad: 'x'.repeat(Math.floor((16_384 - overhead) * 0.75) + 4) })
  assert.ok(over.length > 16_384 && over.length < 16_392)
  assert.equal(codeOf(verify(over)), 'token_invalid')
})

test('exp, sub and nbf of another type make a signed token invalid', () => {
  const members = [
    `"exp":"${NOW_S + 60}"`,
    '"exp":null',
    '"exp":true',
    `"exp":[${NOW_S + 60}]`,
    '"exp":{}',
    '"exp":1e400',
    '"exp":-1e400',
    '"sub":null',
    '"sub":""',
    '"sub":5',
    '"sub":["u"]',
    '"sub":{}',
    '"sub":false',
    '"nbf":"1"',
    '"nbf":null',
    '"nbf":-1e400',
    '"nbf":[]',
  ]
  for (const member of members) {
    // Of duplicate names the last counts, so the member replaces the good one.
    const payload = `{"sub":"u","company_id":"acme","exp":${NOW_S + 60},${member}}`
    assert.equal(codeOf(verify(signed(payload))), 'token_invalid', member)
  }
})

test('a token ends at exp, to the second and below it', () => {
  assert.equal(codeOf(verify(token({ ...GOOD, exp: NOW_S }))), 'token_expired')
  assert.equal(codeOf(verify(token({ ...GOOD, exp: NOW_S - 1 }))), 'token_expired')
  assert.equal(codeOf(verify(token({ ...GOOD, exp: -1 }))), 'token_expired')
  assert.equal(codeOf(verify(token({ ...GOOD, exp: 0 }))), 'token_expired')
  assert.equal(codeOf(verify(token({ ...GOOD, exp: NOW_S + 0.5 }))), 'verified')
  assert.equal(codeOf(verify(token({ ...GOOD, exp: NOW_S + 0.5 }), { nowS: NOW_S + 0.5 })), 'token_expired')
})

test('a token begins at nbf', () => {
  assert.equal(codeOf(verify(token({ ...GOOD, nbf: NOW_S + 1 }))), 'token_not_yet_valid')
  assert.equal(codeOf(verify(token({ ...GOOD, nbf: NOW_S }))), 'verified')
  assert.equal(codeOf(verify(token({ ...GOOD, nbf: -5 }))), 'verified')
})

test('a clock skew widens both ends by itself and no more', () => {
  const skewed = { clockSkewS: 30 }
  assert.equal(codeOf(verify(token({ ...GOOD, exp: NOW_S - 29 }), skewed)), 'verified')
  assert.equal(codeOf(verify(token({ ...GOOD, exp: NOW_S - 30 }), skewed)), 'token_expired')
  assert.equal(codeOf(verify(token({ ...GOOD, nbf: NOW_S + 30 }), skewed)), 'verified')
  assert.equal(codeOf(verify(token({ ...GOOD, nbf: NOW_S + 31 }), skewed)), 'token_not_yet_valid')
  const outcome = verify(token({ ...GOOD, exp: NOW_S }), skewed)
  assert.equal(outcome.ok && outcome.identity.expiresAtS, NOW_S + 30)
})

test('iss, aud, iat and jti are not checked', () => {
  const others = { iss: 5, aud: ['anyone'], iat: NOW_S + 3600, jti: null }
  assert.equal(codeOf(verify(token({ ...GOOD, ...others }))), 'verified')
})

test('absent claims are named, in the order sub, company_id, exp', () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ company_id: 'a', exp: NOW_S + 60 }, 'sub'],
    [{ sub: 'u', exp: NOW_S + 60 }, 'company_id'],
    [{ sub: 'u', company_id: 'a' }, 'exp'],
    [{ exp: NOW_S + 60 }, 'sub, company_id'],
    [{ company_id: 'a' }, 'sub, exp'],
    [{ sub: 'u' }, 'company_id, exp'],
    [{}, 'sub, company_id, exp'],
  ]
  for (const [claims, absent] of cases) {
    assert.deepEqual(verify(signed(JSON.stringify(claims))), {
      ok: false,
      code: 'claims_missing',
      detail: `Token missing required claims: ${absent}`,
    })
  }
  const inherited = `{"__proto__":{"sub":"u","company_id":"a"},"exp":${NOW_S + 60}}`
  assert.equal(codeOf(verify(signed(inherited))), 'claims_missing')
})

test('of two reasons to refuse a signed token the earlier in the contract counts', () => {
  const rows: readonly (readonly [string, string])[] = [
    [`{"exp":1,"sub":null}`, 'token_invalid'],
    [`{"exp":1,"nbf":"x"}`, 'token_invalid'],
    [`{"exp":1,"nbf":${NOW_S + 9}}`, 'token_expired'],
    [`{"sub":"u","exp":1}`, 'token_expired'],
    [`{"sub":"u","exp":1,"company_id":null}`, 'token_expired'],
    [`{"nbf":${NOW_S + 9}}`, 'token_not_yet_valid'],
    [`{"nbf":${NOW_S + 9},"sub":"u","exp":${NOW_S + 60},"company_id":5.0}`, 'token_not_yet_valid'],
    [`{"exp":${NOW_S + 60},"company_id":null}`, 'claims_missing'],
    [`{"sub":"u","company_id":""}`, 'claims_missing'],
    [`{"sub":"u","exp":${NOW_S + 60},"company_id":null}`, 'tenant_invalid'],
  ]
  for (const [payload, code] of rows) assert.equal(codeOf(verify(signed(payload))), code, payload)
})

test('a tenant is visible ASCII with single spaces inside, of 1 to 256 bytes', () => {
  for (const text of ['a', 'acme', 'a b', 'a b c', 'a,b', '!', '~', '{"id":1}', '-', 'x'.repeat(256)]) {
    assert.equal(tenantOf(JSON.stringify(text)), text)
  }
  const bad = [
    '',
    ' ',
    ' a',
    'a ',
    'a  b',
    'a\tb',
    'a\u0000b',
    'a\u007fb',
    'a\r\nb',
    'a\nb',
    'a\n',
    'ñ',
    'a\u00a0b',
  ]
  for (const text of [...bad, '\u212a', '\u{1f600}', '\ud800', 'x'.repeat(257)]) {
    assert.equal(tenantOf(JSON.stringify(text)), 'tenant_invalid', JSON.stringify(text))
  }
})

test('an integer tenant is stated exactly as written', () => {
  for (const written of ['0', '-0', '42', '-7', '9007199254740991', '-9007199254740991']) {
    assert.equal(tenantOf(written), written)
  }
})

test('a number that is not written as an integer, or that a reader may round, is no tenant', () => {
  const numbers = [
    '5.0',
    '1.5',
    '1e3',
    '1E3',
    '1e0',
    '0.0',
    '-0.0',
    '10e-1',
    '9007199254740992',
    '9007199254740993',
    '-9007199254740992',
    '9223372036854775808',
    '9007199254740991.0',
    '9007199254740990.9',
    '1e400',
    '123456789012345678901234567890',
  ]
  for (const written of numbers) assert.equal(tenantOf(written), 'tenant_invalid', written)
})

test('a tenant of any other type is none', () => {
  for (const written of ['null', 'true', 'false', '[]', '["a"]', '[1]', '{}', '{"company_id":1}']) {
    assert.equal(tenantOf(written), 'tenant_invalid', written)
  }
})

test('the tenant is the last top-level company_id, whatever else bears the name', () => {
  const exp = NOW_S + 60
  const cases: readonly (readonly [string, string])[] = [
    [`{"sub":"u","company_id":"first","company_id":"second","exp":${exp}}`, 'second'],
    [`{"sub":"u","company_id":1,"company_id":2,"exp":${exp}}`, '2'],
    [`{"sub":"u","company_id":5.0,"company_id":5,"exp":${exp}}`, '5'],
    [`{"sub":"u","company_id":5,"company_id":5.0,"exp":${exp}}`, 'tenant_invalid'],
    [`{"sub":"u","company_id":5,"a":{"company_id":6.0},"exp":${exp}}`, '5'],
    [`{"sub":"u","a":{"company_id":6.0},"company_id":5,"exp":${exp}}`, '5'],
    [`{"sub":"u","company_id":5.0,"a":{"company_id":5},"exp":${exp}}`, 'tenant_invalid'],
    [`{"sub":"u","a":[{"company_id":5}],"company_id":5.0,"exp":${exp}}`, 'tenant_invalid'],
    [`{"sub":"u","company_id":{"company_id":6},"company_id":5,"exp":${exp}}`, '5'],
    [`{"sub":"u","company_id":5,"company_id":{"company_id":5},"exp":${exp}}`, 'tenant_invalid'],
    [`{"":{"company_id":6.0},"sub":"u","company_id":5,"exp":${exp}}`, '5'],
    [`{"__proto__":{"company_id":6.0},"sub":"u","company_id":5,"exp":${exp}}`, '5'],
    [`{"__proto__":null,"sub":"u","company_id":5,"exp":${exp}}`, '5'],
    [`{"__proto__":{"company_id":6},"sub":"u","exp":${exp}}`, 'claims_missing'],
    [`{"sub":"u","company\\u005fid":5.0,"exp":${exp}}`, 'tenant_invalid'],
    [`{"sub":"u","company\\u005fid":5,"exp":${exp}}`, '5'],
    [`{"1":{"company_id":6.0},"sub":"u","company_id" : 5 ,"0":[],"exp":${exp}}`, '5'],
  ]
  for (const [payload, expected] of cases) {
    const outcome = verify(signed(payload))
    assert.equal(outcome.ok ? outcome.identity.tenant : outcome.code, expected, payload)
  }
})

// Reading a number as written visits the claims recursively; nesting must end the token, not the thread.
test('claims nested some thousand levels deep are refused or believed, never thrown', () => {
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
  const number = `{"sub":"u","company_id":5,"exp":${NOW_S + 60},"deep":${deep}}`
  assert.ok(['verified', 'tenant_invalid'].includes(codeOf(verify(signed(number)))))
  const text = `{"sub":"u","company_id":"5","exp":${NOW_S + 60},"deep":${deep}}`
  assert.equal(codeOf(verify(signed(text))), 'verified')
  assert.equal(codeOf(verify(signed('{}', `{"alg":"HS256","deep":${deep}}`))), 'claims_missing')
})
