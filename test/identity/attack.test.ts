import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { readJwkSet } from '../../src/jwt/jwk.ts'
import { KeyRequests } from '../../src/jwt/key-request.ts'
import { compileIssuer } from '../../src/jwt/live-issuer.ts'
import { TokenVerifier } from '../../src/jwt/verify.ts'
import { issuerConfig, remoteKeys } from '../support/issuer-config.ts'
import { ManualTime } from '../support/manual-time.ts'
import { base64url, forge, token } from '../support/token.ts'

const NOW_S = 1_800_000_000
const ISSUER = 'https://id.example.com'
const CLAIMS = { iss: ISSUER, sub: 'user-1', company_id: 'acme', exp: NOW_S + 60 }
const HEADER = { alg: 'ES256', kid: 'a' }

const good = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const evil = generateKeyPairSync('ec', { namedCurve: 'P-256' })

function published(key: KeyObject, kid: string): object {
  return { ...key.export({ format: 'jwk' }), kid, use: 'sig' }
}

/** A verifier by published keys, and what it asked control for. */
function stage(): { readonly verifier: TokenVerifier; readonly asked: string[] } {
  const asked: string[] = []
  const time = new ManualTime()
  const keyRequests: KeyRequests = new KeyRequests({
    nowMs: () => time.nowMs,
    startTimer: time.startTimer,
    send({ kid }) {
      asked.push(kid)
      queueMicrotask(() => keyRequests.answered({ kind: 'keys-checked', issuer: 'idp', retryMs: 30_000 }))
    },
  })
  const config = issuerConfig({ issuer: ISSUER, algorithms: ['ES256', 'RS256'], keys: remoteKeys() })
  const verifier = new TokenVerifier({ issuers: [compileIssuer(config)], nowS: () => NOW_S, keyRequests })
  const jwks = readJwkSet({ keys: [published(good.publicKey, 'a'), published(rsa.publicKey, 'r')] }) ?? []
  verifier.publish({ kind: 'keys', issuer: 'idp', jwks })
  return { verifier, asked }
}

async function codeOf(verifier: TokenVerifier, jwt: string): Promise<string> {
  const outcome = await verifier.verify(jwt)
  return outcome.ok ? 'verified' : outcome.code
}

function signedBy(key: KeyObject, header: object, claims: object = CLAIMS): string {
  return forge(JSON.stringify(header), JSON.stringify(claims), 'ES256', key)
}

describe('against published keys', () => {
  test('a good token is verified, so that what follows fails for its own reason', async () => {
    const { verifier } = stage()
    assert.equal(await codeOf(verifier, signedBy(good.privateKey, HEADER)), 'verified')
    const byRsa = token(CLAIMS, { alg: 'RS256', key: rsa.privateKey, header: { kid: 'r' } })
    assert.equal(await codeOf(verifier, byRsa), 'verified')
  })

  const own = signedBy(good.privateKey, HEADER)
  const [head = '', payload = ''] = own.split('.')
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const attacks: Readonly<Record<string, string>> = {
    'alg none': `${base64url('{"alg":"none","kid":"a"}')}.${payload}.`,
    'alg None with a signature': `${base64url('{"alg":"None","kid":"a"}')}.${payload}.AA`,
    'HS256 made with the public key': forge(
      '{"alg":"HS256","kid":"r"}',
      JSON.stringify(CLAIMS),
      'HS256',
      pem,
    ),
    'RS256 by name, HS256 in truth': forge('{"alg":"RS256","kid":"r"}', JSON.stringify(CLAIMS), 'HS256', pem),
    'an all-zero signature': `${head}.${payload}.${base64url(Buffer.alloc(64))}`,
    'a DER signature': `${head}.${payload}.${base64url(Buffer.alloc(70, 48))}`,
    'its own key in jwk': signedBy(evil.privateKey, { ...HEADER, jwk: published(evil.publicKey, 'a') }),
    'a jku to follow': signedBy(evil.privateKey, { ...HEADER, jku: 'https://evil.example.com/jwks' }),
    'an x5u to follow': signedBy(evil.privateKey, { ...HEADER, x5u: 'https://evil.example.com/cert' }),
    'a crit we do not know': signedBy(good.privateKey, { ...HEADER, crit: ['exp'] }),
    'a kid that is no text': signedBy(good.privateKey, { ...HEADER, kid: ['a'] }),
    'a kid of null': signedBy(good.privateKey, { ...HEADER, kid: null }),
    'a kid longer than any': signedBy(good.privateKey, { ...HEADER, kid: 'a'.repeat(300) }),
    'base64 in base64': base64url(own),
    'the issuer of nobody': signedBy(good.privateKey, HEADER, { ...CLAIMS, iss: `${ISSUER}/` }),
    'no issuer': signedBy(good.privateKey, HEADER, { ...CLAIMS, iss: undefined }),
    '20 KB': signedBy(good.privateKey, HEADER, { ...CLAIMS, fat: 'x'.repeat(20_000) }),
    'a header that is no object': forge('"ES256"', JSON.stringify(CLAIMS), 'ES256', good.privateKey),
    'claims that are no object': forge(JSON.stringify(HEADER), '[]', 'ES256', good.privateKey),
  }
  for (const [what, attack] of Object.entries(attacks))
    test(`${what} is refused, and nothing is fetched for it`, async () => {
      const { verifier, asked } = stage()
      assert.equal(await codeOf(verifier, attack), 'token_invalid')
      assert.deepEqual(asked, [])
    })

  // The text goes to control as a name to look up in a set, and nowhere else.
  test('a kid with a path or with SQL in it is at most a question for keys of that name', async () => {
    for (const kid of ['../../../etc/passwd', "a' OR '1'='1", 'https://evil.example.com/', 'b', 'r']) {
      const { verifier, asked } = stage()
      assert.equal(await codeOf(verifier, signedBy(good.privateKey, { ...HEADER, kid })), 'token_invalid')
      assert.deepEqual(asked, [kid])
      assert.equal(
        await codeOf(verifier, signedBy(good.privateKey, { ...HEADER, kid: 'c' })),
        'token_invalid',
      )
      assert.deepEqual(asked, [kid], 'once a cooldown')
    }
  })

  test('a token that differs from a verified one in its last bits is refused', async () => {
    const { verifier } = stage()
    assert.equal(await codeOf(verifier, own), 'verified')
    const last = own.at(-1) ?? ''
    for (const other of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      if (other !== last) assert.equal(await codeOf(verifier, own.slice(0, -1) + other), 'token_invalid')
    }
  })
})
