import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { ConnectionCount } from '../../src/upstreams/connection-count.ts'

function threads(upstreams: number, rows: number) {
  const memory = new SharedArrayBuffer(ConnectionCount.byteLength(upstreams, rows))
  const at = (row: number) => new ConnectionCount(memory, 0, upstreams, rows, row)
  return { memory, at }
}

test('the limit holds for all threads together and each upstream has its own', () => {
  const { at } = threads(2, 2)
  const [first, second] = [at(0), at(1)]
  assert.equal(first.tryTake(0, 2), true)
  assert.equal(second.tryTake(0, 2), true)
  assert.equal(first.tryTake(0, 2), false)
  assert.equal(second.tryTake(1, 1), true)
  first.give(0)
  assert.equal(second.tryTake(0, 2), true)
  assert.deepEqual([first.open(0), first.open(1)], [2, 1])
})

test('a dead thread gives back what it held and wanted, and nothing of the others', () => {
  const { at } = threads(2, 2)
  const [first, second] = [at(0), at(1)]
  for (let taken = 0; taken < 3; taken++) first.tryTake(1, 10)
  second.tryTake(1, 10)
  first.want(1)
  second.want(1)
  const control = at(2)
  control.reclaim(0)
  assert.equal(control.open(1), 1)
  assert.equal(control.wanted(1), 1)
  control.reclaim(0)
  assert.equal(control.open(1), 1)
  const replacement = at(0)
  assert.equal(replacement.tryTake(1, 2), true)
  assert.equal(replacement.tryTake(1, 2), false)
})

test('wanting twice counts once and is taken back once', () => {
  const { at } = threads(1, 2)
  const [first, second] = [at(0), at(1)]
  first.want(0)
  first.want(0)
  second.want(0)
  assert.equal(second.wanted(0), 2)
  first.unwant(0)
  first.unwant(0)
  assert.equal(second.wanted(0), 1)
})

test('control has no row, so that a slot taken there by mistake is loud', () => {
  const { at } = threads(1, 1)
  assert.throws(() => at(1).tryTake(0, 1), RangeError)
})

const CONTENDER = `
const { workerData, parentPort } = require('node:worker_threads')
import(workerData.module).then(({ ConnectionCount }) => {
  const count = new ConnectionCount(workerData.memory, 0, 1, 2, workerData.row)
  let most = 0
  let held = 0
  for (let round = 0; round < 200000; round++) {
    if (count.tryTake(0, 5)) held++
    const open = count.open(0)
    if (open > most) most = open
    if (held > 2 || open === 5) while (held > 0) { count.give(0); held-- }
  }
  while (held > 0) { count.give(0); held-- }
  parentPort.postMessage(most)
})`

test('two threads in contention never exceed the limit and end with nothing open', async () => {
  const { memory, at } = threads(1, 2)
  const module = new URL('../../src/upstreams/connection-count.ts', import.meta.url).href
  const workers = [0, 1].map(
    (row) => new Worker(CONTENDER, { eval: true, workerData: { memory, module, row } }),
  )
  const most = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]))
  await Promise.all(workers.map((worker) => worker.terminate()))
  for (const seen of most) assert.ok(seen > 0 && seen <= 5, `saw ${seen} open`)
  assert.equal(at(0).open(0), 0)
})
