import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ConfigWatch } from '../../src/control/config-watch.ts'
import { type StartTimer, startTimer } from '../../src/control/start-timer.ts'
import { ManualTime } from '../support/manual-time.ts'
import { until } from '../support/until.ts'

/** Later than every change a test makes before it follows. */
const NEVER_LATE = Number.POSITIVE_INFINITY

function stage(t: TestContext, timer: StartTimer = startTimer) {
  const folder = mkdtempSync(join(tmpdir(), 'nyro-watch-'))
  let changes = 0
  const watch = new ConfigWatch({
    startTimer: timer,
    changed: () => {
      changes++
    },
  })
  t.after(() => {
    watch.close()
    rmSync(folder, { recursive: true })
  })
  const path = (name: string): string => join(folder, name)
  const write = (name: string, text: string): void => writeFileSync(path(name), text)
  return { watch, path, write, changes: () => changes }
}

/** Lets a look find what has changed, and the next one that it has settled. */
async function look(time: ManualTime): Promise<void> {
  for (const delayMs of [1_000, 100]) {
    await time.pass(delayMs)
    await until('the next look to be planned', () => time.waiting === 1)
  }
}

test('a file written in place counts, and another file of its folder does not', async (t) => {
  const { watch, path, write, changes } = stage(t)
  write('nyro.yaml', 'a')
  await watch.follow([path('nyro.yaml')], NEVER_LATE)
  write('other', 'b')
  write('nyro.yaml', 'ab')
  await until('the change', () => changes() === 1)
})

test('a file renamed over it counts, as editors write', async (t) => {
  const { watch, path, write, changes } = stage(t)
  write('nyro.yaml', 'a')
  await watch.follow([path('nyro.yaml')], NEVER_LATE)
  write('nyro.yaml~', 'b')
  renameSync(path('nyro.yaml~'), path('nyro.yaml'))
  await until('the change', () => changes() === 1)
})

test('a switched link counts, as Kubernetes switches ..data', async (t) => {
  const { watch, path, changes } = stage(t)
  for (const version of ['..v1', '..v2']) {
    mkdirSync(path(version))
    writeFileSync(join(path(version), 'nyro.yaml'), 'same length')
  }
  symlinkSync('..v1', path('..data'))
  symlinkSync(join('..data', 'nyro.yaml'), path('nyro.yaml'))
  await watch.follow([path('nyro.yaml')], NEVER_LATE)
  symlinkSync('..v2', path('..data_tmp'))
  renameSync(path('..data_tmp'), path('..data'))
  await until('the change', () => changes() === 1)
})

test('a change is found within a second, and told of when it has settled; a file that is gone and comes back too', async (t) => {
  const time = new ManualTime()
  const { watch, path, write, changes } = stage(t, time.startTimer)
  write('nyro.yaml', 'a')
  await watch.follow([path('nyro.yaml')], NEVER_LATE)
  for (const [count, change] of [
    () => write('nyro.yaml', 'ab'),
    () => rmSync(path('nyro.yaml')),
    () => write('nyro.yaml', 'abc'),
  ].entries()) {
    change()
    await time.pass(1_000)
    await until('it to be looked at again', () => time.waiting === 1)
    assert.equal(changes(), count)
    await time.pass(100)
    await until('the change', () => changes() === count + 1)
  }
  await look(time)
  assert.equal(changes(), 3)
})

test('what is written step by step is told of once', async (t) => {
  const time = new ManualTime()
  const { watch, path, write, changes } = stage(t, time.startTimer)
  write('nyro.yaml', 'a')
  await watch.follow([path('nyro.yaml')], NEVER_LATE)
  write('nyro.yaml', 'ab')
  await time.pass(1_000)
  await until('it to be looked at again', () => time.waiting === 1)
  write('nyro.yaml', 'abc')
  await time.pass(100)
  await until('it to be looked at again', () => time.waiting === 1)
  assert.equal(changes(), 0)
  await time.pass(100)
  await until('the change', () => changes() === 1)
})

test('a file that was written after the load began counts at once: it may have been read as it was before', async (t) => {
  const { watch, path, write, changes } = stage(t)
  write('nyro.yaml', 'a')
  await watch.follow([path('nyro.yaml')], 0)
  assert.equal(changes(), 1)
  await watch.follow([path('nyro.yaml')], 0)
  assert.equal(changes(), 1)
})

test('files can come and go', async (t) => {
  const time = new ManualTime()
  const { watch, path, write, changes } = stage(t, time.startTimer)
  write('a', '1')
  write('b', '1')
  await watch.follow([path('a')], NEVER_LATE)
  await watch.follow([path('b')], NEVER_LATE)
  write('a', '12')
  await look(time)
  assert.equal(changes(), 0)
  write('b', '12')
  await look(time)
  assert.equal(changes(), 1)
})

test('a folder that is not there does not matter to the others', async (t) => {
  const { watch, path, write, changes } = stage(t)
  write('a', '1')
  await watch.follow([path('none/b'), path('a')], NEVER_LATE)
  write('a', '12')
  await until('the change', () => changes() === 1)
})
