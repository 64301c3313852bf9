import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { ownIssuer, STORE_DEFAULTS } from '../../src/config/default.ts'
import { configResource, withoutSecrets } from '../../src/control/admin/config-resource.ts'
import { routeTo, upstreamOf } from '../support/config-part.ts'
import { controlConfig } from '../support/control-config.ts'
import { issuerConfig, remoteKeys } from '../support/issuer-config.ts'

const SECRET = 'a-secret-that-nobody-may-see'
const named = [{ name: 'x-a', value: SECRET }]
const changes = { set: named, add: named, remove: ['x-b'] }

/** A secret wherever a config can hold one. */
const CONFIG: Config = {
  ...controlConfig(),
  admin: { host: '0.0.0.0', port: 9901, token: SECRET },
  identity: {
    issuers: [
      ownIssuer({ key: SECRET, algorithm: 'HS256', clockSkewS: 0 }),
      issuerConfig({ name: 'idp', keys: remoteKeys() }),
    ],
    apiKeys: {
      field: 'X-API-Key',
      entries: [{ name: 'ci', tenant: 'acme', hash: SECRET, prefix: 'nyro_00000000' }],
    },
  },
  store: { ...STORE_DEFAULTS, redis: `rediss://user:${SECRET}@cache:6380/2` },
  log: {
    ...controlConfig().log,
    fields: {
      add: [
        { name: 'k', value: SECRET },
        { name: 'h', header: 'x-h' },
      ],
      redact: [],
    },
  },
  tracing: { endpoint: 'http://c/v1/traces', sample: 0.01, headers: named, serviceName: 'edge' },
  upstreams: [
    upstreamOf('a', 'https://10.0.0.1', {
      tls: { ca: 'PEM of a CA', certificate: 'PEM', key: SECRET, serverName: null },
    }),
  ],
  routes: [
    routeTo('a', '/a/*', 'none', {
      match: { hosts: [], path: '/a/*', methods: ['GET'], headers: named, query: named },
      headers: { request: changes, response: changes },
      policies: [
        { use: '/sign.ts', with: { key: SECRET, deep: [{ key: SECRET }] } },
        { use: '/b.ts', with: null },
      ],
    }),
  ],
}

test('the effective config is shown without a secret, and otherwise whole', async () => {
  const { status, body } = await configResource(() => CONFIG).answer('', 'GET')
  assert.equal(status, 200)
  assert.ok(!body.includes(SECRET))
  const shown = JSON.parse(body) as Config
  assert.deepEqual(Object.keys(shown).sort(), Object.keys(CONFIG).sort())
  assert.equal(shown.admin.token, '(secret)')
  assert.deepEqual(shown.identity.issuers[0]?.keys, { kind: 'secret', secret: '(secret)' })
  assert.deepEqual(shown.identity.issuers[1], CONFIG.identity.issuers[1])
  assert.deepEqual(shown.identity.apiKeys?.entries, [
    { name: 'ci', tenant: 'acme', hash: '(secret)', prefix: 'nyro_00000000' },
  ])
  assert.equal(shown.store.redis, 'rediss://(secret)@cache:6380/2')
  assert.deepEqual(shown.tracing?.headers, [{ name: 'x-a', value: '(secret)' }])
  assert.deepEqual(shown.log.fields.add, [
    { name: 'k', value: '(secret)' },
    { name: 'h', header: 'x-h' },
  ])
  assert.equal(shown.upstreams[0]?.tls?.ca, 'PEM of a CA')
  assert.deepEqual(shown.routes[0]?.headers.request.set, [{ name: 'x-a', value: '(secret)' }])
  assert.deepEqual(shown.routes[0]?.policies, [
    { use: '/sign.ts', with: '(secret)' },
    { use: '/b.ts', with: null },
  ])
})

test('where there is no secret, none is made up', () => {
  const open = { ...controlConfig(), store: { ...STORE_DEFAULTS, redis: 'redis://cache:6379' } }
  assert.deepEqual(withoutSecrets(open), open)
})
