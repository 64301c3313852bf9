import assert from 'node:assert/strict'
import { generateKeyPairSync, randomFillSync } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { apiKeyHash, createApiKey, shownPrefix } from '../../src/api-keys/key-text.ts'
import type { Config, RouteConfig } from '../../src/config/config.ts'
import { parseCredentialSource } from '../../src/identity/credential-source.ts'
import { routeTo } from '../support/config-part.ts'
import { IdentityStage } from '../support/identity-stage.ts'
import { issuerConfig } from '../support/issuer-config.ts'
import type { Field } from '../support/message.ts'
import type { Told } from '../support/origin.ts'
import { base64url, bearer, CLAIMS, FAR_S, forge, SECRET, tenantToken, token } from '../support/token.ts'

const OTHER_SECRET = 'other-secret-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'
const KEY = createApiKey(randomFillSync)
const OLD_KEY = createApiKey(randomFillSync)
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

function keyEntry(key: string, own: object): object {
  return { hash: apiKeyHash(key), prefix: shownPrefix(key), ...own }
}

const ENTRIES = [
  keyEntry(KEY, { name: 'ci', tenant: 'umbrella', scopes: ['orders:read'] }),
  keyEntry(OLD_KEY, { name: 'old', tenant: 'umbrella', expires: '2020-01-01' }),
]

const IDENTITY: Config['identity'] = {
  issuers: [
    issuerConfig({ name: 'own' }),
    issuerConfig({
      ...{ name: 'partner', issuer: 'https://partner.example.com', audience: ['nyro-api'] },
      keys: { kind: 'secret', secret: OTHER_SECRET },
    }),
    issuerConfig({
      ...{ name: 'machines', issuer: 'https://machines.example.com', algorithms: ['ES256'] },
      keys: { kind: 'pem', pem: ec.publicKey.export({ type: 'spki', format: 'pem' }).toString() },
    }),
  ],
  apiKeys: { field: 'X-API-Key', entries: ENTRIES },
}

function placed(...texts: readonly string[]): RouteConfig['credentials'] {
  return texts.flatMap((text) => parseCredentialSource(text) ?? [])
}

function route(name: string, own: Partial<RouteConfig> = {}): RouteConfig {
  return routeTo('orders', `/${name}/*`, own.auth ?? 'required', { name, ...own })
}

const ROUTES = [
  route('orders'),
  route('open', { auth: 'none' }),
  route('maybe', { auth: 'optional' }),
  route('scoped', { require: { scopes: ['orders:read', 'orders:write'], claims: {} } }),
  route('staff', { require: { scopes: [], claims: { role: ['admin', 'editor'] } } }),
  route('browser', { credentials: placed('header', 'cookie:session', 'query:access_token', 'subprotocol') }),
]

function open(t: TestContext, own: Partial<Config> = {}): Promise<IdentityStage> {
  return IdentityStage.open(t, () => ({ identity: IDENTITY, routes: ROUTES, ...own }))
}

function partner(claims: object = {}): string {
  return token(
    { ...CLAIMS, iss: 'https://partner.example.com', aud: ['nyro-api'], company_id: 'partner', ...claims },
    { key: OTHER_SECRET },
  )
}

function machine(): string {
  const claims = { ...CLAIMS, iss: 'https://machines.example.com', company_id: 'robots' }
  return token(claims, { alg: 'ES256', key: ec.privateKey })
}

/** What the upstream was told of who calls; null: nothing. */
async function tenantSeen(
  stage: IdentityStage,
  target: string,
  fields: readonly Field[],
): Promise<string | null> {
  const response = await stage.ask(target, fields)
  assert.equal(response.status, 200, response.text)
  const told = response.json<Told>()
  return told.fields.find(([name]) => name.toLowerCase() === 'x-company-id')?.[1] ?? null
}

