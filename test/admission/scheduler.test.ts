import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Entered } from '../../src/admission/gate.ts'
import { SLOT, Stage } from './desk.ts'

const CONFIG = { concurrency: 2, queue: 3, timeoutMs: 1_000 }

/** Asks at a thread's gate; what came of it is in the list, in order. */
function asking(stage: Stage, came: string[]) {
  return (row: number, tenant: string, isWanted: () => boolean = () => true): void => {
    const gate = stage.gates[row]
    if (gate === undefined) throw new Error(`no thread ${row}`)
    if (gate.tryEnter(SLOT)) {
      came.push(`${tenant} at once`)
      return
    }
    void gate.wait(SLOT, tenant, 1, isWanted).then((entered: Entered) => came.push(`${tenant} ${entered}`))
  }
}

describe('admission', () => {
  test('lets in at once while places are free, whatever the thread', () => {
    const [stage, came] = [new Stage(CONFIG), [] as string[]]
    const ask = asking(stage, came)
    ask(0, 'a')
    ask(1, 'b')
    assert.deepEqual(came, ['a at once', 'b at once'])
    assert.equal(stage.inUse, 2)
  })

  test('gives a place that is given back to whoever waits, in another thread too', async () => {
    const [stage, came] = [new Stage(CONFIG), [] as string[]]
    const ask = asking(stage, came)
    for (const tenant of ['a', 'a', 'a']) ask(0, tenant)
    await stage.settle()
    assert.deepEqual([came.length, stage.waiting], [2, 1])
    stage.gates[0]?.leave(SLOT)
    await stage.settle()
    assert.deepEqual([came[2], stage.inUse, stage.waiting], ['a entered', 2, 0])
  })

  test('lets nobody past those who wait', async () => {
    const [stage, came] = [new Stage(CONFIG), [] as string[]]
    const ask = asking(stage, came)
    for (const tenant of ['a', 'a', 'b']) ask(0, tenant)
    await stage.settle()
    stage.gates[0]?.leave(SLOT)
    // A place is free, and control has not heard of it.
    ask(1, 'c')
    await stage.settle()
    assert.deepEqual(came, ['a at once', 'a at once', 'b entered'])
    stage.gates[0]?.leave(SLOT)
    await stage.settle()
    assert.equal(came[3], 'c entered')
    assert.equal(stage.gates[1]?.tryEnter(SLOT), false)
    stage.gates[0]?.leave(SLOT)
    assert.equal(stage.gates[1]?.tryEnter(SLOT), true)
  })

  // The attack: one tenant fills every place and every queue it can.
  test('lets a tenant wait behind itself only', async () => {
    const [stage, came] = [new Stage(CONFIG), [] as string[]]
    const ask = asking(stage, came)
    for (let n = 0; n < 6; n++) ask(0, 'flood')
    ask(1, 'calm')
    await stage.settle()
    assert.deepEqual(came.slice(2), ['flood full'])
    stage.gates[0]?.leave(SLOT)
    stage.gates[0]?.leave(SLOT)
    await stage.settle()
    assert.ok(came.includes('calm entered'), came.join())
  })

  test('turns away whose time is over, and only those', async () => {
    const [stage, came] = [new Stage(CONFIG), [] as string[]]
    const ask = asking(stage, came)
    for (const tenant of ['a', 'a', 'a']) ask(0, tenant)
    await stage.settle()
    stage.nowMs += 600
    ask(1, 'b')
    await stage.settle()
    stage.nowMs += 400
    stage.scheduler.sweep()
    await stage.settle()
    assert.deepEqual(came.slice(2), ['a late'])
    assert.equal(stage.waiting, 1)
  })

  test('sheds the longest queue once all together hold ten times what one may', async () => {
    const [stage, came] = [new Stage({ ...CONFIG, queue: 2 }), [] as string[]]
    const ask = asking(stage, came)
    ask(0, 'x')
    ask(0, 'x')
    for (let n = 0; n < 19; n++) ask(0, `t${n}`)
    ask(0, 'long')
    await stage.settle()
    assert.deepEqual(came.slice(2), [])
    ask(0, 'long')
    await stage.settle()
    assert.deepEqual(came.slice(2), ['long shed'])
    assert.equal(stage.waiting, 20)
  })

  test('gives no place to a client that left, and takes it out of its queue', async () => {
    const [stage, came] = [new Stage(CONFIG), [] as string[]]
    const ask = asking(stage, came)
    ask(0, 'a')
    ask(0, 'a')
    let isThere = true
    ask(0, 'gone', () => isThere)
    ask(1, 'b')
    await stage.settle()
    isThere = false
    stage.gates[0]?.leave(SLOT)
    await stage.settle()
    assert.deepEqual([came.slice(2), stage.inUse], [['b entered'], 2])
    ask(0, 'gone', () => isThere)
    await stage.settle()
    stage.gates[0]?.sweep()
    await stage.settle()
    assert.deepEqual([stage.waiting, stage.gates[0]?.waiting], [0, 0])
  })

  test('gives back what a dead thread held, and forgets what it asked', async () => {
    const [stage, came] = [new Stage(CONFIG), [] as string[]]
    const ask = asking(stage, came)
    ask(0, 'a')
    ask(0, 'a')
    ask(0, 'a')
    ask(1, 'b')
    await stage.settle()
    stage.places[2]?.reclaim(0)
    stage.scheduler.died(0)
    await stage.settle()
    assert.deepEqual(came.slice(2), ['b entered'])
    assert.deepEqual([stage.inUse, stage.waiting], [1, 0])
  })

  test('goes by a new limit at once, both ways, with the queues kept', async () => {
    const [stage, came] = [new Stage(CONFIG), [] as string[]]
    const ask = asking(stage, came)
    for (const tenant of ['a', 'a', 'a', 'a']) ask(0, tenant)
    await stage.settle()
    stage.scheduler.configure(SLOT, { ...CONFIG, concurrency: 3 })
    await stage.settle()
    assert.deepEqual([came.length, stage.waiting], [3, 1])
    stage.scheduler.configure(SLOT, { ...CONFIG, concurrency: 1 })
    stage.gates[0]?.leave(SLOT)
    await stage.settle()
    assert.deepEqual([came.length, stage.inUse, stage.waiting], [3, 2, 1])
    stage.scheduler.configure(SLOT, null)
    await stage.settle()
    assert.equal(came.length, 4)
  })

  test('follows latency where the limit is to find itself', () => {
    const stage = new Stage({ ...CONFIG, concurrency: 'auto' })
    const limits: number[] = []
    for (const ms of [10, 10, 10, 500, 500, 500]) {
      while (stage.gates[0]?.tryEnter(SLOT) === true) {}
      for (let n = 0; n < 20; n++) stage.gates[0]?.observe(SLOT, ms)
      stage.scheduler.adapt()
      limits.push(stage.places[0]?.limit(SLOT) ?? 0)
    }
    assert.ok((limits[2] ?? 0) > (limits[0] ?? 0) && (limits[5] ?? 0) < (limits[3] ?? 0), limits.join())
  })
})
