import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LOG_DEFAULTS, ownIssuer, STORE_DEFAULTS, TENANT_DEFAULTS } from '../../src/config/default.ts'
import { accepted, refused, STRONG_SECRET } from './load-with.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']

const NO_CHANGES = { set: [], add: [], remove: [] }

const route = (name: string, path: string, auth: string) => ({
  name,
  match: { hosts: [], path, methods: METHODS, headers: [], query: [] },
  ending: { kind: 'forward', upstreams: [{ name, weight: 1 }] },
  auth,
  rewrite: null,
  headers: { request: NO_CHANGES, response: NO_CHANGES },
  timeouts: {},
  body: { maxBytes: null },
  policies: [],
  require: null,
  credentials: [{ kind: 'header' }],
  limit: null,
  shadow: [],
})

describe('the config that the environment alone yields', () => {
  test('is complete with nothing but a secret set', async () => {
    const { config, warnings } = await accepted({})
    const upstream = (name: string, url: string) => ({
      name,
      endpoints: [{ url }],
      balance: { kind: 'least-loaded' },
      connections: { max: 100, idle: 20, idleTimeoutMs: 4000 },
      timeouts: { connectMs: 10_000, headMs: 60_000, idleMs: 60_000, totalMs: null },
      retry: { attempts: 1, budget: 0.2, on: ['connect'] },
      breaker: null,
      health: null,
      slowStartMs: 0,
      tls: null,
      admission: null,
      streams: null,
      hostHeader: 'upstream',
    })
    assert.deepEqual(config, {
      name: 'Nyro API Gateway',
      production: false,
      listen: {
        host: '0.0.0.0',
        port: 8080,
        timeouts: { headMs: 10_000, bodyMs: 60_000, idleMs: 75_000 },
        maxConnections: 10_000,
      },
      admin: { host: '127.0.0.1', port: 9901, token: null },
      workers: 3,
      log: { ...LOG_DEFAULTS, level: 'info' },
      tracing: null,
      trustedProxies: [],
      cors: { origins: '*', maxAgeS: 600 },
      shutdown: { delayMs: 0, timeoutMs: 30_000 },
      docs: true,
      identity: {
        issuers: [ownIssuer({ key: STRONG_SECRET, algorithm: 'HS256', clockSkewS: 0 })],
        apiKeys: null,
      },
      tenant: TENANT_DEFAULTS,
      store: STORE_DEFAULTS,
      upstreams: [
        upstream('ingest', 'http://ingest-api-service.nyro-develop.svc.cluster.local'),
        upstream('query', 'http://query-service.nyro-develop.svc.cluster.local'),
      ],
      routes: [
        route('ingest', '/api/v1/ingest/*', 'required'),
        route('query', '/api/v1/query/*', 'required'),
      ],
    })
    assert.deepEqual(warnings, [])
  })

  test('is plain data that a thread can be given', async () => {
    const { config } = await accepted({ GATEWAY_AUTH_SERVICE_URL: 'http://auth' })
    assert.deepEqual(structuredClone(config), config)
  })

  test('proxies /api/auth without a token once AUTH_SERVICE_URL is set, whatever API_V1_STR says', async () => {
    const { config } = await accepted({
      GATEWAY_AUTH_SERVICE_URL: 'https://auth:8443/base/',
      GATEWAY_API_V1_STR: '/v9',
    })
    assert.equal(config.upstreams[2]?.name, 'auth')
    assert.equal(config.upstreams[2]?.endpoints[0]?.url, 'https://auth:8443/base')
    assert.deepEqual(config.routes[2], route('auth', '/api/auth/*', 'none'))
    assert.deepEqual(
      config.routes.slice(0, 2).map(({ match }) => match.path),
      ['/v9/ingest/*', '/v9/query/*'],
    )
  })

  test('maps every other setting to its place', async () => {
    const { config, warnings } = await accepted({
      GATEWAY_PROJECT_NAME: 'Acme',
      GATEWAY_LOG_LEVEL: 'warning',
      GATEWAY_HTTP_CLIENT_TIMEOUT: '2.5',
      GATEWAY_HTTP_CLIENT_CONNECT_TIMEOUT: '0.25',
      GATEWAY_HTTP_CLIENT_MAX_CONNECTIONS: '7',
      GATEWAY_HTTP_CLIENT_MAX_KEEPALIVE_CONNECTIONS: '3',
      GATEWAY_HOST: '::',
      GATEWAY_PORT: '0',
      GATEWAY_ADMIN_HOST: '10.0.0.1',
      GATEWAY_ADMIN_PORT: '0',
      GATEWAY_ADMIN_TOKEN: 'tok',
      GATEWAY_WORKERS: '5',
      GATEWAY_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      GATEWAY_SHUTDOWN_DELAY: '2',
      GATEWAY_SHUTDOWN_TIMEOUT: '20',
      GATEWAY_ALLOWED_ORIGINS: 'https://a.example',
    })
    assert.equal(config.name, 'Acme')
    assert.equal(config.log.level, 'warning')
    for (const { connections, timeouts } of config.upstreams) {
      assert.deepEqual(timeouts, { connectMs: 250, headMs: 2500, idleMs: 2500, totalMs: null })
      assert.deepEqual(connections, { max: 7, idle: 3, idleTimeoutMs: 4000 })
    }
    assert.equal(config.listen.host, '::')
    assert.equal(config.listen.port, 0)
    assert.equal(config.listen.timeouts.bodyMs, 2500)
    assert.deepEqual(config.admin, { host: '10.0.0.1', port: 0, token: 'tok' })
    assert.equal(config.workers, 5)
    assert.deepEqual(config.trustedProxies, ['10.0.0.0/8', '::1'])
    assert.deepEqual(config.shutdown, { delayMs: 2000, timeoutMs: 20_000 })
    assert.deepEqual(config.cors.origins, ['https://a.example'])
    assert.deepEqual(warnings, [])
  })
})

