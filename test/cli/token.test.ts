import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { jwtVerify } from 'jose'
import { dispatch } from '../../src/cli/dispatch.ts'
import { LocalIssuer } from '../support/local-issuer.ts'
import { CLAIMS, SECRET, token } from '../support/token.ts'
import { exitCodeOf, FakeEdge } from './fake-edge.ts'

const KEY = new TextEncoder().encode(SECRET)
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

interface Ended {
  readonly code: number | null
  readonly printed: string
  readonly complained: string
}

async function run(
  argv: readonly string[],
  own: Partial<Pick<FakeEdge, 'env' | 'files' | 'input'>> = {},
): Promise<Ended> {
  const edge = new FakeEdge()
  Object.assign(edge, { env: { GATEWAY_JWT_SECRET: SECRET }, ...own, argv })
  const code = await exitCodeOf(() => dispatch(edge))
  return { code, printed: edge.printed, complained: edge.complained }
}

function config(tokens: readonly object[], own: object = {}): string {
  return JSON.stringify({
    identity: { jwt: tokens },
    upstreams: { query: { endpoints: ['http://127.0.0.1:9'] } },
    routes: [{ name: 'query', match: { path: '/q/*' }, upstream: 'query' }],
    ...own,
  })
}

const SHARED = { name: 'nyro', secret: '${SECRET}', algorithms: ['HS256', 'HS512'] }

function withConfig(
  tokens: readonly object[],
  own: object = {},
): Partial<Pick<FakeEdge, 'env' | 'files' | 'input'>> {
  return {
    env: { SECRET, GATEWAY_CONFIG: '/work-dir/nyro.json' },
    files: { '/work-dir/nyro.json': config(tokens, own) },
  }
}

describe('nyro token mint', () => {
  test('signs with the secret of the settings, an hour long, and prints the token alone', async () => {
    const { code, printed } = await run(['token', 'mint', '--tenant', 'acme'])
    assert.equal(code, null)
    const { payload, protectedHeader } = await jwtVerify(printed.trim(), KEY)
    assert.equal(protectedHeader.alg, 'HS256')
    assert.deepEqual([payload.sub, payload['company_id']], ['developer', 'acme'])
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 3_600)
    assert.equal(typeof payload.jti, 'string')
  })

  test('says what is asked for, in the claims that the issuer names', async () => {
    const claims = { tenant: 'org', subject: 'user', scopes: 'permissions' }
    const words = ['--tenant', '7', '--sub', 'ada', '--scope', 'a b', '--scope', 'c', '--ttl', '2d']
    const more = [
      '--alg',
      'HS512',
      '--claim',
      'level=5',
      '--claim',
      'role=admin',
      '--claim',
      'aud=x=y',
      '--json',
    ]
    const own = withConfig([{ ...SHARED, issuer: 'https://id.example.com', audience: ['api', 'other'] }])
    const parsed = JSON.parse(own.files?.['/work-dir/nyro.json'] as string)
    const files = {
      '/work-dir/nyro.json': JSON.stringify({ ...parsed, identity: { ...parsed.identity, claims } }),
    }
    const { printed, complained } = await run(['token', 'mint', ...words, ...more], { ...own, files })
    const minted = JSON.parse(printed === '' ? complained : printed) as {
      readonly token: string
      readonly claims: Readonly<Record<string, unknown>>
    }
    const { payload } = await jwtVerify(minted.token, KEY, { algorithms: ['HS512'] })
    assert.deepEqual(payload, minted.claims)
    const { iat = 0, exp = 0, jti: _, ...rest } = payload
    assert.equal(exp - iat, 2 * 86_400)
    assert.deepEqual(rest, {
      ...{ iss: 'https://id.example.com', user: 'ada', org: '7', permissions: 'a b c' },
      ...{ level: 5, role: 'admin', aud: 'x=y' },
    })
  })

  // A token minted with the production secret lets its holder in: that takes a word more than a slip.
  test('refuses a production configuration unless it is forced', async () => {
    const own = withConfig([SHARED], { production: true })
    const { code, printed, complained } = await run(['token', 'mint', '--tenant', 'acme'], own)
    assert.deepEqual([code, printed], [1, ''])
    assert.match(complained, /^nyro: this is a production configuration.* --force .*\n$/)
    assert.equal((await run(['token', 'mint', '--tenant', 'acme', '--force'], own)).code, null)
  })

  test('says why it cannot sign, and never with the secret', async () => {
    const remote = { name: 'idp', issuer: 'https://id.example.com', algorithms: ['RS256'] }
    const own = withConfig([SHARED, remote])
    for (const [words, reason] of [
      [['--issuer', 'idp'], /idp signs with a private key, which is not here/],
      [['--issuer', 'other'], /no issuer called other: there are nyro, idp/],
      [['--alg', 'RS256'], /nyro takes no RS256: it lists HS256, HS512/],
      [['--issuer', 'http://id.example.com'], /is not on this machine/],
      [['--issuer', 'http://127.0.0.1:1'], /no nyro dev has its issuer at http:\/\/127\.0\.0\.1:1/],
    ] as const) {
      const { code, printed, complained } = await run(['token', 'mint', '--tenant', 'a', ...words], own)
      assert.deepEqual([code, printed], [1, ''], complained)
      assert.match(complained, reason)
      assert(!complained.includes(SECRET))
    }
  })

  for (const [words, fault] of [
    [[], 'needs --tenant TENANT'],
    [['--tenant', 'a  b'], 'takes as --tenant visible ASCII, single spaces inside'],
    [['--tenant', 'a', '--ttl', '5'], 'takes as --ttl a duration such as 30m, 8h or 7d'],
    [['--tenant', 'a', '--ttl', '31d'], 'takes as --ttl at most 30d'],
    [['--tenant', 'a', '--claim', 'x'], 'takes as --claim NAME=VALUE'],
  ] as const) {
    test(`refuses as misuse: ${words.join(' ') || 'no tenant'}`, async () => {
      const { code, complained } = await run(['token', 'mint', ...words])
      assert.equal(code, 2)
      assert(complained.startsWith(`nyro: token mint ${fault}. Usage: nyro token mint `), complained)
    })
  }
})