describe('who calls, through the gateway', () => {
  test('is whom any of its issuers vouches for, by that issuer’s key alone', async (t) => {
    const stage = await open(t)
    assert.equal(await tenantSeen(stage, '/orders/1', [bearer(tenantToken('acme'))]), 'acme')
    assert.equal(await tenantSeen(stage, '/orders/1', [bearer(partner())]), 'partner')
    assert.equal(await tenantSeen(stage, '/orders/1', [bearer(machine())]), 'robots')
    const crossed = token({ ...CLAIMS, iss: 'https://partner.example.com', aud: 'nyro-api' })
    assert.equal(await stage.verdict('/orders/1', [bearer(crossed)]), '401 token_invalid')
    assert.equal(await stage.verdict('/orders/1', [bearer(partner({ aud: 'another' }))]), '401 token_invalid')
  })

  test('may come with an API key, which no upstream sees on any route', async (t) => {
    const stage = await open(t)
    assert.equal(await tenantSeen(stage, '/orders/1', [['X-API-Key', KEY]]), 'umbrella')
    assert.equal(await stage.verdict('/orders/1', [['X-API-Key', OLD_KEY]]), '401 key_invalid')
    const stranger = createApiKey(randomFillSync)
    assert.equal(await stage.verdict('/orders/1', [['X-API-Key', stranger]]), '401 key_invalid')
    const both: Field[] = [['X-API-Key', KEY], bearer(tenantToken('acme'))]
    assert.equal(await stage.verdict('/orders/1', both), '400 authorization_repeated')
    for (const name of ['X-API-Key', 'x_api_key', 'X.Api.Key']) {
      await stage.ask('/open/1', [[name, KEY]])
      assert.ok(!stage.origin.last.text.includes(KEY), name)
    }
    assert.ok(!stage.logText.includes(KEY))
  })

  test('follows a reload of keys and issuers, and only that', async (t) => {
    const stage = await open(t)
    const [entry] = ENTRIES
    await stage.reload({ identity: { ...IDENTITY, apiKeys: { field: 'X-Key', entries: [entry] } } })
    assert.equal(await stage.verdict('/orders/1', [['X-API-Key', KEY]]), '401 token_missing')
    assert.equal(await tenantSeen(stage, '/orders/1', [['X-Key', KEY]]), 'umbrella')
    await stage.reload({ identity: { issuers: IDENTITY.issuers.slice(1), apiKeys: null } })
    assert.equal(await stage.verdict('/orders/1', [['X-Key', KEY]]), '401 token_missing')
    assert.equal(await stage.verdict('/orders/1', [bearer(tenantToken('acme'))]), '401 token_invalid')
    assert.equal(await tenantSeen(stage, '/orders/1', [bearer(partner())]), 'partner')
  })

  test('need not be said where auth is optional, but not falsely either', async (t) => {
    const stage = await open(t)
    assert.equal(await tenantSeen(stage, '/maybe/1', []), null)
    assert.equal(await tenantSeen(stage, '/maybe/1', [['X-Company-ID', 'acme']]), null)
    assert.equal(await tenantSeen(stage, '/maybe/1', [['X-API-Key', KEY]]), 'umbrella')
    assert.equal(await stage.verdict('/maybe/1', [bearer('x')]), '401 token_invalid')
    assert.equal(await stage.verdict('/maybe/1', [['X-API-Key', OLD_KEY]]), '401 key_invalid')
  })

  test('must have what a route requires; the refusal names what is missing, not what is there', async (t) => {
    const stage = await open(t)
    const scoped = bearer(token({ ...CLAIMS, scope: 'orders:read orders:write' }))
    assert.equal(await stage.verdict('/scoped/1', [scoped]), '200')
    const refused = await stage.ask('/scoped/1', [['X-API-Key', KEY]])
    assert.equal(refused.status, 403)
    const { code, detail } = refused.json<{ code: string; detail: string }>()
    assert.deepEqual([code, detail], ['scope_missing', 'Missing scope: orders:write'])
    assert.match(refused.get('www-authenticate') ?? '', /insufficient_scope/)
    for (const role of ['admin', ['viewer', 'editor']])
      assert.equal(await stage.verdict('/staff/1', [bearer(token({ ...CLAIMS, role }))]), '200')
    const guest = await stage.ask('/staff/1', [bearer(token({ ...CLAIMS, role: 'guest' }))])
    assert.equal(guest.status, 403)
    assert.match(guest.text, /claim_mismatch/)
    assert.doesNotMatch(guest.text, /guest|admin/)
    // What another route asks about is asked of tokens that were verified before it did.
    await stage.reload({
      routes: [...ROUTES, route('paid', { require: { scopes: [], claims: { paid: [true] } } })],
    })
    assert.equal(await stage.verdict('/paid/1', [bearer(token({ ...CLAIMS, paid: true }))]), '200')
    assert.equal(
      await stage.verdict('/paid/1', [bearer(token({ ...CLAIMS, paid: 'true' }))]),
      '403 claim_mismatch',
    )
  })
})

