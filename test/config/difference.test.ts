import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { Config, RouteConfig, UpstreamConfig } from '../../src/config/config.ts'
import { LOG_DEFAULTS, ownIssuer } from '../../src/config/default.ts'
import { configDifference } from '../../src/config/difference.ts'
import { accepted } from './load-with.ts'

let base: Config
before(async () => {
  const loaded = await accepted({
    GATEWAY_INGEST_SERVICE_URL: 'http://ingest:8000',
    GATEWAY_QUERY_SERVICE_URL: 'http://query:80',
  })
  base = loaded.config
})

function words(after: Config, from: Config = base): readonly string[] {
  return configDifference(from, after).map((difference) => difference.words)
}

function withRoute(name: string, change: Partial<RouteConfig>, from: Config = base): Config {
  return {
    ...from,
    routes: from.routes.map((route) => (route.name === name ? { ...route, ...change } : route)),
  }
}

function withUpstream(name: string, change: Partial<UpstreamConfig>): Config {
  const upstreams = base.upstreams.map((item) => (item.name === name ? { ...item, ...change } : item))
  return { ...base, upstreams }
}

describe('the difference of two configs', () => {
  test('is empty for equals, whatever the order of routes, upstreams, endpoints, methods and members', () => {
    const endpoints = [{ url: 'http://a:1' }, { url: 'http://b:1' }]
    const left = withUpstream('ingest', { endpoints })
    const { name, production, ...others } = left
    const right: Config = {
      ...others,
      routes: left.routes
        .map((route) => ({ ...route, match: { ...route.match, methods: route.match.methods.toReversed() } }))
        .toReversed(),
      upstreams: left.upstreams
        .map((upstream) => ({ ...upstream, endpoints: upstream.endpoints.toReversed() }))
        .toReversed(),
      production,
      name,
    }
    assert.deepEqual(words(right, left), [])
    assert.deepEqual(words(structuredClone(left), left), [])
  })

  test('names routes, upstreams and endpoints that come and go', () => {
    const [first] = base.routes
    assert(first !== undefined)
    const after: Config = {
      ...withUpstream('ingest', { endpoints: [{ url: 'http://other:8000' }] }),
      routes: [first, { ...first, name: 'new' }],
    }
    assert.deepEqual(words(after), [
      'upstream ingest: endpoint http://ingest:8000 removed',
      'upstream ingest: endpoint http://other:8000 added',
      'route query removed',
      'route new added',
    ])
    assert.deepEqual(
      configDifference(base, after).map(({ path }) => path),
      [
        'upstreams.ingest.endpoints.http://ingest:8000',
        'upstreams.ingest.endpoints.http://other:8000',
        'routes.query',
        'routes.new',
      ],
    )
  })

  test('shows durations, sizes and shares as they are written', () => {
    const after = withRoute(
      'query',
      { body: { maxBytes: 64 * 1024 } },
      {
        ...withUpstream('query', {
          connections: { max: 100, idle: 20, idleTimeoutMs: 1_500 },
          timeouts: { connectMs: 120_000, headMs: 7_200_000, idleMs: 90_000, totalMs: 0 },
          retry: { attempts: 2, budget: 0.07, on: ['connect', 503] },
          breaker: { failures: 0.5, windowMs: 10_000, minimum: 20, openMs: 5_000 },
        }),
        cors: { ...base.cors, maxAgeS: 60 },
      },
    )
    assert.deepEqual(words(after), [
      'cors.maxAge 10m → 60s',
      'upstream query: connections.idleTimeout 4s → 1500ms',
      'upstream query: timeouts.connect 10s → 2m',
      'upstream query: timeouts.head 60s → 2h',
      'upstream query: timeouts.idle 60s → 90s',
      'upstream query: timeouts.total off → 0s',
      'upstream query: retry.attempts 1 → 2',
      'upstream query: retry.budget 20% → 7%',
      'upstream query: retry.on 503 added',
      'upstream query: breaker none → failures 50%, window 10s, minimum 20, open 5s',
      'route query: body.max off → 64KiB',
    ])
  })

  test("shows a route's timeout against the upstream's that was in force, and none that is the same", () => {
    assert.deepEqual(words(withRoute('query', { timeouts: { headMs: 5_000 } })), [
      'route query: timeouts.head 60s → 5s',
    ])
    assert.deepEqual(words(base, withRoute('query', { timeouts: { headMs: 5_000 } })), [
      'route query: timeouts.head 5s → 60s',
    ])
    assert.deepEqual(words(withRoute('query', { timeouts: { headMs: 60_000 } })), [])
  })

  test("says an upstream's own timeout once, not again for each route", () => {
    const { timeouts } = base.upstreams[1] as UpstreamConfig // the environment door makes two
    assert.deepEqual(words(withUpstream('query', { timeouts: { ...timeouts, headMs: 1_000 } })), [
      'upstream query: timeouts.head 60s → 1s',
    ])
  })

  test('tells the ending of a route as it is written', () => {
    const canary = withRoute('query', {
      ending: {
        kind: 'forward',
        upstreams: [
          { name: 'query', weight: 90 },
          { name: 'ingest', weight: 10 },
        ],
      },
    })
    const redirect = withRoute('query', {
      ending: { kind: 'redirect', status: 301, scheme: null, host: 'a.example', port: null, path: null },
    })
    const further = withRoute('query', {
      ending: {
        kind: 'forward',
        upstreams: [
          { name: 'query', weight: 80 },
          { name: 'ingest', weight: 20 },
        ],
      },
    })
    assert.deepEqual(words(canary), ['route query: upstream query → query 90, ingest 10'])
    assert.deepEqual(words(further, canary), [
      'route query: upstream.query 90 → 80',
      'route query: upstream.ingest 10 → 20',
    ])
    assert.deepEqual(words(redirect), [
      'route query: upstream query → none',
      'route query: redirect none → status 301, host a.example',
    ])
    assert.deepEqual(words(withUpstream('query', { balance: { kind: 'hash', on: { header: 'x-user' } } })), [
      'upstream query: balance least-loaded → hash on header x-user',
    ])
  })

  for (const [what, change] of [
    ['listen.host', { listen: { host: '127.0.0.1' } }],
    ['listen.port', { listen: { port: 1 } }],
    ['admin.host', { admin: { host: '127.0.0.2' } }],
    ['admin.port', { admin: { port: 1 } }],
    ['admin.token', { admin: { token: 'x' } }],
    ['workers', { workers: 9 }],
  ] as const) {
    test(`says that ${what} needs a restart`, () => {
      const after: Config = {
        ...base,
        ...('workers' in change ? change : {}),
        listen: { ...base.listen, ...('listen' in change ? change.listen : {}) },
        admin: { ...base.admin, ...('admin' in change ? change.admin : {}) },
      }
      const found = configDifference(base, after)
      assert.deepEqual(
        found.map(({ path, needsRestart }) => [path, needsRestart]),
        [[what, true]],
      )
    })
  }

  test('says of nothing else that it needs a restart', () => {
    const after: Config = {
      ...base,
      name: 'Other',
      docs: false,
      log: { ...LOG_DEFAULTS, level: 'debug', access: false },
      listen: { ...base.listen, maxConnections: 5, timeouts: { headMs: 1, bodyMs: 2, idleMs: 3 } },
      shutdown: { delayMs: 1_000, timeoutMs: 2_000 },
      trustedProxies: ['10.0.0.0/8'],
    }
    const found = configDifference(base, after)
    assert.deepEqual(
      found.filter(({ needsRestart }) => needsRestart),
      [],
    )
    assert(found.length >= 9)
    assert(found.some((difference) => difference.words === 'docs on → off'))
  })
})

