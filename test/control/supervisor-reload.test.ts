import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { LOG_DEFAULTS, ownIssuer } from '../../src/config/default.ts'
import { configDifference } from '../../src/config/difference.ts'
import type { Loaded } from '../../src/config/loaded.ts'
import type { SupervisorParts } from '../../src/control/supervisor.ts'
import { routeTo, upstreamOf } from '../support/config-part.ts'
import { controlConfig } from '../support/control-config.ts'
import { ControlStage } from '../support/control-stage.ts'
import { until, within } from '../support/until.ts'

const SECRET = 'the-secret-of-all-tokens-32-bytes'

function good(config: Config): Loaded {
  return { config, warnings: [], files: [] }
}

/** A started supervisor whose next load gives what the test says. */
async function started(t: TestContext, workers = 2, parts: Partial<SupervisorParts> = {}) {
  const first = controlConfig({ workers, timeoutMs: 1_000 })
  const written = { now: good(first) as Loaded | Promise<Loaded> }
  const stage = new ControlStage(t, { workers }, parts, {
    load: async () => written.now,
    differ: configDifference,
    files: [],
    sinceMs: 0,
  })
  await stage.supervisor.start()
  const reload = async (own: Partial<Config>) => {
    written.now = good({ ...first, ...own })
    return stage.supervisor.reload('signal')
  }
  const post = async () => {
    const response = await fetch(`http://127.0.0.1:${stage.adminPort}/config/reload`, { method: 'POST' })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const page = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${stage.adminPort}${path}`)
    return response.text()
  }
  /** What each data thread has in force. */
  const inForce = async (): Promise<readonly string[]> => {
    const rows = new Map<string, string>()
    await until('an answer of every thread', async () => {
      const connection = await stage.connect().catch(() => null)
      if (connection === null) return false
      const [row = '', config = ''] = ((await connection.line('config')) ?? '').trimEnd().split(' ')
      rows.set(row, config)
      connection.end()
      return rows.size === workers
    })
    return [...rows.values()]
  }
  return { stage, first, written, reload, post, page, inForce }
}

const ROUTES = Array.from({ length: 250 }, (_, index) => routeTo('ingest', `/${index}/*`, 'none'))

test('a new config is in force in every thread, all of its routes with it', async (t) => {
  const { stage, reload, inForce } = await started(t)
  const outcome = await reload({ name: 'second', routes: ROUTES })
  assert.equal(outcome.kind, 'applied')
  assert.deepEqual(await inForce(), ['second/250', 'second/250'])
  assert.equal((await stage.event('Config reloaded'))['cause'], 'signal')
})

test('a thread that dies afterwards is replaced by one with the new config', async (t) => {
  const { stage, reload, inForce } = await started(t, 1)
  await reload({ name: 'second', routes: ROUTES })
  await stage.ask('throw broken')
  await stage.event('Data thread replaced')
  assert.deepEqual(await inForce(), ['second/250'])
})

test('if one thread cannot, none does', async (t) => {
  const { stage, reload, inForce } = await started(t)
  const outcome = await reload({ name: 'cannot', routes: ROUTES })
  assert.deepEqual(outcome, { kind: 'refused', problems: ['the fixture cannot'] })
  assert.deepEqual(await inForce(), ['test/0', 'test/0'])
  assert.equal(stage.events('Config not reloaded, the last good one serves on')[0]?.['level'], 'error')
  assert.equal((await reload({ name: 'third', routes: ROUTES })).kind, 'applied')
  assert.deepEqual(await inForce(), ['third/250', 'third/250'])
})

test('a thread that dies while it prepares delays nothing, and its replacement has the right config', async (t) => {
  const { stage, reload, inForce } = await started(t, 1)
  const outcome = reload({ name: 'stuck', routes: ROUTES })
  await until('the preparation', async () => (await stage.ask('heard')).includes('routes'))
  await stage.ask('throw broken')
  assert.equal((await within('the reload', outcome)).kind, 'applied')
  await stage.event('Data thread replaced')
  assert.deepEqual(await inForce(), ['stuck/250'])
})

test('POST /config/reload answers with the difference, with all problems, or that nothing changed', async (t) => {
  const { first, written, post } = await started(t, 1)
  written.now = good({ ...first, name: 'second', shutdown: { delayMs: 0, timeoutMs: 2_000 } })
  const applied = await post()
  assert.equal(applied.status, 200)
  assert.equal(applied.body['changed'], true)
  assert.equal((applied.body['changes'] as unknown[]).length, 2)
  assert.deepEqual(await post(), { status: 200, body: { changed: false, changes: [] } })
  written.now = { config: null, problems: ['one', 'two'], exitCode: 2, warnings: [], files: [] }
  const refused = await post()
  assert.equal(refused.status, 422)
  assert.deepEqual(refused.body['problems'], ['one', 'two'])
})

test('while the gateway drains nothing is reloaded', async (t) => {
  const { stage, written, first, post } = await started(t, 1)
  const connection = await stage.connect()
  await connection.ask('row')
  written.now = good({ ...first, name: 'second' })
  stage.supervisor.drain('test')
  assert.equal((await post()).status, 409)
  assert.deepEqual(await stage.supervisor.reload('file'), { kind: 'draining' })
  assert.equal(await connection.ask('config'), 'test/0')
  connection.end()
})

test('the log level, and how long a shutdown may take, are those of the config in force', async (t) => {
  const { stage, reload } = await started(t, 1)
  await reload({
    log: { ...LOG_DEFAULTS, level: 'error', access: true },
    shutdown: { delayMs: 0, timeoutMs: 7_000 },
  })
  assert.equal(stage.events('Config reloaded').length, 0)
  await reload({
    log: { ...LOG_DEFAULTS, level: 'info', access: true },
    shutdown: { delayMs: 0, timeoutMs: 7_000 },
  })
  stage.supervisor.drain('test')
  assert.equal((await stage.event('Draining'))['timeout_s'], 7)
  assert.deepEqual(stage.watchdogs, [[process.pid, 8_000]])
})

test('a changed secret is said to have changed, and shown nowhere', async (t) => {
  const { stage, reload, page, first } = await started(t, 1)
  const issuers = [ownIssuer({ key: SECRET, algorithm: 'HS256', clockSkewS: 0 })]
  const outcome = await reload({ identity: { ...first.identity, issuers } })
  assert.equal(outcome.kind, 'applied')
  const config = await page('/config')
  assert.match(config, /"secret":"\(secret\)"/)
  for (const text of [JSON.stringify(outcome), config, JSON.stringify(stage.records())]) {
    assert.ok(!text.includes(SECRET))
  }
})

test('GET /upstreams says where traffic can go', async (t) => {
  const { reload, page } = await started(t, 1)
  await reload({ upstreams: [upstreamOf('a', ['http://10.0.0.1:81', 'http://10.0.0.2:81'])] })
  const { upstreams } = JSON.parse(await page('/upstreams'))
  const still = { health: 'up', breaker: 'closed', inFlight: 0, state: 'enabled' }
  assert.deepEqual(upstreams, [
    {
      name: 'a',
      openConnections: 0,
      admission: null,
      names: 'resolved',
      endpoints: [
        { target: '10.0.0.1:81', address: '10.0.0.1', ...still },
        { target: '10.0.0.2:81', address: '10.0.0.2', ...still },
      ],
    },
  ])
})

test('names of a new config are resolved, those that left are not, and threads hear of them', async (t) => {
  const asked: string[] = []
  const { stage, reload } = await started(t, 1, {
    lookup: async (host) => {
      asked.push(host)
      return [{ address: '10.1.2.3', family: 4 }]
    },
  })
  await reload({ upstreams: [upstreamOf('a', 'http://a.example'), upstreamOf('b', 'http://10.0.0.9')] })
  await until('the addresses', async () => (await stage.ask('addresses')) === '[["10.1.2.3"],["10.0.0.9"]]')
  assert.deepEqual(asked, ['a.example'])
})
