import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { RETRY_CELLS, RetryBudget } from '../../src/upstreams/retry-budget.ts'

function memory(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(RETRY_CELLS * Int32Array.BYTES_PER_ELEMENT))
}

function allowed(budget: RetryBudget, nowMs: number, share: number, asked = 1_000): number {
  let count = 0
  for (let times = 0; times < asked; times++) if (budget.tryRetry(nowMs, share)) count++
  return count
}

describe('a retry budget', () => {
  test('always has three', () => {
    assert.equal(allowed(new RetryBudget(memory(), 0), 5_000, 0.2), 3)
    assert.equal(allowed(new RetryBudget(memory(), 0), 5_000, 0), 3)
  })

  test('has its share of the first tries, and not one more', () => {
    const budget = new RetryBudget(memory(), 0)
    for (let times = 0; times < 100; times++) budget.first(5_000)
    assert.equal(allowed(budget, 5_900, 0.2), 20)
    assert.equal(allowed(budget, 9_900, 0.2), 0)
  })

  test('has forgotten after ten seconds', () => {
    const budget = new RetryBudget(memory(), 0)
    for (let times = 0; times < 100; times++) budget.first(5_000)
    allowed(budget, 5_000, 0.2)
    assert.equal(allowed(budget, 15_999, 0.2), 0)
    assert.equal(allowed(budget, 16_000, 0.2), 3)
  })

  // Whatever ten seconds are looked at: that many first tries a second, everything that may be retried is.
  test('is kept in every ten seconds of a steady stream', () => {
    const budget = new RetryBudget(memory(), 0)
    const retries: number[] = []
    for (let nowMs = 0; nowMs < 60_000; nowMs += 20) {
      budget.first(nowMs)
      if (budget.tryRetry(nowMs, 0.2)) retries.push(nowMs)
    }
    for (let fromMs = 0; fromMs < 50_000; fromMs += 130) {
      const inWindow = retries.filter((atMs) => atMs >= fromMs && atMs < fromMs + 10_000).length
      assert.ok(inWindow <= 100, `${inWindow} retries from ${fromMs}`)
    }
    assert.ok(retries.length > 400, `only ${retries.length} retries`)
  })
})

const CONTENDER = `
const { workerData, parentPort } = require('node:worker_threads')
import(workerData.module).then(({ RetryBudget }) => {
  const budget = new RetryBudget(workerData.cells, 0)
  let allowed = 0
  for (let round = 0; round < 20000; round++) if (budget.tryRetry(1000, 0.2)) allowed++
  parentPort.postMessage(allowed)
})`

test('two threads in contention never get more than the budget has', async () => {
  const cells = memory()
  const budget = new RetryBudget(cells, 0)
  for (let times = 0; times < 5_000; times++) budget.first(1_000)
  const module = new URL('../../src/upstreams/retry-budget.ts', import.meta.url).href
  const workers = [0, 1].map(() => new Worker(CONTENDER, { eval: true, workerData: { cells, module } }))
  const got = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number))
  await Promise.all(workers.map((worker) => worker.terminate()))
  const total = got.reduce((sum, each) => sum + each, 0)
  assert.ok(total > 900 && total <= 1_000, `${total} retries`)
})
