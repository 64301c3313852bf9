import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { PlaceCount } from '../../src/limits/place-count.ts'
import { SharedLimiter } from '../../src/limits/shared-limiter.ts'
import { scale } from '../support/scale.ts'
import { until } from '../support/until.ts'
import { bucketMemory, HASH_KEY, rateRule } from './limit-parts.ts'
import { ADMITTED, CELLS, type LimitThreadBirth, MOST_HELD, OFFERED, STOP } from './limit-thread.ts'

const THREADS = 4

class ThreadStage {
  readonly counts = new Int32Array(new SharedArrayBuffer(CELLS * 4))
  readonly clock = new Float64Array(new SharedArrayBuffer(8))
  readonly memory: SharedArrayBuffer
  readonly places = PlaceCount.create(64, THREADS, HASH_KEY)
  readonly #work: LimitThreadBirth['work']
  readonly #rate: LimitThreadBirth['rate']
  #threads: Worker[] = []

  constructor(work: LimitThreadBirth['work'], rate: LimitThreadBirth['rate'], entries = 1_024) {
    this.#work = work
    this.#rate = rate
    this.memory = bucketMemory(entries)
    this.clock[0] = 1_000
    for (let row = 0; row < THREADS; row++) this.#threads.push(this.#start(row))
  }

  #start(row: number): Worker {
    const workerData: LimitThreadBirth = {
      memory: this.memory,
      places: this.places,
      counts: this.counts.buffer as SharedArrayBuffer, // made above
      clock: this.clock.buffer as SharedArrayBuffer, // made above
      row,
      work: this.#work,
      rate: this.#rate,
    }
    return new Worker(new URL('./limit-thread.ts', import.meta.url), { workerData })
  }

  /** Kills a thread at whatever instant it is, and starts another for its row. */
  async replace(row: number): Promise<void> {
    await this.#threads[row]?.terminate()
    new PlaceCount(this.places, THREADS).reclaim(row)
    this.#threads[row] = this.#start(row)
  }

  get admitted(): number {
    return Atomics.load(this.counts, ADMITTED)
  }

  async offer(count: number): Promise<void> {
    const from = Atomics.load(this.counts, OFFERED)
    await until(
      'requests to be offered',
      () => ((Atomics.load(this.counts, OFFERED) - from) | 0) >= count,
      30_000,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Atomics.store(this.counts, STOP, 1)
    await Promise.all(this.#threads.map((thread) => (thread.threadId < 0 ? null : once(thread, 'exit'))))
  }
}

describe('four threads, one of which is killed and replaced meanwhile,', () => {
  test('admit what the rate and the burst say, in every window, to one', async () => {
    const burst = 200
    const windowMs = 150
    await using stage = new ThreadStage('rate', [1, 1, burst])
    let kills = 0
    for (let window = 0; window <= scale(12, 200); window++) {
      const replaced = window % 4 === 3 ? stage.replace(window % THREADS) : null
      if (replaced !== null) kills++
      if (window > 0) stage.clock[0] = (stage.clock[0] as number) + windowMs
      await stage.offer(windowMs * 10)
      await replaced
      const most = burst + window * windowMs
      // A killed thread may have been given one that it did not live to count; others are about to count theirs.
      await until('all to be counted', () => stage.admitted >= most - kills)
      assert.ok(stage.admitted <= most, `${stage.admitted} of ${most}`)
    }
  })

  test('enter the same keys at once, and each has one bucket', async () => {
    for (let round = 0; round < scale(2, 30); round++) {
      const burst = 7
      const most = 400 * burst
      await using stage = new ThreadStage('many keys', [1, 86_400_000, burst], 4_096)
      await stage.offer(10_000)
      await stage.replace(round % THREADS)
      await stage.offer(10_000)
      await until('all to be counted', () => stage.admitted >= most - 1)
      assert.ok(stage.admitted <= most, `${stage.admitted} of ${most}`)
      assert.equal(new SharedLimiter(stage.memory, { monotonicMs: () => 1_000, wallMs: () => 0 }).evicted, 0)
    }
  })

  test('go on for ever in memory that is too small for their keys', async () => {
    await using stage = new ThreadStage('many keys', [1, 86_400_000, 1], 64)
    await stage.offer(10_000)
    await stage.replace(1)
    await stage.offer(10_000)
    const limiter = new SharedLimiter(stage.memory, { monotonicMs: () => 1_000, wallMs: () => 0 })
    assert.ok(limiter.evicted > 0)
    assert.equal(limiter.take([rateRule(1, 1_000, 1)], ['somebody else']).admitted, true)
  })

  test('hold as many places as there are, and none after their end', async () => {
    const stage = new ThreadStage('places', [1, 1, 1])
    {
      await using running = stage
      for (let round = 0; round < scale(8, 200); round++) {
        await running.offer(1_000)
        await running.replace(round % THREADS)
      }
      assert.ok(running.admitted > 0)
    }
    const control = new PlaceCount(stage.places, THREADS)
    assert.ok(Atomics.load(stage.counts, MOST_HELD) <= 3)
    assert.equal(control.taken('acme'), 0)
  })
})

test('the monotonic clocks of all threads count from the same moment', async () => {
  const code = "require('node:worker_threads').parentPort.postMessage(performance.now())"
  const startMs = performance.now()
  const worker = new Worker(code, { eval: true })
  const [threadMs] = (await once(worker, 'message')) as [number]
  await once(worker, 'exit')
  assert.ok(threadMs >= startMs && threadMs <= performance.now(), `${threadMs} after ${startMs}`)
})
