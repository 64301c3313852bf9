import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { StartDataThread } from '../../src/control/data-thread.ts'
import { PublicPort } from '../../src/control/public-port.ts'
import { StartRefusal } from '../../src/control/start-refusal.ts'
import { type StartTimer, startTimer } from '../../src/control/start-timer.ts'
import { ControlStage, startControlThread } from '../support/control-stage.ts'
import { until, within } from '../support/until.ts'

test('it starts every data thread on one port and says where it listens', async (t) => {
  const stage = new ControlStage(t, { workers: 2 })
  await stage.supervisor.start()
  const [line] = stage.events('Gateway listening')
  assert.ok(line)
  assert.deepEqual([line['level'], line['host'], line['admin_host']], ['info', '127.0.0.1', '127.0.0.1'])
  assert.deepEqual([line['workers'], line['version'], line['pid']], [2, '1.2.3', process.pid])
  const rows = new Set<string>()
  for (let tries = 0; rows.size < 2 && tries < 500; tries++) {
    const connection = await stage.connect()
    rows.add((await connection.line('row')) ?? '')
    connection.end()
  }
  assert.equal(rows.size, 2)
  assert.deepEqual(
    await Promise.all(['/ready', '/live', '/version'].map((path) => stage.admin(path))),
    [200, 200, 200],
  )
})

test('doubtful settings are logged', async (t) => {
  const stage = new ControlStage(t, { workers: 1 })
  await stage.supervisor.start()
  const [line] = stage.events('Doubtful setting')
  assert.deepEqual([line?.['level'], line?.['warning']], ['warning', 'a doubtful one'])
})

for (const [how, reason] of [
  ['throw broken', /^broken$/],
  ['exit', /exit code 3/],
  ['memory', /^ERR_WORKER_OUT_OF_MEMORY: /],
  ['overflow', /call stack/],
] as const) {
  test(`a data thread that dies (${how}) is replaced, and its counts and its log lines are not lost`, async (t) => {
    const stage = new ControlStage(t, { workers: 1 })
    await stage.supervisor.start()
    const connection = await stage.connect()
    for (let taken = 0; taken < 3; taken++) assert.equal(await connection.ask('take'), 'true')
    assert.equal(await connection.ask('open'), '3')
    await connection.ask('log 5')
    await connection.ask(how)
    await connection.closed
    const death = await stage.event('Data thread died')
    assert.equal(death['level'], 'error')
    assert.match(String(death['reason']), reason)
    assert.equal(stage.events('Line').length, 5)
    assert.equal(await stage.ask('open'), '0')
    assert.equal(await stage.admin('/ready'), 200)
  })
}

test('readiness is withdrawn while no data thread listens, liveness is not', async (t) => {
  let births = 0
  const startThread: StartDataThread = (birth, listener) => {
    if (++births === 1) return startControlThread(birth, listener)
    // A replacement that never gets as far as listening.
    return { post: () => {}, kill: () => listener.died({ reason: 'killed', stack: null }) }
  }
  const stage = new ControlStage(t, { workers: 1 }, { startThread })
  await stage.supervisor.start()
  assert.equal(await stage.admin('/ready'), 200)
  const connection = await stage.connect()
  await connection.ask('exit')
  await stage.event('Data thread replaced')
  assert.deepEqual([await stage.admin('/ready'), await stage.admin('/live')], [503, 200])
})

test('whatever a data thread prints becomes log lines', async (t) => {
  const stage = new ControlStage(t, { workers: 1 })
  await stage.supervisor.start()
  await stage.ask('print stray')
  await stage.event('Output past the log', 2)
  const lines = stage.events('Output past the log')
  assert.deepEqual(lines.map((line) => line['stream']).sort(), ['stderr', 'stdout'])
  for (const line of lines) assert.deepEqual([line['level'], line['text']], ['error', 'stray'])
})

