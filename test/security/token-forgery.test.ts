import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign as signature } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { Origin } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import { openStage, type Stage } from '../support/stage.ts'
import { base64url, bearer, CLAIMS, forge, SECRET, token } from '../support/token.ts'

// The attacks: everything that has ever made a JWT library believe a token nobody signed. Each is refused with the one
// answer of its kind, so that a refusal teaches nothing, and nothing a token names is ever fetched.

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 })
const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string
const claims = JSON.stringify(CLAIMS)

let shared: Stage
let rs256: Stage
let es256: Stage
/** Where headers say that keys are; nobody may ask. */
let keyServer: Origin

before(async () => {
  keyServer = await Origin.start()
  ;[shared, rs256, es256] = await Promise.all([
    openStage(),
    openStage({ GATEWAY_JWT_ALGORITHM: 'RS256', GATEWAY_JWT_SECRET: publicPem }),
    openStage({
      GATEWAY_JWT_ALGORITHM: 'ES256',
      GATEWAY_JWT_SECRET: p256.publicKey.export({ type: 'spki', format: 'pem' }) as string,
    }),
  ])
})
after(async () => {
  for (const stage of [shared, rs256, es256]) await stage[Symbol.asyncDispose]()
  await keyServer[Symbol.asyncDispose]()
})

/** The answer to a forged token, its request id taken out; the upstream saw nothing. */
async function answerTo(stage: Stage, jwt: string): Promise<string> {
  const got = await stage.ask('GET', '/api/v1/ingest/x', [bearer(jwt), ['X-Request-ID', 'same']])
  assertProblem(got, 401, 'token_invalid', 'Could not validate credentials')
  assert.equal(got.get('www-authenticate'), 'Bearer error="invalid_token"')
  assert.deepEqual(stage.ingest.seen, [], jwt)
  return got.text
}

async function refusesAlike(stage: Stage, tokens: readonly string[]): Promise<void> {
  const answers = new Set<string>()
  for (const each of tokens) answers.add(await answerTo(stage, each))
  assert.equal(answers.size, 1, 'one answer to all of them')
}

