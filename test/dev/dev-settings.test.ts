import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { devSettings } from '../../src/dev/dev-settings.ts'

const SECRET = 'made-up-for-this-run'

describe('the settings of dev', () => {
  test('are a loopback gateway with every demo service and the secret made up for the run', () => {
    const { env, demos, hasOwnSecret } = devSettings({}, null, SECRET)
    assert.equal(env['GATEWAY_HOST'], '127.0.0.1')
    assert.equal(env['GATEWAY_WORKERS'], '2')
    assert.equal(env['GATEWAY_SHUTDOWN_TIMEOUT'], '2')
    assert.equal(env['GATEWAY_JWT_SECRET'], SECRET)
    assert.equal(env['GATEWAY_PORT'], undefined)
    assert.deepEqual(demos, ['ingest', 'query', 'auth'])
    assert.equal(hasOwnSecret, false)
  })

  test('give way to the environment, in any case of its names', () => {
    const own = {
      gateway_host: '0.0.0.0',
      GATEWAY_WORKERS: '1',
      Gateway_Query_Service_Url: 'http://localhost:9',
    }
    const { env, demos } = devSettings(own, null, SECRET)
    assert.equal(env['GATEWAY_HOST'], undefined)
    assert.equal(env['gateway_host'], '0.0.0.0')
    assert.equal(env['GATEWAY_WORKERS'], '1')
    assert.equal(env['GATEWAY_QUERY_SERVICE_URL'], undefined)
    assert.deepEqual(demos, ['ingest', 'auth'])
  })

  test('give way to .env', () => {
    const dotenv = 'GATEWAY_AUTH_SERVICE_URL=http://localhost:9\nGATEWAY_JWT_SECRET=own\n'
    const { env, demos, hasOwnSecret } = devSettings({}, dotenv, SECRET)
    assert.equal(env['GATEWAY_AUTH_SERVICE_URL'], undefined)
    assert.equal(env['GATEWAY_JWT_SECRET'], undefined)
    assert.equal(hasOwnSecret, true)
    assert.deepEqual(demos, ['ingest', 'query'])
  })

  test('take an empty variable for an unset one', () => {
    const { env, demos } = devSettings(
      { GATEWAY_INGEST_SERVICE_URL: '', GATEWAY_JWT_SECRET: ' ' },
      null,
      SECRET,
    )
    assert.equal(env['GATEWAY_JWT_SECRET'], SECRET)
    assert.deepEqual(demos, ['ingest', 'query', 'auth'])
  })

  for (const own of [
    { GATEWAY_JWT_SECRET_FILE: '/run/secrets/jwt' },
    { GATEWAY_JWT_ALGORITHM: 'RS256' },
    { GATEWAY_JWT_ALGORITHM: 'EdDSA' },
  ]) {
    test(`make up no secret beside ${Object.entries(own).join()}`, () => {
      assert.equal(devSettings(own, null, SECRET).env['GATEWAY_JWT_SECRET'], undefined)
    })
  }

  test('leave the variables of the process as they are', () => {
    const own = { GATEWAY_PORT: '8081', PATH: '/bin' }
    const { env } = devSettings(own, null, SECRET)
    assert.equal(env['GATEWAY_PORT'], '8081')
    assert.equal(env['PATH'], '/bin')
    assert.deepEqual(own, { GATEWAY_PORT: '8081', PATH: '/bin' })
  })
})
