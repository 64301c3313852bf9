import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { Gateway, runGateway, startGateway } from '../support/gateway.ts'
import { Origin } from '../support/origin.ts'
import { askOnce, request } from '../support/raw-client.ts'
import { ACME } from '../support/stage.ts'
import { SECRET } from '../support/token.ts'
import { until } from '../support/until.ts'

const DEFAULT_SECRET = 'YOUR_DEFAULT_JWT_SECRET_KEY_CHANGE_ME'

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

describe('starting', { concurrency: 2 }, () => {
  test('with bad settings names every one of them, exits 2 and never listens', async () => {
    const { code, output } = await runGateway({
      GATEWAY_JWT_SECRET: SECRET,
      GATEWAY_INGEST_SERVICE_URL: 'not a url',
      GATEWAY_QUERY_SERVICE_URL: 'ftp://query',
      GATEWAY_HTTP_CLIENT_TIMEOUT: 'soon',
      GATEWAY_HTTP_CLIENT_MAX_CONNECTIONS: '-1',
      GATEWAY_JWT_ALGORITHM: 'none',
      GATEWAY_TRUSTED_PROXIES: '10.0.0.0/99',
      GATEWAY_WORKERS: 'two',
      GATEWAY_ADMIN_HOST: '0.0.0.0',
    })
    assert.equal(code, 2, output)
    const names = [
      'INGEST_SERVICE_URL',
      'QUERY_SERVICE_URL',
      'HTTP_CLIENT_TIMEOUT',
      'HTTP_CLIENT_MAX_CONNECTIONS',
      'JWT_ALGORITHM',
      'TRUSTED_PROXIES',
      'WORKERS',
      'ADMIN_TOKEN',
    ]
    for (const name of names) assert.ok(output.includes(`GATEWAY_${name}`), `${name} in ${output}`)
    assert.doesNotMatch(output, /Gateway listening|\n\s+at /)
    assert.ok(!output.includes(SECRET))
  })

  test('without a secret that can be trusted says what to set and exits 2', async () => {
    const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
      type: 'spki',
      format: 'pem',
    })
    const bad: Record<string, string>[] = [
      {},
      { GATEWAY_JWT_SECRET: '' },
      { GATEWAY_JWT_SECRET: DEFAULT_SECRET },
      { GATEWAY_JWT_SECRET: DEFAULT_SECRET, GATEWAY_JWT_ALLOW_WEAK_SECRET: 'true' },
      { GATEWAY_JWT_SECRET: pem as string },
      { GATEWAY_JWT_SECRET: 'x'.repeat(31) },
      { GATEWAY_JWT_SECRET: 'x'.repeat(63), GATEWAY_JWT_ALGORITHM: 'HS512' },
      { GATEWAY_JWT_SECRET: SECRET, GATEWAY_JWT_ALGORITHM: 'RS256' },
    ]
    for (const settings of bad) {
      const { code, output } = await runGateway(settings)
      assert.equal(code, 2, output)
      assert.ok(output.includes('GATEWAY_JWT_SECRET'), output)
      for (const secret of ['x'.repeat(31), SECRET])
        assert.ok(!output.includes(secret), 'no secret in the output')
    }
  })

  test('with a short secret and consent is a warning', async () => {
    await using gateway = await startGateway({
      GATEWAY_JWT_SECRET: 'short',
      GATEWAY_JWT_ALLOW_WEAK_SECRET: 'true',
    })
    await gateway.line(
      'of the short secret',
      (line) => line.level === 'warning' && JSON.stringify(line).includes('GATEWAY_JWT_SECRET'),
    )
    assert.equal((await gateway.stop()).code, 0)
  })

  test('with a secret file that cannot be read is one clear line and exit 1', async () => {
    const { code, output } = await runGateway({ GATEWAY_JWT_SECRET_FILE: '/nowhere/secret' })
    assert.equal(code, 1, output)
    assert.ok(output.includes('/nowhere/secret') && output.includes('GATEWAY_JWT_SECRET_FILE'), output)
    assert.equal(output.trim().split('\n').length, 1, output)
  })

  test('on a port in use is one clear line and exit 1, and the holder is not disturbed', async () => {
    await using holder = await startGateway({ GATEWAY_JWT_SECRET: SECRET, GATEWAY_WORKERS: '2' })
    const settings = { GATEWAY_JWT_SECRET: SECRET, GATEWAY_PORT: String(holder.port), GATEWAY_WORKERS: '2' }
    const { code, output } = await runGateway(settings)
    assert.equal(code, 1, output)
    assert.ok(output.includes(String(holder.port)), output)
    assert.equal(output.trim().split('\n').length, 1, output)
    for (let round = 0; round < 10; round++)
      assert.equal((await askOnce(holder.port, request('GET', '/health'))).status, 200)
    const admin = await runGateway({
      GATEWAY_JWT_SECRET: SECRET,
      GATEWAY_ADMIN_PORT: String(holder.adminPort),
    })
    assert.equal(admin.code, 1, admin.output)
  })

  test('reads .env from the working directory, which the environment overrides; names in any case', async () => {
    await using origin = await Origin.start()
    const env = `# a comment\nGATEWAY_PROJECT_NAME="From File"\ngateway_api_v1_str=/v2\nGATEWAY_JWT_SECRET='${SECRET}'\nGATEWAY_INGEST_SERVICE_URL=http://127.0.0.1:1\n`
    await using gateway = await startGateway(
      { gateway_ingest_service_url: origin.url },
      { files: { '.env': env } },
    )
    const home = await askOnce(gateway.port, request('GET', '/'))
    assert.match(home.text, /From File is running/)
    assert.equal((await askOnce(gateway.port, request('GET', '/v2/ingest/x', [ACME]))).status, 200)
  })

  test('warns of unknown names and ignores what Kubernetes injects', async () => {
    await using gateway = await startGateway({
      GATEWAY_JWT_SECRET: SECRET,
      GATEWAY_INGEST_SERVICE_ULR: 'http://x',
      GATEWAY_HTTP_CLIENT_MAX_KEEPALIAS_CONNECTIONS: '5',
      GATEWAY_SERVICE_HOST: '10.0.0.1',
      GATEWAY_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    })
    const warnings = gateway.lines
      .filter((line) => line.level === 'warning')
      .map((line) => JSON.stringify(line))
    assert.ok(
      warnings.some((event) => event.includes('INGEST_SERVICE_ULR') && event.includes('INGEST_SERVICE_URL')),
    )
    assert.ok(warnings.some((event) => event.includes('KEEPALIAS')))
    assert.ok(!warnings.some((event) => event.includes('GATEWAY_SERVICE_HOST') || event.includes('8080_TCP')))
  })

  test('takes GATEWAY_PORT from Kubernetes for what it is: the default port, with a warning', async () => {
    await using gateway = new Gateway({ GATEWAY_JWT_SECRET: SECRET, GATEWAY_PORT: 'tcp://10.0.0.1:80' })
    // Where something else holds 8080 it says so; either way the value is not an error of the settings.
    const told = () => /"port":8080|:8080|port 8080/.test(gateway.output)
    await until('a word about port 8080', told, 30_000)
    assert.match(gateway.output, /warning[^\n]*GATEWAY_PORT/)
  })

  test('with ADMIN_HOST beyond loopback needs a token, and asks for it', async () => {
    const settings = {
      GATEWAY_JWT_SECRET: SECRET,
      GATEWAY_ADMIN_HOST: '0.0.0.0',
      GATEWAY_ADMIN_TOKEN: 'operator-token-0123456789',
    }
    await using gateway = await startGateway(settings)
    assert.ok(await listens(gateway.adminPort))
    assert.ok(!gateway.output.includes('operator-token'))
  })
})