describe('production', () => {
  const cases: readonly [string, Record<string, string>, string | null, boolean][] = [
    ['with the prefix', { GATEWAY_ENVIRONMENT: 'production' }, null, true],
    ['without it, as the original read it', { ENVIRONMENT: 'production' }, null, true],
    ['if either says so', { GATEWAY_ENVIRONMENT: 'production', ENVIRONMENT: 'development' }, null, true],
    ['if the other says so', { GATEWAY_ENVIRONMENT: 'development', ENVIRONMENT: 'production' }, null, true],
    ['in any letter case', { gateway_environment: 'PRODUCTION' }, null, true],
    ['from .env', {}, 'ENVIRONMENT=production', true],
    [
      'not when a real variable overrides the file',
      { ENVIRONMENT: 'staging' },
      'ENVIRONMENT=production',
      false,
    ],
    ['not by default', {}, null, false],
    ['not when empty', { ENVIRONMENT: '', GATEWAY_ENVIRONMENT: '' }, null, false],
  ]
  for (const [title, variables, dotenvText, production] of cases) {
    test(`is meant ${title}`, async () => {
      const { config, warnings } = await accepted(variables, dotenvText)
      assert.equal(config.production, production)
      assert.deepEqual(config.cors.origins, production ? [] : '*')
      assert.deepEqual(warnings, [])
    })
  }

  test('keeps the origins that are listed', async () => {
    const { config } = await accepted({ ENVIRONMENT: 'production', GATEWAY_ALLOWED_ORIGINS: '*' })
    assert.equal(config.cors.origins, '*')
  })

  for (const name of ['ENVIRONMENT', 'GATEWAY_ENVIRONMENT']) {
    test(`misspelt in ${name} is warned about, since it quietly loosens defaults`, async () => {
      const { config, warnings } = await accepted({ [name]: 'prod' })
      assert.equal(config.production, false)
      assert.equal(warnings.length, 1)
      assert.match(warnings[0] ?? '', new RegExp(`^${name} is "prod"\\. Only \`production\``))
    })
  }
})

