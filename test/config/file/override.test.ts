import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadText } from './load-text.ts'

const FILE = `
listen: { host: 10.0.0.1, port: 1 }
admin: { host: 10.0.0.1, port: 2, token: of-the-file }
workers: 9
log: { level: debug }
shutdown: { delay: 1s, timeout: 9s }
upstreams: { a: { endpoints: "http://a" } }
routes: [{ name: a, upstream: a, auth: none }]
`

describe('variables beside a file', () => {
  test('of the listeners, the threads, the log and the end win over it, real ones over .env', async () => {
    const { config, warnings } = await loadText(FILE, {
      env: {
        gateway_host: '::',
        GATEWAY_PORT: '8081',
        GATEWAY_ADMIN_HOST: '127.0.0.1',
        GATEWAY_ADMIN_PORT: '8082',
        GATEWAY_ADMIN_TOKEN: 'of-the-environment',
        GATEWAY_LOG_LEVEL: 'ERROR',
        GATEWAY_SHUTDOWN_DELAY: '2.5',
        GATEWAY_SHUTDOWN_TIMEOUT: '',
      },
      dotenvText: 'GATEWAY_WORKERS=3\nGATEWAY_PORT=7\n',
    })
    assert.ok(config !== null)
    assert.deepEqual([config.listen.host, config.listen.port], ['::', 8081])
    assert.deepEqual(config.admin, { host: '127.0.0.1', port: 8082, token: 'of-the-environment' })
    assert.deepEqual([config.workers, config.log.level], [3, 'error'])
    assert.deepEqual(config.shutdown, { delayMs: 2_500, timeoutMs: 9_000 })
    assert.deepEqual(warnings, [])
  })

  test('of everything else have no effect, which is said unless the file asks for them', async () => {
    const loaded = await loadText(`name: "\${GATEWAY_PROJECT_NAME} and \${GATEWAY_OF_OURS}"${FILE}`, {
      env: {
        GATEWAY_PROJECT_NAME: 'Shop',
        GATEWAY_OF_OURS: 'more',
        GATEWAY_ALLOWED_ORIGINS: 'none',
        GATEWAY_QUERY_SERVICE_URL: 'nonsense',
        GATEWAY_PROT: '1',
        GATEWAY_CONFIG: './nyro.yaml',
        ENVIRONMENT: 'production',
      },
    })
    assert.equal(loaded.config?.name, 'Shop and more')
    assert.deepEqual(loaded.warnings, [
      'GATEWAY_PROT is unknown and ignored; the nearest known name is GATEWAY_PORT.',
      'GATEWAY_ALLOWED_ORIGINS has no effect: with a configuration file, what it sets is set there.',
      'GATEWAY_QUERY_SERVICE_URL has no effect: with a configuration file, what it sets is set there.',
    ])
  })

  test('that are bad are refused with the problems of the file', async () => {
    const loaded = await loadText(`${FILE}docs: maybe`, { env: { GATEWAY_PORT: '80800' } })
    assert.ok(loaded.config === null)
    assert.deepEqual(
      loaded.problems.map((problem) => problem.split(';')[0]),
      ['GATEWAY_PORT is "80800"', 'nyro.yaml:9:7 docs is "maybe"'],
    )
  })

  test('may close what the file leaves open, or open it', async () => {
    const open = FILE.replace(', token: of-the-file', '')
    assert.equal((await loadText(open)).config, null)
    assert.notEqual((await loadText(open, { env: { GATEWAY_ADMIN_HOST: '127.0.0.1' } })).config, null)
    assert.notEqual((await loadText(open, { env: { GATEWAY_ADMIN_TOKEN: 'token' } })).config, null)
    const clash = await loadText(FILE, { env: { GATEWAY_PORT: '2' } })
    assert.ok(
      clash.config === null && clash.problems[0]?.includes('admin.port is the port of the public listener'),
    )
  })

  test('of .env are what references name where the environment has none', async () => {
    const { config } = await loadText(`name: "\${A} \${B}"${FILE}`, {
      env: { A: 'real', B: undefined },
      dotenvText: 'A=file\nB=file',
    })
    assert.equal(config?.name, 'real file')
  })
})
