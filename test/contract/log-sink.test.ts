import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { FileGateway, fileConfig } from '../support/file-gateway.ts'
import { freePort } from '../support/free-port.ts'
import { Gateway, type LogLine, startGateway } from '../support/gateway.ts'
import { Origin } from '../support/origin.ts'
import { askOnce, RawClient, request } from '../support/raw-client.ts'
import { enlargeDisk, mountDisk, unmountDisk } from '../support/small-disk.ts'
import { until } from '../support/until.ts'

/** As much as a path may hold, so that few requests fill a disk and then the memory before it. */
const LONG = 'x'.repeat(15_000)

describe('a log file', () => {
  test('has every line, and is another one after a rotation by rename and SIGUSR1', async () => {
    await using origin = await Origin.start()
    await using gateway = await FileGateway.start(origin, { output: { file: 'access.log' } }, 'access.log')
    assert.equal(await gateway.ask('before'), 200)
    await gateway.access('before')
    assert.equal(statSync(gateway.path).mode & 0o777, 0o640)
    renameSync(gateway.path, `${gateway.path}.1`)
    assert.equal(await gateway.ask('between'), 200)
    await until('the line in the old file', () =>
      gateway.lines(`${gateway.path}.1`).some((line) => line.request_id === 'between'),
    )
    gateway.process.signal('SIGUSR1')
    await until('the file to be opened again', () =>
      gateway.lines().some(({ event }) => event === 'Log file opened again'),
    )
    assert.equal(await gateway.ask('after'), 200)
    await gateway.access('after')
    assert.ok(!gateway.lines(`${gateway.path}.1`).some((line) => line.request_id === 'after'))
    assert.equal(gateway.process.output, '')
  })

  test('goes on where it was when it cannot be opened again, and says so', async () => {
    await using origin = await Origin.start()
    const folder = mkdtempSync(join(tmpdir(), 'nyro-log-'))
    const path = join(folder, 'access.log')
    await using gateway = await FileGateway.start(origin, { output: { file: path } }, path)
    const moved = `${folder}-moved`
    renameSync(folder, moved)
    gateway.process.signal('SIGUSR1')
    await until('a line about it', () =>
      gateway
        .lines(join(moved, 'access.log'))
        .some(({ event, level }) => event?.includes('cannot be opened') && level === 'error'),
    )
    assert.equal(await gateway.ask('still'), 200)
    await until('the line in the old file', () =>
      gateway.lines(join(moved, 'access.log')).some((line) => line.request_id === 'still'),
    )
    rmSync(moved, { recursive: true })
  })

  test('that cannot be opened keeps the gateway from starting, with one line', async () => {
    await using origin = await Origin.start()
    await using gateway = new Gateway(
      { GATEWAY_CONFIG: 'nyro.json' },
      fileConfig(origin, { output: { file: 'no/such/folder/access.log' } }),
    )
    assert.equal((await gateway.exited).code, 1)
    assert.match(
      gateway.output,
      /^nyro: cannot write the log file \/.*access\.log \(log\.output\): ENOENT\n$/,
    )
  })

  // /dev/full refuses every byte, as a full disk does.
  test('that takes nothing does not touch traffic, nor the end of the process', async () => {
    await using origin = await Origin.start()
    const port = await freePort()
    const { files: written } = fileConfig(origin, { output: { file: '/dev/full' } })
    await using gateway = new Gateway(
      { GATEWAY_CONFIG: 'nyro.json', GATEWAY_PORT: String(port) },
      { files: written },
    )
    await until(
      'the gateway to listen',
      () => askOnce(port, request('GET', '/orders/1')).catch(() => null),
      30_000,
    )
    using client = await RawClient.connect(port)
    for (let index = 0; index < 600; index++) {
      assert.equal((await client.ask(request('GET', `/orders/${LONG}`))).status, 200)
    }
    assert.deepEqual(await gateway.stop(), { code: 0, signal: null })
  })

  test('on a full disk loses lines, counts them, and has them again when there is room', async (t) => {
    const disk = mountDisk('256k')
    if (disk === null) return t.skip('this user may not mount a small disk')
    t.after(() => {
      unmountDisk(disk)
    })
    await using origin = await Origin.start()
    const path = join(disk, 'access.log')
    await using gateway = await FileGateway.start(origin, { output: { file: path } }, path)
    using client = await RawClient.connect(gateway.port)
    for (let index = 0; index < 600; index++) {
      assert.equal((await client.ask(request('GET', `/orders/${LONG}`))).status, 200)
    }
    assert.ok(statSync(path).size <= 256 * 1024)
    enlargeDisk(disk, '64m')
    assert.equal(await gateway.ask('again'), 200)
    const dropped = await until('lines lost are told', () =>
      gateway.lines().find(({ event }) => event === 'Log lines dropped'),
    )
    assert.ok((dropped.count ?? 0) > 100, String(dropped.count))
    assert.equal(await gateway.ask('at-last'), 200)
    await gateway.access('at-last')
    const written = gateway.lines().filter((line) => line.path === `/orders/${LONG}`).length
    assert.equal(written + (dropped.count ?? 0), 600)
  })
})

