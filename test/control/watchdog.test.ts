import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startWatchdog } from '../../src/control/watchdog.ts'
import { until, within } from '../support/until.ts'

const PROGRAM = fileURLToPath(new URL('../support/control-process.ts', import.meta.url))

function startSleeper(t: TestContext): ChildProcess & { readonly pid: number } {
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.after(() => sleeper.kill('SIGKILL'))
  assert.ok(sleeper.pid !== undefined)
  return Object.assign(sleeper, { pid: sleeper.pid })
}

/** Processes that watch over `pid`. */
function watchers(pid: number): number {
  const list = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
  return list.split('\n').filter((args) => args.includes(`watchdog ${pid} `)).length
}

async function startGateway(t: TestContext, settings: Record<string, unknown>) {
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  const line = await until(
    'the gateway listens',
    () => /.*"event":"Gateway listening".*/.exec(text)?.[0],
    30_000,
  )
  const { port, pid } = JSON.parse(line)
  assert.equal(pid, child.pid)
  return { child, port: Number(port), pid: Number(pid), ended: once(child, 'close'), text: () => text }
}

test('a process is killed when its time is over', async (t) => {
  const sleeper = startSleeper(t)
  startWatchdog(sleeper.pid, 500)
  const [, signal] = await within('the kill', once(sleeper, 'exit'))
  assert.equal(signal, 'SIGKILL')
  await until('the watchdog is gone', () => watchers(sleeper.pid) === 0)
})

test('without a shell the runtime does the same', async (t) => {
  const sleeper = startSleeper(t)
  startWatchdog(sleeper.pid, 500, '/no/such/shell')
  const [, signal] = await within('the kill', once(sleeper, 'exit'))
  assert.equal(signal, 'SIGKILL')
})

test('a watchdog that is called off is gone and kills nobody', async (t) => {
  const sleeper = startSleeper(t)
  const watchdog = startWatchdog(sleeper.pid, 30_000)
  await until('the watchdog runs', () => watchers(sleeper.pid) > 0)
  watchdog.stop()
  await until('the watchdog is gone', () => watchers(sleeper.pid) === 0)
  assert.equal(sleeper.exitCode ?? sleeper.signalCode, null)
})

// A job of libuv's pool that never ends (a dead disk, a hanging name server) makes process.exit wait for ever, so
// that an orderly stop would leave the old instance on the machine until somebody kills it by hand.
test('a stuck thread-pool job does not keep the process past its timeout', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nyro-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  const { child, ended, text } = await startGateway(t, { fifo, timeoutMs: 1_000 })
  child.kill('SIGTERM')
  const [code, signal] = await within('the end', ended, 15_000)
  assert.deepEqual([code, signal], [null, 'SIGKILL'])
  assert.match(text(), /"event":"Drained"/)
})

test('an orderly end leaves no watchdog behind', async (t) => {
  const { child, port, pid, ended } = await startGateway(t, { timeoutMs: 30_000 })
  const open = connect(port, '127.0.0.1')
  t.after(() => open.destroy())
  await once(open, 'connect')
  open.write('row\n')
  await once(open, 'data')
  child.kill('SIGINT')
  await until('the watchdog runs', () => watchers(pid) > 0)
  open.end()
  const [code] = await within('the end', ended, 15_000)
  assert.equal(code, 0)
  await until('the watchdog is gone', () => watchers(pid) === 0)
})