test('a thread that fills its ring is heard at once, not when the ring is looked into', async (t) => {
  const withoutLooking: StartTimer = (delayMs, run) =>
    delayMs > 0 && delayMs < 100 ? () => {} : startTimer(delayMs, run)
  const stage = new ControlStage(t, { workers: 1 }, { startTimer: withoutLooking })
  await stage.supervisor.start()
  const connection = await stage.connect()
  await connection.ask('log 25000')
  await stage.event('Line', 25_000)
  connection.end()
})

test('threads learn addresses at birth and when they change', async (t) => {
  const address = { address: '10.1.2.3', family: 4 } as const
  const { promise, resolve } = Promise.withResolvers<readonly (typeof address)[]>()
  const stage = new ControlStage(
    t,
    { workers: 1, upstreamUrl: 'http://ingest.example' },
    { lookup: () => promise },
  )
  await stage.supervisor.start()
  assert.equal(await stage.ask('addresses'), '[null]')
  resolve([address])
  await promise
  const known = '[["10.1.2.3"]]'
  assert.equal(await stage.ask('addresses'), known)
  await stage.ask('throw broken')
  await stage.event('Data thread replaced')
  assert.equal(await stage.ask('addresses'), known)
})

test('draining: unready at once, listeners closed after the delay, over when the last connection is', async (t) => {
  const stage = new ControlStage(t, { workers: 2, delayMs: 150, timeoutMs: 20_000 })
  await stage.supervisor.start()
  const connection = await stage.connect()
  assert.equal(await connection.ask('heard'), '')
  stage.supervisor.drain('SIGTERM')
  stage.supervisor.drain('SIGTERM')
  assert.deepEqual([await stage.admin('/ready'), await stage.admin('/live')], [503, 200])
  assert.equal(await connection.ask('heard'), 'drain')
  assert.deepEqual(stage.watchdogs, [[process.pid, 21_000]])
  while ((await connection.ask('heard')) !== 'drain,close');
  await until('a connection that is refused: the other thread may be a moment later', () =>
    stage.connect().then(
      (late) => {
        late.end()
        return false
      },
      () => true,
    ),
  )
  assert.equal(await stage.admin('/live'), 200)
  assert.equal(stage.events('Drained').length, 0)
  connection.end()
  assert.equal(await within('the end', stage.supervisor.ended), 0)
  assert.equal(stage.events('Drained').length, 1)
  await assert.rejects(stage.admin('/live'))
})

test('draining ends at the timeout whatever still runs', async (t) => {
  const stage = new ControlStage(t, { workers: 2, timeoutMs: 300 })
  await stage.supervisor.start()
  const connection = await stage.connect()
  await connection.ask('row')
  stage.supervisor.drain('SIGINT')
  assert.equal(await within('the end', stage.supervisor.ended), 0)
  await connection.closed
  assert.equal(stage.events('Drained').length, 0)
  assert.equal(stage.events('Shutdown timeout reached, what was left is cut').length, 1)
})

test('a data thread in an endless loop does not hold up the end', async (t) => {
  const stage = new ControlStage(t, { workers: 1, timeoutMs: 300 })
  await stage.supervisor.start()
  const connection = await stage.connect()
  void connection.ask('spin')
  stage.supervisor.drain('SIGTERM')
  assert.equal(await within('the end', stage.supervisor.ended), 0)
  await connection.closed
})

test('a data thread that dies while draining is replaced by one that knows', async (t) => {
  const stage = new ControlStage(t, { workers: 1, delayMs: 3_000, timeoutMs: 20_000 })
  await stage.supervisor.start()
  stage.supervisor.drain('SIGTERM')
  await stage.ask('throw broken')
  await stage.event('Data thread replaced')
  assert.equal(await stage.ask('heard'), 'born draining')
  assert.equal(await within('the end', stage.supervisor.ended), 0)
})

