import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ownKeyOf } from '../support/config-part.ts'
import { accepted } from './load-with.ts'

describe('variable names', () => {
  test('count in any letter case', async () => {
    const { config, warnings } = await accepted({ gateway_port: '81', Gateway_Workers: '2' })
    assert.equal(config.listen.port, 81)
    assert.equal(config.workers, 2)
    assert.deepEqual(warnings, [])
  })

  for (const variables of [
    { gateway_port: '81', GATEWAY_PORT: '82' },
    { GATEWAY_PORT: '82', gateway_port: '81' },
  ]) {
    test(`as documented win over other spellings: ${Object.keys(variables).join(', ')}`, async () => {
      const { config, warnings } = await accepted(variables)
      assert.equal(config.listen.port, 82)
      assert.deepEqual(warnings, ['gateway_port is ignored: GATEWAY_PORT sets the same.'])
    })
  }

  test('that are unknown are ignored with a warning that names the nearest, never the value', async () => {
    const { warnings } = await accepted({
      GATEWAY_JWT_SECRT: 'value-1',
      GATEWAY_HTTP_CLIENT_MAX_CONECTIONS: 'value-2',
      gateway_log_lvl: 'value-3',
    })
    assert.deepEqual(warnings, [
      'GATEWAY_JWT_SECRT is unknown and ignored; the nearest known name is GATEWAY_JWT_SECRET.',
      'GATEWAY_HTTP_CLIENT_MAX_CONECTIONS is unknown and ignored; ' +
        'the nearest known name is GATEWAY_HTTP_CLIENT_MAX_CONNECTIONS.',
      'gateway_log_lvl is unknown and ignored; the nearest known name is GATEWAY_LOG_LEVEL.',
    ])
  })

  test('that are unknown are noticed in .env too', async () => {
    const { warnings } = await accepted({}, 'GATEWAY_WORKER=2')
    assert.deepEqual(warnings, [
      'GATEWAY_WORKER is unknown and ignored; the nearest known name is GATEWAY_WORKERS.',
    ])
  })

  test('that every object inherits are unknown like others', async () => {
    const { warnings } = await accepted({
      GATEWAY_CONSTRUCTOR: '1',
      GATEWAY___PROTO__: '1',
      gateway_toString: '1',
    })
    assert.equal(warnings.length, 3)
    for (const warning of warnings) assert.match(warning, /is unknown and ignored/)
  })

  test('of others are none of our business', async () => {
    const { config, warnings } = await accepted({
      PORT: '1',
      HOST: 'x',
      GATEWAYPORT: '2',
      MY_GATEWAY_PORT: '3',
    })
    assert.equal(config.listen.port, 8080)
    assert.deepEqual(warnings, [])
  })

  test('with the misspelling of the original still work, with a warning', async () => {
    const { config, warnings } = await accepted({ GATEWAY_HTTP_CLIENT_MAX_KEEPALIAS_CONNECTIONS: '9' })
    assert.equal(config.upstreams[0]?.connections.idle, 9)
    assert.deepEqual(warnings, [
      'GATEWAY_HTTP_CLIENT_MAX_KEEPALIAS_CONNECTIONS is a former spelling; ' +
        'write GATEWAY_HTTP_CLIENT_MAX_KEEPALIVE_CONNECTIONS.',
    ])
  })

  test('spelt right win over the misspelling of the original', async () => {
    const { config, warnings } = await accepted({
      GATEWAY_HTTP_CLIENT_MAX_KEEPALIAS_CONNECTIONS: '9',
      GATEWAY_HTTP_CLIENT_MAX_KEEPALIVE_CONNECTIONS: '8',
    })
    assert.equal(config.upstreams[0]?.connections.idle, 8)
    assert.equal(warnings.length, 2)
  })
})