describe('what may be a secret', () => {
  const SECRET = 'opensesame-and-more'

  test('is named as changed and never shown', () => {
    const changes: readonly (readonly [string, Config])[] = [
      ['admin.token added', { ...base, admin: { ...base.admin, token: SECRET } }],
      [
        'identity.jwt.key changed',
        {
          ...base,
          identity: {
            issuers: [ownIssuer({ key: SECRET, algorithm: 'HS256', clockSkewS: 0 })],
            apiKeys: null,
          },
        },
      ],
      [
        'upstream query: tls none → ca (not shown), certificate (not shown), key (not shown), serverName a',
        withUpstream('query', { tls: { ca: SECRET, certificate: SECRET, key: SECRET, serverName: 'a' } }),
      ],
      [
        'route query: headers.request.set authorization added',
        withRoute('query', {
          headers: {
            request: { set: [{ name: 'authorization', value: SECRET }], add: [], remove: [] },
            response: { set: [], add: [], remove: [] },
          },
        }),
      ],
      [
        'route query: match.headers x-gate added',
        withRoute('query', {
          match: {
            hosts: [],
            path: '/api/v1/query/*',
            methods: base.routes[1]?.match.methods ?? [],
            headers: [{ name: 'x-gate', value: SECRET }],
            query: [],
          },
        }),
      ],
      [
        'route query: policies /etc/sign.ts added',
        withRoute('query', { policies: [{ use: '/etc/sign.ts', with: { secret: SECRET } }] }),
      ],
    ]
    for (const [expected, after] of changes) {
      assert.deepEqual(words(after), [expected])
      assert(!JSON.stringify(configDifference(base, after)).includes(SECRET))
      assert(!JSON.stringify(configDifference(after, base)).includes(SECRET))
    }
  })

  test("is not in the data of the operator's own policies either, changed or moved", () => {
    const one = { use: '/etc/a.ts', with: { secret: SECRET } }
    const two = { use: '/etc/b.ts', with: null }
    const first = withRoute('query', { policies: [one, two] })
    const changed = withRoute('query', { policies: [{ ...one, with: { secret: `${SECRET}2` } }, two] })
    assert.deepEqual(words(changed, first), ['route query: policies /etc/a.ts changed'])
    assert.deepEqual(words(withRoute('query', { policies: [two, one] }), first), [
      'route query: policies asked in another order',
    ])
  })

  test('breaks no line', () => {
    const after = { ...base, name: 'a\nb\u001b[2J' }
    assert.deepEqual(words(after), [`name ${base.name} → a\uFFFDb\uFFFD[2J`])
  })
})
