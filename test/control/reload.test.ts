import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import type { Loaded } from '../../src/config/loaded.ts'
import { type ConfigChange, Reloader } from '../../src/control/reload.ts'
import type { LogFields } from '../../src/observe/log-line.ts'
import { controlConfig } from '../support/control-config.ts'
import { settled } from '../support/manual-time.ts'

const FIRST = controlConfig()

function good(config: Config, own: Partial<Loaded & { config: Config }> = {}): Loaded {
  return { config, warnings: [], files: ['nyro.yaml'], ...own }
}

function bad(...problems: readonly string[]): Loaded {
  return { config: null, problems, exitCode: 2, warnings: [], files: ['nyro.yaml'] }
}

/** Stands for the comparison of configs: names what is named differently. */
function differ(before: Config, after: Config): readonly ConfigChange[] {
  const changes: ConfigChange[] = []
  if (before.name !== after.name) {
    changes.push({ path: 'name', words: `name ${before.name} → ${after.name}`, needsRestart: false })
  }
  if (before.listen.port !== after.listen.port) {
    changes.push({ path: 'listen.port', words: 'listen.port: needs a restart', needsRestart: true })
  }
  return changes
}

function stage() {
  const loads: PromiseWithResolvers<Loaded>[] = []
  const swapped: Config[] = []
  const watched: string[][] = []
  const logged: { readonly level: string; readonly event: string; readonly fields: LogFields }[] = []
  const it = { problem: null as string | null }
  const reloader = new Reloader({
    load: () => {
      const load = Promise.withResolvers<Loaded>()
      loads.push(load)
      return load.promise
    },
    differ,
    written: FIRST,
    inForce: FIRST,
    swap: async (config) => {
      if (it.problem === null) swapped.push(config)
      return it.problem
    },
    files: ['nyro.yaml', 'key.pem'],
    watch: (files) => watched.push([...files]),
    wallMs: () => 0,
    log: { log: (level, event, fields) => logged.push({ level, event, fields }) },
  })
  reloader.open()
  const reload = async (loaded: Loaded) => {
    const outcome = reloader.request('file')
    await settled()
    loads.at(-1)?.resolve(loaded)
    return outcome
  }
  return { it, reloader, reload, loads, swapped, watched, logged }
}

test('a good config is put in force, and the log says what is different', async () => {
  const { reload, swapped, logged } = stage()
  const next = { ...FIRST, name: 'second' }
  assert.deepEqual(await reload(good(next, { warnings: ['a doubtful one'] })), {
    kind: 'applied',
    changes: [{ path: 'name', words: 'name test → second', needsRestart: false }],
  })
  assert.deepEqual(swapped, [next])
  assert.deepEqual(logged, [
    { level: 'warning', event: 'Doubtful setting', fields: { warning: 'a doubtful one' } },
    {
      level: 'info',
      event: 'Config reloaded',
      fields: { cause: 'file', count: 1, changes: 'name test → second' },
    },
  ])
})

test('an unchanged config changes nothing', async () => {
  const { reload, swapped, logged } = stage()
  assert.deepEqual(await reload(good(structuredClone(FIRST))), { kind: 'unchanged' })
  assert.deepEqual(swapped, [])
  assert.deepEqual(
    logged.map(({ level, event }) => `${level} ${event}`),
    ['info Config reloaded, nothing changed'],
  )
})

test('a bad config leaves the running one alone, and all its problems are logged', async () => {
  const { reload, swapped, logged } = stage()
  assert.deepEqual(await reload(bad('one', 'two')), { kind: 'refused', problems: ['one', 'two'] })
  assert.deepEqual(swapped, [])
  assert.deepEqual(logged, [
    {
      level: 'error',
      event: 'Config not reloaded, the last good one serves on',
      fields: { cause: 'file', count: 2, problems: 'one | two' },
    },
  ])
})