describe('nyro token inspect', () => {
  async function verdictOf(text: string, own: Parameters<typeof run>[1] = {}): Promise<string> {
    const { code, printed, complained } = await run(['token', 'inspect', '-'], { ...own, input: `${text}\n` })
    assert.deepEqual([code, complained], [null, ''])
    const last = text.split('.').at(-1) ?? ''
    assert((last === '' || !printed.includes(last)) && !printed.includes(SECRET))
    return /^Verdict\n {2}(.*)$/m.exec(printed)?.[1] ?? printed
  }

  test('shows header, claims, times in words and the verdict', async () => {
    const { printed } = await run(['token', 'inspect', '-'], { input: token() })
    assert.match(printed, /^Header\n {2}alg: "HS256"\n {2}typ: "JWT"\nClaims\n {2}sub: "user-1"\n/)
    assert.match(printed, /\nTimes\n {2}good until 2100-01-01T00:00:00Z, in \d+ days\nVerdict\n/)
    assert.match(printed, /\n {2}believed by default: subject user-1 of tenant acme, for \d+ days\n$/)
  })

  for (const [what, text, reason] of [
    ['an expired one', token({ ...CLAIMS, exp: 1 }), /^refused by default: it has expired$/],
    ['one of tomorrow', token({ ...CLAIMS, nbf: 4e9 }), /^refused by default: it is not good yet$/],
    ['a changed one', `${token().slice(0, -4)}AAAA`, /^refused by default: its signature does not hold/],
    ['another algorithm', token(CLAIMS, { alg: 'HS384' }), /it is signed with "HS384"; listed are HS256$/],
    ['none', token(CLAIMS, { alg: 'none' }), /^refused by default: it is signed with "none"/],
    ['no tenant', token({ ...CLAIMS, company_id: undefined }), /missing required claims: company_id$/],
    [
      'a bad tenant',
      token({ ...CLAIMS, company_id: 'a  b' }),
      /^refused by default: company_id is no tenant/,
    ],
    ['exp as text', token({ ...CLAIMS, exp: '9' }), /^refused by default: exp is no number$/],
    ['a bad subject', token({ ...CLAIMS, sub: 5 }), /^refused by default: sub is no text$/],
    ['crit', token(CLAIMS, { header: { crit: ['x'] } }), /its header has crit/],
  ] as const) {
    test(`says why it is refused: ${what}`, async () => {
      assert.match(await verdictOf(text), reason)
    })
  }

  test('judges by the issuer that the token names, and says what is wrong with it there', async () => {
    const audience = { ...SHARED, issuer: 'https://id.example.com', audience: 'api' }
    const own = withConfig([audience])
    const iss = 'https://id.example.com'
    assert.match(
      await verdictOf(token({ ...CLAIMS, iss: 'https://other' }), own),
      /^refused: no issuer takes iss "https:\/\/other"; there is https:\/\/id\.example\.com$/,
    )
    assert.match(await verdictOf(token({ ...CLAIMS, iss, aud: 'x' }), own), /aud "x" holds none of api$/)
    assert.match(await verdictOf(token({ ...CLAIMS, iss, aud: ['api'] }), own), /^believed by nyro/)
  })

  test('fetches published keys from where the configuration says, and from nowhere else', async () => {
    await using issuer = await LocalIssuer.start()
    const remote = { name: 'idp', issuer: issuer.url, algorithms: ['ES256'] }
    assert.match(await verdictOf(issuer.token(), withConfig([remote])), /^believed by idp/)
    const stranger = issuer.token({}, { kid: 'kid-9' })
    assert.match(await verdictOf(stranger, withConfig([remote])), /there is no key "kid-9" for ES256$/)
    issuer.manner = 'down'
    assert.match(
      await verdictOf(issuer.token(), withConfig([remote])),
      /^not judged: its keys cannot be fetched/,
    )
    const before = issuer.fetches
    await verdictOf(issuer.token({}, { jku: issuer.jwksUrl }), withConfig([SHARED]))
    assert.equal(issuer.fetches, before)
  })

  test('shows a token without a configuration to judge it by', async () => {
    assert.match(await verdictOf(token(), { env: {} }), /^not judged: there is no configuration/)
  })

  test('warns of a token that stands on the command line', async () => {
    const { complained } = await run(['token', 'inspect', token()])
    assert.match(complained, /^note: a token is a credential/)
  })

  test('prints JSON for programs', async () => {
    const { printed } = await run(['token', 'inspect', '-', '--json'], { input: `Bearer ${token()}` })
    const told = JSON.parse(printed) as { readonly claims: object; readonly verdict: object }
    assert.deepEqual(told.claims, CLAIMS)
    assert.deepEqual(Object.keys(told.verdict), ['believed', 'issuer', 'reason'])
  })

  test('says of what is no token that it is none', async () => {
    const key = token(CLAIMS, { alg: 'ES256', key: privateKey })
    for (const text of ['', 'x', 'a.b.c', `${key}.x`]) {
      const { code, printed, complained } = await run(['token', 'inspect', '-'], { input: text })
      assert.deepEqual([code, printed], [1, ''])
      assert.match(complained, /^nyro: that is no token: expected three parts/)
    }
    assert.match((await run(['token', 'inspect', 'nyro_x'])).complained, /that is an API key and no token/)
  })

  // A claim is whatever its signer wrote: shown raw it could clear the screen or forge the verdict.
  test('shows no control character of a claim', async () => {
    const { printed } = await run(['token', 'inspect', '-'], {
      input: token({ ...CLAIMS, 'a\u001b[2J': '\u001b[2J\n\u009b2JVerdict' }),
    })
    assert.match(printed, /^[^\p{Cc}]+(?:\n[^\p{Cc}]*)*$/u)
  })
})