test('SIGUSR1 without a log file changes nothing, and opens no debugger', async () => {
  await using origin = await Origin.start()
  await using gateway = await startGateway({ GATEWAY_CONFIG: 'nyro.json' }, fileConfig(origin, {}))
  gateway.signal('SIGUSR1')
  gateway.signal('SIGHUP')
  await gateway.line('signals were taken', ({ event }) => event?.startsWith('Config') === true)
  assert.equal((await askOnce(gateway.port, request('GET', '/orders/1'))).status, 200)
  assert.ok(!/debugger|opened again/i.test(gateway.output), gateway.output)
})

describe('access lines', () => {
  test('have what the config adds and lack what it redacts, debug lines too', async () => {
    await using origin = await Origin.start()
    const log = {
      level: 'debug',
      fields: {
        add: { region: 'eu-1', agent: 'header:User-Agent', absent: 'header:X-Absent' },
        redact: ['client_ip', 'path'],
      },
    }
    await using gateway = await startGateway({ GATEWAY_CONFIG: 'nyro.json' }, fileConfig(origin, log))
    const hostile = '"},{"level":"critical'
    await askOnce(
      gateway.port,
      request('GET', '/orders/private', [
        ['X-Request-ID', 'shaped'],
        ['User-Agent', `${hostile}${'y'.repeat(300)}`],
      ]),
    )
    const line: LogLine & { region?: string; agent?: string } = await gateway.access('shaped')
    assert.equal(line.region, 'eu-1')
    assert.equal(line.agent, `${hostile}${'y'.repeat(256 - hostile.length)}`)
    for (const name of ['client_ip', 'path', 'absent']) assert.ok(!(name in line), name)
    assert.equal(line.status_code, 200)
    const received = await gateway.line('received', ({ event }) => event === 'Request received')
    assert.ok(!('path' in received) && !('client_ip' in received))
    assert.ok(!gateway.output.includes('private'))
  })

  test('of successes are sampled; of failures and of slow exchanges there is always one', async () => {
    await using origin = await Origin.start()
    const log = { sampleSuccesses: '0%', slowerThan: '200ms' }
    await using gateway = await startGateway({ GATEWAY_CONFIG: 'nyro.json' }, fileConfig(origin, log))
    const ask = (id: string, path: string) =>
      askOnce(gateway.port, request('GET', path, [['X-Request-ID', id]]))
    await ask('fine', '/orders/1')
    await ask('failed', '/nowhere')
    const { script } = origin
    origin.script = async (seen, reply) => {
      await new Promise((resolve) => setTimeout(resolve, 250))
      await script(seen, reply)
    }
    await ask('slow', '/orders/2')
    assert.equal((await gateway.access('slow')).slow, true)
    assert.equal((await gateway.access('failed')).slow, undefined)
    assert.ok(!gateway.lines.some((line) => line.request_id === 'fine'))
  })
})
