import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Gateway, type LogLine, startGateway } from '../support/gateway.ts'
import { Origin } from '../support/origin.ts'
import { askOnce, request } from '../support/raw-client.ts'
import { SECRET } from '../support/token.ts'

function yaml(origin: Origin, path: string, more = ''): string {
  return `
name: Reloaded
upstreams: { orders: { endpoints: ["${origin.url}"] } }
routes:
  - { name: orders, match: { path: "${path}" }, upstream: orders, auth: none }
${more}`
}

function write(gateway: Gateway, name: string, text: string): void {
  const path = join(gateway.directory, name)
  writeFileSync(`${path}~`, text)
  renameSync(`${path}~`, path)
}

async function statusOf(gateway: Gateway, path: string): Promise<number> {
  return (await askOnce(gateway.port, request('GET', path))).status
}

function reloaded(gateway: Gateway): Promise<LogLine> {
  return gateway.line('reloaded', ({ event }) => event === 'Config reloaded')
}

describe('a running gateway', () => {
  test('takes up its configuration file when it is changed, and says what is different', async () => {
    await using origin = await Origin.start()
    const files = { 'nyro.yaml': yaml(origin, '/first/*') }
    await using gateway = await startGateway({ GATEWAY_CONFIG: 'nyro.yaml' }, { files })
    assert.equal(await statusOf(gateway, '/first/x'), 200)
    write(gateway, 'nyro.yaml', yaml(origin, '/second/*'))
    const line = await reloaded(gateway)
    assert.equal(line.level, 'info')
    assert.match(JSON.stringify(line), /\/second\/\*/)
    assert.deepEqual([await statusOf(gateway, '/first/x'), await statusOf(gateway, '/second/x')], [404, 200])
  })

  test('leaves everything as it is where the new one is bad, and says all that is wrong', async () => {
    await using origin = await Origin.start()
    const files = { 'nyro.yaml': yaml(origin, '/first/*') }
    await using gateway = await startGateway({ GATEWAY_CONFIG: 'nyro.yaml' }, { files })
    write(gateway, 'nyro.yaml', yaml(origin, '/second/*', 'listen: { port: x }\nnonsense: 1\n'))
    const line = await gateway.line(
      'refused',
      ({ event }) => event?.startsWith('Config not reloaded') === true,
    )
    assert.equal(line.level, 'error')
    assert.match(JSON.stringify(line), /nyro\.yaml:\d+:\d+ .*listen\.port.*nonsense/)
    assert.equal(await statusOf(gateway, '/first/x'), 200)
    write(gateway, 'nyro.yaml', yaml(origin, '/third/*'))
    await reloaded(gateway)
    assert.equal(await statusOf(gateway, '/third/x'), 200)
  })

  test('names what only a restart changes', async () => {
    await using origin = await Origin.start()
    const files = { 'nyro.yaml': yaml(origin, '/first/*') }
    await using gateway = await startGateway({ GATEWAY_CONFIG: 'nyro.yaml' }, { files })
    const token = 'a-token-of-operators-0123456789'
    write(gateway, 'nyro.yaml', yaml(origin, '/second/*', `admin: { token: "${token}" }\n`))
    await reloaded(gateway)
    const waits = await gateway.line('a warning', ({ event }) => event === 'A change waits for a restart')
    assert.equal(waits.level, 'warning')
    assert.match(JSON.stringify(waits), /admin/)
    assert.equal(await statusOf(gateway, '/second/x'), 200)
    assert.equal(
      (await askOnce(gateway.adminPort, request('GET', '/version', [['Host', 'localhost']]))).status,
      200,
    )
    assert.ok(!gateway.output.includes(token))
  })

  test('reads its .env again on SIGHUP where the environment is its configuration', async () => {
    await using origin = await Origin.start()
    const settings = { GATEWAY_JWT_SECRET: SECRET, GATEWAY_INGEST_SERVICE_URL: origin.url }
    await using gateway = await startGateway(settings, { files: { '.env': 'GATEWAY_LOG_LEVEL=info\n' } })
    writeFileSync(join(gateway.directory, '.env'), 'GATEWAY_LOG_LEVEL=debug\n')
    gateway.signal('SIGHUP')
    assert.match(JSON.stringify(await reloaded(gateway)), /log\.level/)
    await statusOf(gateway, '/health')
    await gateway.line('a step of an exchange', ({ event }) => event === 'Request received')
    assert.ok(!gateway.output.includes(SECRET))
  })
})