test('a config that some thread cannot put in force is as bad as any, and the next one is compared with the one in force', async () => {
  const { it, reload, swapped } = stage()
  it.problem = 'sign.ts cannot be loaded'
  const next = { ...FIRST, name: 'second' }
  assert.deepEqual(await reload(good(next)), { kind: 'refused', problems: ['sign.ts cannot be loaded'] })
  it.problem = null
  const outcome = await reload(good(next))
  assert.equal(outcome.kind, 'applied')
  assert.deepEqual(swapped, [next])
})

test('what only a restart changes is named, and the rest applies', async () => {
  const { reload, swapped, logged } = stage()
  const next: Config = {
    ...FIRST,
    name: 'second',
    workers: 7,
    admin: { ...FIRST.admin, port: 1 },
    listen: { ...FIRST.listen, port: 9, maxConnections: 5 },
  }
  await reload(good(next))
  assert.deepEqual(swapped, [
    {
      ...next,
      workers: FIRST.workers,
      admin: FIRST.admin,
      listen: { ...next.listen, port: FIRST.listen.port },
    },
  ])
  assert.deepEqual(logged[0], {
    level: 'warning',
    event: 'A change waits for a restart',
    fields: { change: 'listen.port: needs a restart' },
  })
  assert.deepEqual(await reload(good(structuredClone(next))), { kind: 'unchanged' })
})

test('one load at a time: whoever asks meanwhile shares the next one', async () => {
  const { reloader, loads, swapped } = stage()
  const first = reloader.request('file')
  const second = reloader.request('signal')
  const third = reloader.request('admin')
  await settled()
  assert.equal(loads.length, 1)
  loads[0]?.resolve(good({ ...FIRST, name: 'second' }))
  assert.equal((await first).kind, 'applied')
  await settled()
  assert.equal(loads.length, 2)
  loads[1]?.resolve(good({ ...FIRST, name: 'third' }))
  assert.deepEqual([(await second).kind, await third], ['applied', await second])
  assert.deepEqual(
    swapped.map(({ name }) => name),
    ['second', 'third'],
  )
})

test('a load that throws is a bad config, not the end', async () => {
  const { reloader, loads } = stage()
  const outcome = reloader.request('file')
  await settled()
  loads[0]?.reject(new Error('a defect'))
  assert.deepEqual(await outcome, { kind: 'refused', problems: ['loading it broke: a defect'] })
  const next = reloader.request('file')
  await settled()
  loads[1]?.resolve(good(FIRST))
  assert.deepEqual(await next, { kind: 'unchanged' })
})

test('after closing nothing is loaded, and what was on its way is not put in force', async () => {
  const { reloader, loads, swapped } = stage()
  const under = reloader.request('file')
  await settled()
  reloader.close()
  loads[0]?.resolve(good({ ...FIRST, name: 'second' }))
  assert.deepEqual(
    [await under, await reloader.request('admin')],
    [{ kind: 'draining' }, { kind: 'draining' }],
  )
  assert.deepEqual([loads.length, swapped.length], [1, 0])
})

test('what a bad config read is watched beside what the good one read, which may be what mends it', async () => {
  const { reload, watched } = stage()
  await reload({ ...bad('one'), files: ['broken.yaml'] })
  await reload({ ...bad('two'), files: [] })
  await reload(good(FIRST))
  assert.deepEqual(watched, [
    ['nyro.yaml', 'key.pem', 'broken.yaml'],
    ['nyro.yaml', 'key.pem', 'broken.yaml'],
    ['nyro.yaml'],
  ])
})

test('a log line holds the first fifty problems and counts the others; the outcome has them all', async () => {
  const { reload, logged } = stage()
  const outcome = await reload(bad(...Array.from({ length: 60 }, (_, index) => `problem ${index}`)))
  assert.ok(outcome.kind === 'refused' && outcome.problems.length === 60)
  assert.match(String(logged[0]?.fields['problems']), /problem 49 \| and 10 more$/)
})