describe('variables that Kubernetes injects for a Service called gateway', () => {
  const injected = {
    GATEWAY_SERVICE_HOST: '10.0.0.5',
    GATEWAY_SERVICE_PORT: '80',
    GATEWAY_SERVICE_PORT_HTTP: '80',
    GATEWAY_PORT_80_TCP: 'tcp://10.0.0.5:80',
    GATEWAY_PORT_80_TCP_PROTO: 'tcp',
    GATEWAY_PORT_80_TCP_PORT: '80',
    GATEWAY_PORT_80_TCP_ADDR: '10.0.0.5',
  }

  test('are ignored in silence where they cannot be meant', async () => {
    const { config, warnings } = await accepted(injected)
    assert.equal(config.listen.port, 8080)
    assert.deepEqual(warnings, [])
  })

  for (const name of ['GATEWAY_PORT', 'GATEWAY_ADMIN_PORT']) {
    test(`are ignored with a warning as ${name}, which then has its default`, async () => {
      const { config, warnings } = await accepted({ ...injected, [name]: 'tcp://10.0.0.5:80' })
      assert.equal(config.listen.port, 8080)
      assert.equal(config.admin.port, 9901)
      assert.deepEqual(warnings, [
        `${name} is ignored: it holds an address, as Kubernetes injects it for a Service of that name.`,
      ])
    })
  }

  test('do not hide a port set in .env', async () => {
    const { config } = await accepted({ GATEWAY_PORT: 'tcp://10.0.0.5:80' }, 'GATEWAY_PORT=8181')
    assert.equal(config.listen.port, 8181)
  })
})

describe('a .env file', () => {
  test('is read in the syntax of util.parseEnv', async () => {
    const text =
      '# settings\nexport GATEWAY_PORT=81 # a remark\r\nGATEWAY_PROJECT_NAME="Acme # 1"\r\ngateway_workers = 2\nnonsense\n'
    const { config, warnings } = await accepted({}, text)
    assert.equal(config.listen.port, 81)
    assert.equal(config.name, 'Acme # 1')
    assert.equal(config.workers, 2)
    assert.deepEqual(warnings, [])
  })

  test('may begin with a byte-order mark', async () => {
    assert.equal((await accepted({}, '\uFEFFGATEWAY_PORT=81')).config.listen.port, 81)
  })

  test('gives way to real variables, in whatever letter case either is written', async () => {
    const { config, warnings } = await accepted({ gateway_port: '82' }, 'GATEWAY_PORT=81\nGATEWAY_WORKERS=2')
    assert.equal(config.listen.port, 82)
    assert.equal(config.workers, 2)
    assert.deepEqual(warnings, [])
  })

  test('gives way to an empty real variable, which stands for the default', async () => {
    assert.equal((await accepted({ GATEWAY_PORT: '' }, 'GATEWAY_PORT=81')).config.listen.port, 8080)
  })

  test('gives the secret', async () => {
    const key = 'k'.repeat(32)
    const { config } = await accepted({ GATEWAY_JWT_SECRET: undefined }, `GATEWAY_JWT_SECRET='${key}'`)
    assert.equal(ownKeyOf(config), key)
  })
})

describe('an empty variable', () => {
  const names = [
    'PROJECT_NAME',
    'API_V1_STR',
    'INGEST_SERVICE_URL',
    'AUTH_SERVICE_URL',
    'JWT_SECRET_FILE',
    'JWT_ALGORITHM',
    'JWT_ALLOW_WEAK_SECRET',
    'LOG_LEVEL',
    'HTTP_CLIENT_TIMEOUT',
    'ALLOWED_ORIGINS',
    'HOST',
    'PORT',
    'ADMIN_TOKEN',
    'WORKERS',
    'TRUSTED_PROXIES',
    'CONFIG',
  ]
  for (const text of ['', '  ']) {
    test(`counts as unset: ${JSON.stringify(text)}`, async () => {
      const variables = Object.fromEntries(names.map((name) => [`GATEWAY_${name}`, text]))
      assert.deepEqual(await accepted(variables), await accepted({}))
    })
  }
})