describe('a credential where a browser can put it', () => {
  const jwt = tenantToken('acme')
  const places: Readonly<Record<string, { readonly target: string; readonly fields: readonly Field[] }>> = {
    'a cookie': { target: '/browser/1', fields: [['Cookie', `theme=dark; session=${jwt}; lang=en`]] },
    'the query': { target: `/browser/1?a=1&access_token=${jwt}&b=2`, fields: [] },
    'an escaped parameter': { target: `/browser/1?%61ccess_token=${jwt}`, fields: [] },
    'a subprotocol': {
      target: '/browser/1',
      fields: [['Sec-WebSocket-Protocol', `chat, nyro.bearer.${jwt}`]],
    },
    'an API key in a cookie': { target: '/browser/1', fields: [['Cookie', `session=${KEY}`]] },
  }
  for (const [place, { target, fields }] of Object.entries(places))
    test(`is believed from ${place} where the route says so, and ends there`, async (t) => {
      const stage = await open(t)
      assert.ok((await tenantSeen(stage, target, fields)) !== null)
      for (const secret of [jwt, KEY]) {
        assert.ok(!stage.origin.last.text.includes(secret))
        assert.ok(!stage.logText.includes(secret))
      }
      assert.equal(await stage.verdict(target.replace('browser', 'orders'), fields), '401 token_missing')
    })

  test('does not follow a redirect to another host, where it would be somebody else’s', async (t) => {
    const moved = (name: string, host: string | null): RouteConfig =>
      route(name, {
        credentials: placed('query:access_token'),
        ending: { kind: 'redirect', status: 308, scheme: 'https', host, port: null, path: null },
      })
    const stage = await open(t, { routes: [moved('away', 'new.example.com'), moved('stay', null)] })
    const query = `a=1&access_token=${jwt}`
    const away = await stage.ask(`/away/1?${query}`)
    assert.equal(away.get('location'), 'https://new.example.com/away/1?a=1')
    assert.equal((await stage.ask(`/stay/1?${query}`)).get('location'), `https://gw.test/stay/1?${query}`)
  })

  test('leaves what stands beside it as it was', async (t) => {
    const stage = await open(t)
    await stage.ask(`/browser/1?a=%20&access_token=${jwt}&b=2`, [['Cookie', 'theme=dark;  lang=en']])
    assert.equal(stage.origin.last.target, '/browser/1?a=%20&b=2')
    assert.equal(stage.origin.last.get('cookie'), 'theme=dark;  lang=en')
    await stage.ask('/browser/1', [['Cookie', `session=${jwt}; theme=dark`], bearer(jwt)])
    assert.equal(stage.origin.last.get('cookie'), 'theme=dark', 'gone, although it was not needed')
    const two: Field[] = [['Cookie', `session=${tenantToken('other')}`], bearer(jwt)]
    assert.equal(await stage.verdict('/browser/1', two), '400 authorization_repeated')
  })

  // Browsers send cookies with whatever a page has them send, and hold no WebSocket back for it: any page could speak for its visitor.
  test('is not believed from a cookie that a foreign page had sent', async (t) => {
    const stage = await open(t, { cors: { origins: ['https://app.example.com'], maxAgeS: 600 } })
    const cookie: Field = ['Cookie', `session=${jwt}`]
    const from = (origin: string): Promise<string> =>
      stage.verdict('/browser/1', [cookie, ['Origin', origin]])
    assert.equal(await from('https://app.example.com'), '200')
    assert.equal(await from('https://gw.test'), '200', 'the gateway’s own')
    for (const origin of [
      'https://evil.example.com',
      'null',
      'https://gw.test.evil.example.com',
      'https://xgw.test',
    ])
      assert.equal(await from(origin), '403 origin_refused', origin)
    const handshake: Field[] = [
      ...[['Connection', 'Upgrade'] as const, ['Upgrade', 'websocket'] as const],
      ...[['Origin', 'https://evil.example.com'] as const, cookie],
    ]
    assert.equal(await stage.verdict('/browser/1', handshake), '403 origin_refused')
    // A page that knows the token proves more than a cookie does.
    const known: Field[] = [bearer(jwt), ['Origin', 'https://evil.example.com']]
    assert.equal(await stage.verdict('/browser/1', known), '200')
    const image: Field[] = [cookie, ['Sec-Fetch-Site', 'cross-site'], ['Sec-Fetch-Mode', 'no-cors']]
    assert.equal(await stage.verdict('/browser/1', image), '403 origin_refused')
    const link: Field[] = [cookie, ['Sec-Fetch-Site', 'cross-site'], ['Sec-Fetch-Mode', 'navigate']]
    assert.equal(await stage.verdict('/browser/1', link), '200')
  })
})