describe('rules between settings', () => {
  const loopbacks = ['127.0.0.1', '127.9.9.9', '::1', '0:0:0:0:0:0:0:1', 'localhost', 'LOCALHOST']
  for (const host of loopbacks) {
    test(`an operator listener on ${host} needs no token`, async () => {
      assert.equal((await accepted({ GATEWAY_ADMIN_HOST: host })).config.admin.token, null)
    })
  }

  for (const host of [
    '0.0.0.0',
    '::',
    '10.1.2.3',
    'fe80::1',
    'admin.internal',
    '128.0.0.1',
    'localhost.evil.test',
  ]) {
    test(`an operator listener on ${host} needs a token`, async () => {
      const { problems, exitCode } = await refused({ GATEWAY_ADMIN_HOST: host, GATEWAY_ADMIN_TOKEN: ' ' })
      assert.equal(exitCode, 2)
      assert.deepEqual(problems, [
        `GATEWAY_ADMIN_TOKEN is not set while GATEWAY_ADMIN_HOST is ${host}; expected a token where others can reach ` +
          'the operator listener. Set it, or leave GATEWAY_ADMIN_HOST at 127.0.0.1.',
      ])
      const { config } = await accepted({ GATEWAY_ADMIN_HOST: host, GATEWAY_ADMIN_TOKEN: 'token' })
      assert.equal(config.admin.token, 'token')
    })
  }

  const colliding: readonly [string, string][] = [
    ['0.0.0.0', '127.0.0.1'],
    ['::', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', '127.0.0.1'],
  ]
  for (const [host, adminHost] of colliding) {
    test(`listeners on ${host} and ${adminHost} cannot share a port`, async () => {
      const { problems } = await refused({
        GATEWAY_HOST: host,
        GATEWAY_ADMIN_HOST: adminHost,
        GATEWAY_PORT: '9000',
        GATEWAY_ADMIN_PORT: '9000',
      })
      assert.deepEqual(problems, [
        'GATEWAY_ADMIN_PORT is 9000, like GATEWAY_PORT; expected a port of its own for the operator listener. ' +
          'Change one of the two.',
      ])
    })
  }

  test('listeners on two addresses, or on free ports, do not collide', async () => {
    await accepted({ GATEWAY_HOST: '10.0.0.1', GATEWAY_PORT: '9000', GATEWAY_ADMIN_PORT: '9000' })
    await accepted({ GATEWAY_PORT: '0', GATEWAY_ADMIN_PORT: '0' })
  })

  for (const [delay, timeout] of [
    ['30', '30'],
    ['5', '0'],
    ['31', '30'],
  ] as const) {
    test(`a shutdown delay of ${delay} with a timeout of ${timeout} is warned about`, async () => {
      const { warnings } = await accepted({
        GATEWAY_SHUTDOWN_DELAY: delay,
        GATEWAY_SHUTDOWN_TIMEOUT: timeout,
      })
      assert.equal(warnings.length, 1)
      assert.match(warnings[0] ?? '', /^GATEWAY_SHUTDOWN_DELAY is not shorter than GATEWAY_SHUTDOWN_TIMEOUT/)
    })
  }

  test('no shutdown time at all is a choice', async () => {
    const { warnings } = await accepted({ GATEWAY_SHUTDOWN_DELAY: '0', GATEWAY_SHUTDOWN_TIMEOUT: '0' })
    assert.deepEqual(warnings, [])
  })
})

describe('bad settings', () => {
  test('are all reported at once, in the order of the table, with the warnings beside them', async () => {
    const { problems, warnings, exitCode } = await refused({
      GATEWAY_PORT: '80800',
      GATEWAY_WORKERS: 'many',
      GATEWAY_INGEST_SERVICE_URL: 'ftp://ingest',
      GATEWAY_JWT_SECRET: undefined,
      GATEWAY_JWT_SECRT: 'x',
    })
    assert.equal(exitCode, 2)
    assert.deepEqual(
      problems.map((problem) => problem.split(' ')[0]),
      ['GATEWAY_INGEST_SERVICE_URL', 'GATEWAY_PORT', 'GATEWAY_WORKERS', 'GATEWAY_JWT_SECRET'],
    )
    assert.equal(warnings.length, 1)
  })

  test('bring no further problems of settings that depend on them', async () => {
    const { problems } = await refused({
      GATEWAY_JWT_ALGORITHM: 'HS25',
      GATEWAY_JWT_SECRET: 'short',
      GATEWAY_ADMIN_HOST: 'not a host',
      GATEWAY_ADMIN_TOKEN: 'not a token',
      GATEWAY_ADMIN_PORT: '-1',
      GATEWAY_PORT: '9901',
    })
    assert.deepEqual(
      problems.map((problem) => problem.split(' ')[0]),
      ['GATEWAY_JWT_ALGORITHM', 'GATEWAY_ADMIN_HOST', 'GATEWAY_ADMIN_PORT', 'GATEWAY_ADMIN_TOKEN'],
    )
  })

  test('from .env say so', async () => {
    const { problems } = await refused({}, 'GATEWAY_PORT=http')
    assert.deepEqual(problems, [
      'GATEWAY_PORT is "http" (in .env); expected a port from 0 to 65535 (0 takes a free one). ' +
        'Correct it, or remove it for the default (8080).',
    ])
  })

  test('are shown bounded, on one line, without control characters', async () => {
    const { problems } = await refused({ GATEWAY_PORT: `1\n2\u001b[31m${'9'.repeat(1000)}` })
    assert.match(problems[0] ?? '', /^GATEWAY_PORT is "1\uFFFD2\uFFFD\[31m9{112}…";/)
  })
})
