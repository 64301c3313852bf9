import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { apiKeyHash, createApiKey, shownPrefix } from '../../src/api-keys/key-text.ts'
import { parseApiKeys } from '../../src/api-keys/parse-api-keys.ts'
import { type CredentialSource, parseCredentialSource } from '../../src/identity/credential-source.ts'
import { loadVerificationKey } from '../../src/jwt/key.ts'
import { soleIssuer } from '../../src/jwt/live-issuer.ts'
import { TokenVerifier } from '../../src/jwt/verify.ts'
import { ApiKeyCheck } from '../../src/policies/api-key.ts'
import { type IdentityOptions, identityPolicy } from '../../src/policies/identity.ts'
import { RevocationSet } from '../../src/revocation/revocation-set.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'
import { parsedGet } from '../proxy/parsed-head.ts'
import { SECRET, tenantToken } from '../support/token.ts'

const NOW_S = 1_800_000_000
const KEY = createApiKey(randomFillSync)
const OLD_KEY = createApiKey(randomFillSync)
const STRANGER = createApiKey(randomFillSync)
const TOKEN = tenantToken('acme')

const { keys } = parseApiKeys([
  { name: 'ci', tenant: 'umbrella', hash: apiKeyHash(KEY), prefix: shownPrefix(KEY) },
  {
    ...{ name: 'old', tenant: 'umbrella', expires: '2027-01-15' },
    ...{ hash: apiKeyHash(OLD_KEY), prefix: shownPrefix(OLD_KEY) },
  },
])
assert.ok(keys !== null)
const apiKeys = new ApiKeyCheck({ field: 'X-API-Key', keys })
const tokens = new TokenVerifier({
  issuers: [soleIssuer(loadVerificationKey('HS256', SECRET), 0)],
  nowS: () => NOW_S,
})

const BOTH: IdentityOptions = {
  ...{ tokens, apiKeys, auth: 'required', nowS: () => NOW_S },
  ...{ isRevoked: () => false, origins: new Set<string>() },
  sources: [{ kind: 'header' }],
}

interface Ask {
  readonly options?: Partial<IdentityOptions>
  readonly places?: readonly string[]
  readonly target?: string
}

/** `<tenant>`, `nobody`, or a failure's status and code. */
function judged(
  lines: readonly string[],
  { options = {}, places = ['header'], target = '/orders' }: Ask = {},
): string {
  const sources = places.map(parseCredentialSource) as CredentialSource[]
  const exchange = exchangeOf(parsedGet(target, ...lines))
  const verdict = identityPolicy({ ...BOTH, sources, ...options }).admit(exchange)
  assert.ok(!(verdict instanceof Promise))
  if (verdict === null) return exchange.identity?.tenant ?? 'nobody'
  assert.equal(exchange.identity, null)
  assert.ok(verdict.kind === 'failure')
  return `${verdict.status} ${verdict.code}`
}

const BEARER = `Authorization: Bearer ${TOKEN}`
const X_API_KEY = `X-API-Key: ${KEY}`

describe('who calls', () => {
  test('is said by a token or by an API key', () => {
    assert.equal(judged([BEARER]), 'acme')
    assert.equal(judged([X_API_KEY]), 'umbrella')
    assert.equal(judged([`x-api-key: ${KEY}`]), 'umbrella')
  })

  test('is said by nobody without either', () => {
    for (const lines of [[], ['Authorization: Basic x'], ['Authorization: Bearer '], ['X-API-Key: ']]) {
      assert.equal(judged(lines), '401 token_missing')
      assert.equal(judged(lines, { options: { auth: 'optional' } }), 'nobody')
    }
  })

  test('is not said by a bad credential, also where none is needed', () => {
    for (const auth of ['required', 'optional'] as const) {
      const options = { auth }
      assert.equal(judged(['Authorization: Bearer x.y.z'], { options }), '401 token_invalid')
      assert.equal(judged([`X-API-Key: ${STRANGER}`], { options }), '401 key_invalid')
      assert.equal(judged([`X-API-Key: ${OLD_KEY}`], { options }), '401 key_invalid')
      assert.equal(judged([`X-API-Key: ${KEY}x`], { options }), '401 key_invalid')
      assert.equal(judged([`X-API-Key: ${apiKeyHash(KEY)}`], { options }), '401 key_invalid', 'its hash')
    }
  })

  test('an expired key ends with its day', () => {
    const options = { nowS: () => Date.UTC(2027, 0, 15) / 1_000 - 1 }
    assert.equal(judged([`X-API-Key: ${OLD_KEY}`], { options }), 'umbrella')
  })

  // The gateway would act on one of them, and whoever reads the request next on the other.
  test('is not said by two credentials that differ, good as both may be', () => {
    for (const lines of [
      [BEARER, X_API_KEY],
      [X_API_KEY, BEARER],
      [BEARER, `X-API-Key: ${STRANGER}`],
      ['Authorization: Bearer x', X_API_KEY],
      [BEARER, BEARER],
      [X_API_KEY, X_API_KEY],
    ])
      assert.equal(judged(lines), '400 authorization_repeated')
    assert.equal(judged(['Authorization: Basic x', X_API_KEY]), 'umbrella', 'another scheme is none of ours')
  })

  test('an API key stands in its own field only, where no upstream sees it, never in Authorization', () => {
    assert.equal(judged([`Authorization: Bearer ${KEY}`]), '401 token_invalid')
    assert.deepEqual(identityPolicy(BOTH).owns, ['x-api-key'])
    for (const alias of ['X_API_Key', 'X.API.Key', 'X-API-Keys'])
      assert.equal(judged([`${alias}: ${KEY}`]), '401 token_missing', alias)
  })

  test('only by the kinds that are configured', () => {
    assert.equal(judged([X_API_KEY], { options: { apiKeys: null } }), '401 token_missing')
    assert.equal(judged([BEARER], { options: { tokens: null } }), '401 token_missing')
    assert.deepEqual(identityPolicy({ ...BOTH, apiKeys: null }).owns, [])
  })

  test('a 401 says by which fields one could', () => {
    const fieldsOf = (options: Partial<IdentityOptions>): string => {
      const verdict = identityPolicy({ ...BOTH, ...options }).admit(exchangeOf())
      assert.ok(verdict !== null && 'fields' in verdict)
      return verdict.fields
    }
    const [bearer, key] = ['WWW-Authenticate: Bearer\r\n', 'WWW-Authenticate: ApiKey field="X-API-Key"\r\n']
    assert.equal(fieldsOf({}), bearer + key)
    assert.equal(fieldsOf({ apiKeys: null }), bearer)
    assert.equal(fieldsOf({ tokens: null }), key)
  })
})

