import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { JwtAlgorithm } from '../../src/jwt/issuer.ts'
import { loadVerificationKey } from '../../src/jwt/key.ts'
import { soleIssuer } from '../../src/jwt/live-issuer.ts'
import { TokenVerifier } from '../../src/jwt/verify.ts'
import { base64url, CLAIMS, forge, SECRET, token } from '../support/token.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsaPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ecPem = ec.publicKey.export({ type: 'spki', format: 'pem' }).toString()

function verifier(algorithm: JwtAlgorithm, key: string): TokenVerifier {
  return new TokenVerifier({
    issuers: [soleIssuer(loadVerificationKey(algorithm, key), 0)],
    nowS: () => 1_800_000_000,
  })
}

async function verdict(subject: TokenVerifier, jwt: string): Promise<string> {
  const outcome = await subject.verify(jwt)
  return outcome.ok ? 'verified' : outcome.code
}

// RFC 8725 section 2.1: a library that lets the header choose takes "none" for a signature that needs no key.
test('an unsigned token is refused, however none is spelt', async () => {
  for (const subject of [verifier('HS256', SECRET), verifier('RS256', rsaPem), verifier('ES256', ecPem)]) {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', ' none']) {
      const input = `${base64url(JSON.stringify({ alg }))}.${base64url(JSON.stringify(CLAIMS))}`
      assert.equal(await verdict(subject, `${input}.`), 'token_invalid', alg)
      assert.equal(await verdict(subject, `${input}.AA`), 'token_invalid', alg)
    }
  }
})

// RFC 8725 section 2.1: the public key is known to everybody; whoever verifies "HS256" with it believes everybody.
test('a token made with the public key as HMAC secret is refused', async () => {
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    for (const secret of [rsaPem, rsaPem.trim(), `${rsaPem.trim()}\n\n`]) {
      assert.equal(
        await verdict(verifier('RS256', rsaPem), token(CLAIMS, { alg, key: secret })),
        'token_invalid',
      )
    }
    assert.equal(await verdict(verifier('ES256', ecPem), token(CLAIMS, { alg, key: ecPem })), 'token_invalid')
  }
  // Its header says RS256, so that only the signature is wrong.
  const disguised = forge('{"alg":"RS256"}', JSON.stringify(CLAIMS), 'HS256', rsaPem)
  assert.equal(await verdict(verifier('RS256', rsaPem), disguised), 'token_invalid')
})

test('a token signed well by the right key under another of its algorithms is refused', async () => {
  const subject = verifier('RS256', rsaPem)
  assert.equal(await verdict(subject, token(CLAIMS, { alg: 'RS256', key: rsa.privateKey })), 'verified')
  for (const alg of ['RS384', 'RS512', 'PS256', 'PS384', 'PS512']) {
    assert.equal(await verdict(subject, token(CLAIMS, { alg, key: rsa.privateKey })), 'token_invalid', alg)
    // The header lies about it.
    const disguised = forge('{"alg":"RS256"}', JSON.stringify(CLAIMS), alg, rsa.privateKey)
    assert.equal(await verdict(subject, disguised), 'token_invalid', alg)
  }
})

// CVE-2022-21449: with r = s = 0 the equation of ECDSA holds for every message if nobody checks the range.
test('an ES256 signature of zeros, or of the order, is refused', async () => {
  const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex')
  const zero = Buffer.alloc(32)
  const one = Buffer.concat([Buffer.alloc(31), Buffer.from([1])])
  const input = `${base64url('{"alg":"ES256"}')}.${base64url(JSON.stringify(CLAIMS))}`
  for (const r of [zero, one, order]) {
    for (const s of [zero, one, order]) {
      const signature = Buffer.concat([r, s]).toString('base64url')
      assert.equal(await verdict(verifier('ES256', ecPem), `${input}.${signature}`), 'token_invalid')
    }
  }
  assert.equal(await verdict(verifier('ES256', ecPem), `${input}.${base64url('0\u0000')}`), 'token_invalid')
})

// RFC 8725 sections 2.9 and 3.10: kid as a path or as SQL, jku and x5u as a place to fetch the attacker's key from,
// jwk and x5c as that key itself.
test('nothing in the header names a key, and nothing is fetched', async () => {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const headers = [
    { kid: '../../../../dev/null' },
    { kid: "x' UNION SELECT 'secret" },
    { kid: `http://127.0.0.1:${port}/` },
    { jku: `http://127.0.0.1:${port}/jwks.json` },
    { x5u: `http://127.0.0.1:${port}/chain.pem` },
    { jwk: attacker.publicKey.export({ format: 'jwk' }) },
    { x5c: [attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] },
  ]
  try {
    const subject = verifier('RS256', rsaPem)
    for (const header of headers) {
      const forged = token(CLAIMS, { alg: 'RS256', key: attacker.privateKey, header })
      assert.equal(await verdict(subject, forged), 'token_invalid', JSON.stringify(header))
      const own = token(CLAIMS, { alg: 'RS256', key: rsa.privateKey, header })
      assert.equal(await verdict(subject, own), 'verified', JSON.stringify(header))
    }
    assert.equal(connections, 0)
  } finally {
    server.close()
  }
})

// A token wrapped in base64 once more, or inside another token, to get past whoever decodes once too often.
test('nested tokens and nested base64 are refused', async () => {
  const subject = verifier('HS256', SECRET)
  const good = token()
  const nested = forge('{"alg":"HS256","cty":"JWT"}', good, 'HS256', SECRET)
  const doubled = good
    .split('.')
    .map((segment) => base64url(segment))
    .join('.')
  for (const jwt of [base64url(good), doubled, nested, `${base64url(good)}.${good}`]) {
    assert.equal(await verdict(subject, jwt), 'token_invalid')
  }
})

// If the unused bits of the last character are ignored, one token has several spellings: some are verified, others are
// found in the cache, and a list of revoked tokens knows only one of them.
test('tokens that differ in the last base64 bits from one in the cache are refused', async () => {
  const subject = verifier('HS256', SECRET)
  const good = token()
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  assert.equal(await verdict(subject, good), 'verified')
  for (const last of alphabet) {
    const jwt = good.slice(0, -1) + last
    assert.equal(await verdict(subject, jwt), jwt === good ? 'verified' : 'token_invalid', last)
  }
  assert.equal(await verdict(subject, good), 'verified')
})

// A verifier that answers differently, or in a library's words, tells the attacker what to change next.
test('every refusal of a token that fails before its claims is one and the same value', async () => {
  const subject = verifier('ES256', ecPem)
  const refused = [
    'x',
    `${token(CLAIMS, { alg: 'ES256', key: ec.privateKey })}A`,
    token(CLAIMS, { alg: 'ES256', key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }),
    token(CLAIMS, { alg: 'HS256' }),
    'x'.repeat(60_000),
    forge('[]', '{}', 'ES256', ec.privateKey),
    forge('{"alg":"ES256"}', '[]', 'ES256', ec.privateKey),
  ]
  const outcomes = await Promise.all(refused.map((jwt) => subject.verify(jwt)))
  for (const outcome of outcomes) assert.equal(outcome, outcomes[0])
  assert.deepEqual(outcomes[0], { ok: false, code: 'token_invalid', detail: null })
})
