import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Config, RouteConfig } from '../../src/config/config.ts'
import type { Asked } from '../../src/explain/asked.ts'
import { explain } from '../../src/explain/explain.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { explanationText } from '../../src/explain/explanation-text.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { NOTHING_KNOWN } from '../../src/worker/thread-identity.ts'
import { routeTo, upstreamOf } from '../support/config-part.ts'
import { CLAIMS, SECRET, token } from '../support/token.ts'
import { planeConfig } from '../worker/open-plane.ts'

const GOOD = token(CLAIMS)

function matching(route: RouteConfig, own: Partial<RouteConfig['match']>): RouteConfig {
  return { ...route, match: { ...route.match, ...own } }
}

const CONFIG: Config = planeConfig('http://10.0.0.1:8000/base', {
  upstreams: [
    upstreamOf('orders', ['http://10.0.0.1:8000/base', 'http://orders.test:8000/base']),
    upstreamOf('canary', 'http://10.0.0.9', { balance: { kind: 'hash', on: 'tenant' } }),
  ],
  routes: [
    routeTo('orders', '/orders/*', 'required'),
    matching(routeTo('orders', '/orders/*', 'required', { name: 'beta' }), {
      headers: [{ name: 'x-beta', value: '1' }],
    }),
    matching(routeTo('orders', '/orders/:id', 'none', { name: 'purge' }), { methods: ['PURGE'] }),
    matching(routeTo('orders', '/orders/*', 'none', { name: 'elsewhere' }), { hosts: ['api.example.com'] }),
    routeTo('orders', '/mixed/*', 'optional', {
      name: 'mixed',
      rewrite: { stripPrefix: '/mixed', addPrefix: '/v1' },
      ending: {
        kind: 'forward',
        upstreams: [
          { name: 'orders', weight: 1 },
          { name: 'canary', weight: 3 },
        ],
      },
    }),
    routeTo('orders', '/old/*', 'none', {
      name: 'old',
      ending: {
        kind: 'redirect',
        status: 308,
        scheme: 'https',
        host: 'new.example.com',
        port: null,
        path: '/new',
      },
    }),
  ],
})

function explained(own: Partial<Asked>, config: Config = CONFIG): Promise<Explanation> {
  const asked = { method: 'GET', url: '/orders/1', fields: [], token: GOOD, from: '192.0.2.7', ...own }
  const live = config.upstreams.map((upstream, slot) => ({ config: upstream, slot, endpoints: null }))
  return explain(asked, { config, live, memory: null, identity: NOTHING_KNOWN, clock: systemClock })
}

describe('explaining a request', () => {
  test('says which route takes it, and why the others do not', async () => {
    const { route } = await explained({ url: 'http://shop.test/orders/1' })
    assert.equal(route.chosen, 'orders')
    const because = new Map(route.others.map((other) => [other.name, other.because]))
    assert.deepEqual(because.get('beta'), ['field x-beta is absent, not 1'])
    assert.deepEqual(because.get('purge'), ['method GET is not among PURGE'])
    assert.deepEqual(because.get('elsewhere'), ['host shop.test is not api.example.com'])
    assert.deepEqual(because.get('old'), ['path /orders/1 does not match /old/*'])
  })

  test('says of one that matches too that it is less specific', async () => {
    const { route } = await explained({ fields: ['X-Beta: 1'] })
    assert.equal(route.chosen, 'beta')
    assert.deepEqual(route.others[0], {
      name: 'orders',
      because: ['it matches too, but beta is more specific'],
    })
  })

  test('gives the verdict of every policy that was asked, and who calls', async () => {
    const { policies, identity, ending } = await explained({})
    assert.deepEqual(
      policies.map(({ policy, verdict }) => `${policy} ${verdict}`),
      ['cors admits', 'jwt admits', 'tenant admits'],
    )
    assert.deepEqual(identity, { subject: CLAIMS.sub, tenant: CLAIMS.company_id })
    assert.deepEqual(ending, { kind: 'forwarded' })
  })

  test('stops at the policy that refuses', async () => {
    const { policies, ending, upstream } = await explained({ token: null })
    assert.deepEqual(policies.at(-1), {
      policy: 'jwt',
      verdict: 'refuses',
      reason: '401 token_missing: Not authenticated',
    })
    assert.ok(ending.kind === 'refused' && ending.status === 401)
    assert.equal(upstream, null)
  })

  test('shows what the upstream gets, with what is stripped and stated, and no credential', async () => {
    const { upstream } = await explained({
      url: '/orders/1?a=%20b',
      fields: [
        'X_Company_ID: forged',
        'Cookie: session=private-cookie',
        'Accept: */*',
        'Connection: X-Hop',
        'X-Hop: 1',
      ],
    })
    assert.equal(upstream?.requestLine, 'GET /base/orders/1?a=%20b HTTP/1.1')
    assert.deepEqual(upstream.stripped, ['X_Company_ID', 'Connection', 'X-Hop'])
    for (const name of ['Host', 'X-Company-ID', 'X-Request-ID', 'X-Forwarded-For', 'Via']) {
      assert.ok(upstream.asserted.includes(name), name)
    }
    assert.ok(upstream.fields.includes('Accept: */*'))
    assert.ok(upstream.fields.includes(`X-Company-ID: ${CLAIMS.company_id}`))
    const everything = JSON.stringify(upstream)
    for (const secret of [GOOD, SECRET, 'private-cookie', 'forged']) assert.ok(!everything.includes(secret))
  })

  test('gives shares and the way of choosing where several upstreams and endpoints are', async () => {
    const { upstream } = await explained({ url: '/mixed/a/b', token: null })
    assert.deepEqual(upstream?.choices, [
      { name: 'orders', share: 25 },
      { name: 'canary', share: 75 },
    ])
    assert.equal(upstream.name, 'canary')
    assert.match(upstream.balance, /^hash: the same tenant/)
    assert.equal(upstream.requestLine, 'GET /v1/a/b HTTP/1.1')
    const many = (await explained({})).upstream
    assert.deepEqual(
      many?.endpoints.map(({ target }) => target),
      ['10.0.0.1:8000', 'orders.test:8000'],
    )
  })

  test('says where a redirect leads', async () => {
    const { ending } = await explained({ url: '/old/x?y=1', token: null })
    assert.deepEqual(ending, {
      kind: 'answered',
      status: 308,
      fields: ['Location: https://new.example.com/new?y=1'],
    })
  })

  test('says what no route is for, what is unsafe and what is no request at all', async () => {
    const codes = await Promise.all(
      [
        { url: '/nowhere' },
        { url: '/orders/1', method: 'TRACE' },
        { url: '/orders/../admin' },
        { url: '/a b' },
        { fields: ['Bad Name: 1'] },
        { fields: ['X: 1\r\n\r\nGET /smuggled HTTP/1.1'] },
      ].map(async (own) => {
        const { ending } = await explained(own)
        return ending.kind === 'refused' ? ending.code : ending.kind
      }),
    )
    assert.deepEqual(codes, [
      'route_unknown',
      'method_not_allowed',
      'path_unsafe',
      'request_malformed',
      'request_malformed',
      'request_malformed',
    ])
  })

  test('reads as text', async () => {
    const text = explanationText(await explained({ url: '/mixed/a', token: null }))
    for (const part of [
      'Route     mixed',
      'Shares    orders 25%, canary 75%',
      'forwarded to canary',
      'GET /v1/a HTTP/1.1',
    ]) {
      assert.ok(text.includes(part), `${part} in ${text}`)
    }
  })
})