describe('a credential in another place', () => {
  const places = ['header', 'cookie:session', 'query:access_token', 'subprotocol']

  test('counts where the route lists the place, and nowhere else', () => {
    for (const [text, tenant] of [
      [TOKEN, 'acme'],
      [KEY, 'umbrella'],
    ] as const) {
      const asks: readonly (readonly [string[], string])[] = [
        [[`Cookie: a=1; session=${text}`], '/orders'],
        [[], `/orders?access_token=${text}`],
        [[`Sec-WebSocket-Protocol: chat, nyro.bearer.${text}`], '/orders'],
      ]
      for (const [lines, target] of asks) {
        assert.equal(judged(lines, { places, target }), tenant)
        assert.equal(judged(lines, { target }), '401 token_missing')
      }
    }
  })

  test('is judged as strictly as in a header', () => {
    assert.equal(judged(['Cookie: session=x.y.z'], { places }), '401 token_invalid')
    assert.equal(judged([], { places, target: `/?access_token=${STRANGER}` }), '401 key_invalid')
    assert.equal(judged([], { places, target: `/?access_token=${KEY}x` }), '401 key_invalid', 'misspelt')
    assert.equal(judged(['Cookie: session='], { places }), '401 token_missing')
    assert.equal(judged([], { places: ['cookie:session'], options: { tokens: null } }), '401 token_missing')
    assert.equal(
      judged([`Cookie: session=${TOKEN}`], { places, options: { tokens: null } }),
      '401 token_invalid',
    )
  })

  test('may be there twice if it is the same, not if it differs', () => {
    const cookie = `Cookie: session=${TOKEN}`
    assert.equal(judged([BEARER, cookie], { places }), 'acme')
    assert.equal(judged([cookie], { places, target: `/?access_token=${TOKEN}` }), 'acme')
    const other = tenantToken('umbrella')
    for (const lines of [
      [BEARER, `Cookie: session=${other}`],
      [`Cookie: session=${TOKEN}; session=${other}`],
      [cookie, `Cookie: session=${other}`],
      [X_API_KEY, cookie],
    ])
      assert.equal(judged(lines, { places }), '400 authorization_repeated')
  })

  test('does not count in a header where the route does not list headers', () => {
    const only = { places: ['cookie:session'] }
    assert.equal(judged([BEARER], only), '401 token_missing')
    assert.equal(judged([X_API_KEY], only), '401 token_missing')
    assert.equal(judged([BEARER, `Cookie: session=${TOKEN}`], only), 'acme')
    assert.equal(judged([BEARER, BEARER], only), '400 authorization_repeated')
  })
})

describe('whoever is revoked', () => {
  test('is refused at once, by subject, by tenant and by the name of a key, until it ends', () => {
    const revocations = new RevocationSet()
    let nowS = NOW_S
    const options: Partial<IdentityOptions> = { isRevoked: (identity) => revocations.covers(identity, nowS) }
    assert.equal(judged([BEARER], { options }), 'acme')
    revocations.revoke({ kind: 'tenant', value: 'acme', untilS: NOW_S + 60 })
    assert.equal(judged([BEARER], { options }), '401 token_revoked')
    assert.equal(judged([X_API_KEY], { options }), 'umbrella')
    nowS = NOW_S + 60
    assert.equal(judged([BEARER], { options }), 'acme')
    nowS = NOW_S
    revocations.revoke({ kind: 'jti', value: shownPrefix(KEY), untilS: null })
    assert.equal(judged([X_API_KEY], { options }), '401 token_revoked')
    revocations.revoke({ kind: 'subject', value: 'user-1', untilS: null })
    revocations.lift('tenant', 'acme')
    assert.equal(judged([BEARER], { options }), '401 token_revoked')
  })
})