test('a signal that comes while starting is obeyed afterwards', async (t) => {
  const stage = new ControlStage(t, { workers: 1 })
  const start = stage.supervisor.start()
  stage.supervisor.drain('SIGTERM')
  await start
  assert.equal(await within('the end', stage.supervisor.ended), 0)
})

test('a second instance on the same port refuses to start and leaves the first alone', async (t) => {
  const first = new ControlStage(t, { workers: 2 })
  await first.supervisor.start()
  const second = new ControlStage(t, { workers: 2, port: first.port })
  await assert.rejects(second.supervisor.start(), (error) => {
    assert.ok(error instanceof StartRefusal)
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${first.port} .*another process holds this port`))
    return true
  })
  await first.ask('row')
})

/** Nobody is given it by chance, but another test may draw it. */
async function unusedPort(): Promise<number> {
  const claimed = await PublicPort.claim('127.0.0.1', 0)
  claimed.release()
  return claimed.port
}

/** Threads that are told a port only when, the first time, another process listens on it already. */
function robbed(t: TestContext): { readonly lost: number[]; readonly startThread: StartDataThread } {
  const lost: number[] = []
  const startThread: StartDataThread = (birth, listener) => {
    const thread = startControlThread(birth, listener)
    const post: typeof thread.post = (message) => {
      if (message.kind !== 'listen' || lost.length > 0) return thread.post(message)
      lost.push(message.port)
      const robber = createServer().listen(message.port, message.host, () => thread.post(message))
      t.after(() => robber.close())
    }
    return { ...thread, post }
  }
  return { lost, startThread }
}

for (const workers of [1, 2]) {
  test(`where any port will do, one that is taken at the last moment is not a failed start (threads: ${workers})`, async (t) => {
    const { lost, startThread } = robbed(t)
    const stage = new ControlStage(t, { workers }, { startThread })
    const { port } = await stage.supervisor.start()
    assert.equal(lost.length, 1)
    assert.deepEqual([stage.port, port === lost[0]], [port, false])
    await stage.ask('row')
    assert.equal(stage.events('Gateway listening').length, 1)
  })

  test(`a port of the settings that is taken at the last moment refuses the start (threads: ${workers})`, async (t) => {
    const { startThread } = robbed(t)
    const port = await unusedPort()
    const stage = new ControlStage(t, { workers, port }, { startThread })
    await assert.rejects(stage.supervisor.start(), (error) => {
      assert.ok(error instanceof StartRefusal)
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port} .*another process holds this port`))
      return true
    })
  })
}

/** Both find the port free; then they share it, and each has a part of the other's clients. */
test('of two instances on one port, the second of which starts before the first listens, one runs', async (t) => {
  const port = await unusedPort()
  const second = new ControlStage(t, { workers: 2, port })
  let secondStart: Promise<unknown> | null = null
  const startThread: StartDataThread = (birth, listener) => {
    const thread = startControlThread(birth, listener)
    const post: typeof thread.post = (message) => {
      if (message.kind !== 'listen') return thread.post(message)
      secondStart ??= second.supervisor.start()
      void secondStart.catch(() => {}).then(() => thread.post(message))
    }
    return { ...thread, post }
  }
  const first = new ControlStage(t, { workers: 2, port }, { startThread })
  const firstStart = await Promise.allSettled([first.supervisor.start()])
  const starts = [...firstStart, ...(await Promise.allSettled([secondStart]))]
  assert.deepEqual(starts.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('a refused start leaves nothing behind', async (t) => {
  const first = new ControlStage(t, { workers: 1 })
  await first.supervisor.start()
  for (const settings of [{ adminPort: first.adminPort }, { name: 'refuses' }, { name: 'dies' }]) {
    const port = await unusedPort()
    const refused = new ControlStage(t, { workers: 2, port, ...settings })
    await assert.rejects(refused.supervisor.start(), StartRefusal)
    assert.equal(refused.events('Gateway listening').length, 0)
    const claimed = await PublicPort.claim('127.0.0.1', port)
    claimed.release()
  }
})
