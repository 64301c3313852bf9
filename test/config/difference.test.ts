import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { Config, RouteConfig, TenantPlanConfig, UpstreamConfig } from '../../src/config/config.ts'
import { LOG_DEFAULTS, ownIssuer } from '../../src/config/default.ts'
import { configDifference } from '../../src/config/difference.ts'
import type { IssuerConfig } from '../../src/jwt/issuer.ts'
import { issuerConfig, remoteKeys } from '../support/issuer-config.ts'
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

  test('shows issuers, plans and who has which as they are written', () => {
    const issuer = issuerConfig({ name: 'idp', issuer: 'https://id.example.com', keys: remoteKeys() })
    const plan: TenantPlanConfig = { name: 'free', rate: null, quota: null, concurrency: null, weight: 1 }
    const before: Config = {
      ...base,
      identity: { ...base.identity, issuers: [issuer] },
      tenant: {
        ...base.tenant,
        defaultPlan: 'free',
        plans: [plan, { ...plan, name: 'old' }],
        planOfTenant: { acme: 'free', left: 'free' },
      },
    }
    const after: Config = {
      ...before,
      identity: {
        ...base.identity,
        issuers: [
          {
            ...issuer,
            ...{ audience: ['api'], maxLifetimeS: 7_200, clockSkewS: 30 },
            keys: remoteKeys({ refreshMs: 300_000, plainHosts: ['idp'] }),
          },
        ],
      },
      tenant: {
        ...before.tenant,
        plans: [
          {
            ...plan,
            ...{ concurrency: 5, weight: 4 },
            rate: { count: 600, periodMs: 60_000, burst: 20 },
            quota: { limit: 10_000, window: 'day' },
          },
          { ...plan, name: 'pro' },
        ],
        planOfTenant: { acme: 'pro', keyMs: 'free' },
      },
    }
    assert.deepEqual(words(after, before), [
      'issuer idp: audience api added',
      'issuer idp: clockSkew 0s → 30s',
      'issuer idp: maxLifetime off → 2h',
      'issuer idp: keys.refresh 10m → 5m',
      'issuer idp: keys.plainHosts idp added',
      'plan free: rate none → 600/m',
      'plan free: burst none → 20',
      'plan free: quota none → 10000/day',
      'plan free: concurrency none → 5',
      'plan free: weight 1 → 4',
      'plan old removed',
      'plan pro added',
      'tenant.plan.acme free → pro',
      'tenant.plan.left free → none',
      'tenant.plan.keyMs none → free',
    ])
    assert.equal(configDifference(before, after)[5]?.path, 'tenant.plans.free.rate')
  })

  test('shows what a route asks of its callers, and what upstreams take at once, as it is written', () => {
    const route = withRoute('query', {
      require: { scopes: ['a', 'b'], claims: { role: ['admin'] } },
      credentials: [{ kind: 'header' }, { kind: 'cookie', name: 'session' }],
      limit: { per: 'subject', rate: { count: 5, periodMs: 1_000, burst: 10 }, onStoreError: 'local' },
      shadow: ['limit'],
    })
    assert.deepEqual(words(route), [
      'route query: require none → scopes a, b, claims role admin',
      'route query: credentials cookie:session added',
      'route query: limit none → per subject, rate 5/s, burst 10, onStoreError local',
      'route query: shadow limit added',
    ])
    const further = withRoute(
      'query',
      { require: { scopes: ['a'], claims: { role: ['admin', 'editor'] } }, limit: null },
      route,
    )
    assert.deepEqual(words(further, route), [
      'route query: require.scopes b removed',
      'route query: require.claims.role editor added',
      'route query: limit per subject, rate 5/s, burst 10, onStoreError local → none',
    ])
    const upstream = withUpstream('query', {
      admission: { concurrency: 'auto', queue: 50, timeoutMs: 1_000 },
      streams: { max: 10, perTenant: 2, endAtExpiry: true },
    })
    assert.deepEqual(words(upstream), [
      'upstream query: admission none → concurrency auto, queue 50, timeout 1s',
      'upstream query: streams none → max 10, perTenant 2, endAtExpiry on',
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

  const apiKeys = (...names: readonly string[]): Config['identity']['apiKeys'] => ({
    field: 'X-API-Key',
    entries: names.map((name) => ({
      name,
      tenant: 'acme',
      hash: `${SECRET}-${name}`,
      prefix: 'nyro_00000000',
    })),
  })

  test('is named as changed and never shown', () => {
    const changes: readonly (readonly [string, Config])[] = [
      ['admin.token added', { ...base, admin: { ...base.admin, token: SECRET } }],
      [
        'issuer default: secret changed',
        {
          ...base,
          identity: {
            issuers: [ownIssuer({ key: SECRET, algorithm: 'HS256', clockSkewS: 0 })],
            apiKeys: null,
          },
        },
      ],
      ['store.redis added', { ...base, store: { ...base.store, redis: `redis://:${SECRET}@cache` } }],
      [
        'identity.apiKeys none → header X-API-Key, keys ci, cron',
        { ...base, identity: { ...base.identity, apiKeys: apiKeys('ci', 'cron') } },
      ],
      [
        'issuer partner added',
        {
          ...base,
          identity: {
            ...base.identity,
            issuers: [
              ...base.identity.issuers,
              issuerConfig({ name: 'partner', keys: { kind: 'secret', secret: SECRET } }),
            ],
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

  test('in a key that takes the place of another is not shown either', () => {
    const [first] = base.identity.issuers
    assert(first !== undefined)
    const of = (keys: IssuerConfig['keys']): Config => ({
      ...base,
      identity: { ...base.identity, issuers: [{ ...first, keys }] },
    })
    const before = of({ kind: 'secret', secret: SECRET })
    assert.deepEqual(words(of({ kind: 'pem', pem: SECRET }), before), [
      'issuer default: secret removed',
      'issuer default: publicKey added',
    ])
    assert.deepEqual(words(of(remoteKeys()), before), [
      'issuer default: secret removed',
      'issuer default: jwks none → https://id.example.com/jwks',
      'issuer default: keys none → refresh 10m, cooldown 30s, maxStale 24h, plainHosts none',
    ])
    const keys = { ...base, identity: { ...base.identity, apiKeys: apiKeys('ci', 'cron') } }
    const other = { ...base, identity: { ...base.identity, apiKeys: apiKeys('ci', 'new') } }
    assert.deepEqual(words(other, keys), [
      'identity.apiKeys.keys cron removed',
      'identity.apiKeys.keys new added',
    ])
    for (const difference of [configDifference(keys, other), configDifference(other, base)])
      assert(!JSON.stringify(difference).includes(SECRET))
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