describe('every attack on identity, through the gateway', () => {
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const good = tenantToken('acme')
  const [, payload = ''] = good.split('.')
  const mac = (header: object, claims: object = CLAIMS): string =>
    forge(JSON.stringify(header), JSON.stringify(claims), 'HS256', SECRET)
  const claimed = (text: string): string => forge('{"alg":"HS256"}', text, 'HS256', SECRET)
  const invalid: Readonly<Record<string, string>> = {
    'alg none': `${base64url('{"alg":"none"}')}.${payload}.`,
    'alg nOnE': `${base64url('{"alg":"nOnE"}')}.${payload}.`,
    'HS256 by a public key': forge('{"alg":"HS256"}', JSON.stringify(CLAIMS), 'HS256', pem),
    'a crit nobody knows': mac({ alg: 'HS256', crit: ['b64'] }),
    'ES256 with zeros': `${base64url('{"alg":"ES256"}')}.${base64url(JSON.stringify({ ...CLAIMS, iss: 'https://machines.example.com' }))}.${base64url(Buffer.alloc(64))}`,
    'base64 in base64': base64url(good),
    'a header that is no object': forge('"HS256"', JSON.stringify(CLAIMS), 'HS256', SECRET),
    'exp as text': claimed(`{"sub":"u","company_id":"acme","exp":"${FAR_S}"}`),
    'exp null': claimed('{"sub":"u","company_id":"acme","exp":null}'),
    'exp beyond numbers': claimed('{"sub":"u","company_id":"acme","exp":1e400}'),
    'other last bits': good.slice(0, -1) + (good.endsWith('A') ? 'B' : 'A'),
  }

  test('ends in 401 with one body', async (t) => {
    const stage = await open(t)
    const bodies = new Set<string>()
    assert.equal(await stage.verdict('/orders/1', [bearer(good)]), '200')
    const seen = stage.origin.seen.length
    for (const [attack, jwt] of Object.entries(invalid)) {
      const response = await stage.ask('/orders/1', [bearer(jwt), ['X-Request-ID', 'same']])
      assert.equal(response.status, 401, attack)
      bodies.add(response.text)
    }
    assert.equal(bodies.size, 1)
    const named = {
      kid: '../../etc/passwd',
      jku: 'https://evil.example.com',
      x5u: 'https://evil.example.com',
    }
    assert.equal(
      await stage.verdict('/orders/1', [
        bearer(forge(JSON.stringify({ alg: 'HS256', ...named }), JSON.stringify(CLAIMS), 'HS256', 'evil')),
      ]),
      '401 token_invalid',
    )
    assert.equal(
      await stage.verdict('/orders/1', [bearer(token({ ...CLAIMS, exp: 1 }))]),
      '401 token_expired',
    )
    assert.equal(stage.origin.seen.length, seen, 'no upstream was asked')
    for (const tenant of ['9007199254740993', '5.0', '1e3'])
      assert.equal(
        await stage.verdict('/orders/1', [
          bearer(claimed(`{"sub":"u","exp":${FAR_S},"company_id":${tenant}}`)),
        ]),
        '403 tenant_invalid',
        tenant,
      )
    const fat = await stage.ask('/orders/1', [bearer(token({ ...CLAIMS, fat: 'x'.repeat(60_000) }))])
    assert.equal(fat.status, 431)
    assert.equal(await stage.verdict('/orders/1', [bearer(good), bearer(good)]), '400 authorization_repeated')
  })

  test('states no tenant of the client’s own, however it is spelt, on any route', async (t) => {
    const stage = await open(t)
    const forged: readonly (readonly Field[])[] = [
      [['x-company-id', 'evil']],
      [['X_Company_ID', 'evil']],
      [['X.Company.ID', 'evil']],
      [
        ['X-Company-ID', 'evil'],
        ['X-Company-ID', 'evil'],
      ],
      [['X-Company-ID', 'acme, evil']],
      [
        ['Connection', 'X-Company-ID'],
        ['X-Company-ID', 'evil'],
      ],
    ]
    for (const fields of forged) {
      for (const [target, own] of [
        ['/orders/1', [bearer(good)]],
        ['/browser/1', [['Cookie', `session=${good}`] as const]],
        ['/orders/1', [['X-API-Key', KEY] as const]],
        ['/open/1', []],
        ['/maybe/1', []],
      ] as const) {
        const seen = await tenantSeen(stage, target, [...own, ...fields])
        const expected = own.length === 0 ? null : own[0]?.[0] === 'X-API-Key' ? 'umbrella' : 'acme'
        assert.equal(seen, expected)
        assert.ok(!stage.origin.last.text.includes('evil'))
      }
    }
  })
})