describe('a forged token', () => {
  // RFC 8725 section 2.1: "none" asks the verifier to check nothing.
  test('of algorithm none, in any case, is refused', async () => {
    const tokens: string[] = []
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', 'HS256 ', 'hs256']) {
      const header = JSON.stringify({ alg, typ: 'JWT' })
      const signed = forge(header, claims, 'HS256', SECRET)
      const unsigned = signed.slice(0, signed.lastIndexOf('.'))
      tokens.push(`${unsigned}.`, unsigned, signed)
    }
    await refusesAlike(shared, tokens)
    await refusesAlike(rs256, tokens.slice(0, 12))
  })

  // Key confusion: the public key, known to all, used as the HMAC secret.
  test('of HS256 made with the RSA public key, in any form of it, is refused', async () => {
    const forms = [
      publicPem,
      publicPem.trim(),
      publicPem.replaceAll('\n', '\r\n'),
      publicPem.replaceAll('\n', ''),
      rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }) as string,
      rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('latin1'),
      JSON.stringify(rsa.publicKey.export({ format: 'jwk' })),
      '',
    ]
    const headers = ['{"alg":"HS256","typ":"JWT"}', '{"alg":"RS256","typ":"JWT"}']
    const tokens = forms.flatMap((form) => headers.map((header) => forge(header, claims, 'HS256', form)))
    await refusesAlike(rs256, tokens)
  })

  // A kid that is a path or SQL makes a naive verifier read the key from a file or table the attacker chose.
  test('whose kid points at a known key is refused, and a kid changes nothing about a good one', async () => {
    const kids = [
      '../../../../dev/null',
      '/dev/null',
      "x' UNION SELECT 'secret' --",
      'a\u0000b',
      '|id',
      7,
      null,
      ['a'],
      { a: 1 },
    ]
    const header = (kid: unknown) => JSON.stringify({ alg: 'HS256', kid })
    await refusesAlike(
      shared,
      kids.flatMap((kid) => ['', '\0', 'secret'].map((key) => forge(header(kid), claims, 'HS256', key))),
    )
  })

  // jku, x5u, jwk and x5c bring the attacker's own key, or make the gateway fetch from inside the network.
  test('that brings its own key is refused, and nothing is fetched', async () => {
    const jwk = attacker.publicKey.export({ format: 'jwk' })
    const url = `${keyServer.url}/keys.json`
    const headers = [
      { jku: url },
      { x5u: url },
      { jwk },
      { jwk, kid: 'a', jku: url, x5u: url },
      { x5c: ['MIIB'] },
      { jwk: { kty: 'oct', k: base64url('secret') } },
    ]
    const forged = headers.map((header) => token(CLAIMS, { alg: 'RS256', key: attacker.privateKey, header }))
    await refusesAlike(rs256, forged)
    await refusesAlike(
      shared,
      headers.map((header) => token(CLAIMS, { key: 'secret', header })),
    )
    assert.equal(keyServer.accepted, 0)
  })

  // RFC 7515 section 4.1.11: an extension the verifier does not know must fail, it may change what is signed.
  test('with an extension nobody knows is refused although its signature is good', async () => {
    const crits: unknown[] = [['x'], ['b64'], ['exp'], [], '', null, ['alg'], {}, [['x']], 'exp']
    const signed = crits.map((crit) => token(CLAIMS, { header: { crit, x: 1, b64: false } }))
    await refusesAlike(shared, signed)
  })

  // CVE-2022-21449: r = s = 0 satisfies the equation of a careless ECDSA.
  test('of ES256 with a degenerate signature is refused', async () => {
    const input = `${base64url('{"alg":"ES256"}')}.${base64url(claims)}`
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
    const zero = Buffer.alloc(32)
    const one = Buffer.from([...Buffer.alloc(31), 1])
    const signatures = [
      Buffer.alloc(64),
      Buffer.alloc(0),
      Buffer.alloc(63),
      Buffer.alloc(65),
      Buffer.alloc(96),
      Buffer.concat([one, zero]),
      Buffer.concat([zero, one]),
      Buffer.concat([one, one]),
      Buffer.concat([order, order]),
      Buffer.from([0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]),
    ]
    await refusesAlike(
      es256,
      signatures.map((signature) => `${input}.${base64url(signature)}`),
    )
  })

  // A DER signature, or a curve point with a second encoding, would give one token two spellings.
  test('of ES256 in another encoding than r and s side by side is refused', async () => {
    const good = token(CLAIMS, { alg: 'ES256', key: p256.privateKey })
    const input = good.slice(0, good.lastIndexOf('.'))
    const der = signature('sha256', Buffer.from(input), { key: p256.privateKey, dsaEncoding: 'der' })
    await refusesAlike(es256, [`${input}.${base64url(der)}`])
    assert.equal((await es256.ask('GET', '/api/v1/ingest/x', [bearer(good)])).status, 200)
    es256.ingest.seen.length = 0
  })

  // Encoded twice, or not in the alphabet of base64url, so that two readers disagree on what was signed.
  test('that is not canonical base64url of JSON objects is refused although signed', async () => {
    const sign = (head: string, payload: string) => {
      const mac = createHmac('sha256', SECRET).update(`${head}.${payload}`).digest('base64url')
      return `${head}.${payload}.${mac}`
    }
    const head = base64url('{"alg":"HS256"}')
    const body = base64url(claims)
    const wide = Buffer.from(JSON.stringify({ ...CLAIMS, x: '???>>>' })).toString('base64')
    assert.match(wide, /[+/]/)
    const tokens = [
      sign(base64url(head), base64url(body)),
      sign(head, base64url(body)),
      sign(`${head}=`, body),
      sign(head, `${body}=`),
      sign(head, `${body}==`),
      sign(head, wide.replace(/=+$/, '')),
      sign(head, `${body.slice(0, 8)}%0a${body.slice(8)}`),
      sign(head, `${body.slice(0, 8)}*${body.slice(8)}`),
      sign(base64url('"HS256"'), body),
      sign(base64url('[]'), body),
      sign(base64url('7'), body),
      sign(base64url('{"alg":"HS256"} x'), body),
      sign(base64url('\ufeff{"alg":"HS256"}'), body),
      sign(base64url('{"alg":"HS256","alg":"none"}'), body),
      sign(base64url('{"alg":"none","__proto__":{"alg":"HS256"}}'), body),
      sign(head, base64url(`[${claims}]`)),
      sign(head, base64url(`${claims}x`)),
      sign(head, ''),
      sign('', body),
    ]
    await refusesAlike(shared, tokens)
  })

  test('of 60 KB is refused by its size alone', async () => {
    const got = await shared.ask('GET', '/api/v1/ingest/x', [bearer('a'.repeat(60_000))])
    assertProblem(got, 431, 'head_too_large')
  })
})

describe('a signed token', () => {
  // Numbers that JSON readers round, and times that compare as false with everything.
  test('with a tenant that a reader could round is 403, with a time that is no number 401', async () => {
    const sign = (text: string) => forge('{"alg":"HS256"}', text, 'HS256', SECRET)
    for (const id of [
      '9007199254740993',
      '-9007199254740993',
      '5.0',
      '1e3',
      '1E3',
      '0.1',
      '123456789012345678901234567890',
    ]) {
      const got = await shared.ask('GET', '/api/v1/ingest/x', [
        bearer(sign(`{"sub":"u","exp":4102444800,"company_id":${id}}`)),
      ])
      assertProblem(got, 403, 'tenant_invalid', 'Missing company identifier.')
    }
    const times = ['"4102444800"', '1e400', 'null', 'true', '[4102444800]', '{}', '"x"']
    await refusesAlike(
      shared,
      times.map((exp) => sign(`{"sub":"u","company_id":"a","exp":${exp}}`)),
    )
    assert.deepEqual(shared.ingest.seen, [])
  })
})
