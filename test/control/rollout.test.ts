import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rollout } from '../../src/control/rollout.ts'
import type { ControlMessage } from '../../src/worker/messages.ts'
import { routeTo } from '../support/config-part.ts'
import { controlConfig } from '../support/control-config.ts'
import { ManualTime, settled } from '../support/manual-time.ts'

function stage(rows: readonly number[], routes = 250) {
  const time = new ManualTime()
  const living = new Set(rows)
  const heard: { readonly row: number; readonly message: ControlMessage }[] = []
  const postTo = (row: number, message: ControlMessage): void => void heard.push({ row, message })
  const threads = {
    get living() {
      return [...living]
    },
    post: (message: ControlMessage) => {
      for (const row of living) postTo(row, message)
    },
    postTo,
  }
  const rollout = new Rollout(() => threads, time.startTimer)
  const config = {
    ...controlConfig(),
    routes: Array.from({ length: routes }, (_, index) => routeTo('ingest', `/${index}`, 'none')),
  }
  let outcome: string | null | undefined
  const start = (): void => {
    void rollout
      .prepare(config, () => [])
      .then((problem) => {
        outcome = problem
      })
  }
  /** Answers for a thread until it has nothing more to ask for. */
  const work = (row: number, version = 1): void => {
    for (;;) {
      const last = heard.findLast((each) => each.row === row)?.message
      if (last?.kind === 'prepare') rollout.answered(row, { kind: 'next', version })
      else if (last?.kind === 'routes' && !last.isLast) rollout.answered(row, { kind: 'next', version })
      else break
    }
    rollout.answered(row, { kind: 'prepared', version })
  }
  const kinds = (row: number): readonly string[] =>
    heard.filter((each) => each.row === row).map(({ message }) => message.kind)
  return { time, living, heard, rollout, start, work, kinds, outcome: () => outcome }
}

test('routes are sent in pieces of a hundred, each when the thread asks for it', async () => {
  const { start, rollout, heard, outcome } = stage([0])
  start()
  const pieces: number[] = []
  assert.equal(heard.length, 1)
  for (let asked = 0; asked < 3; asked++) {
    rollout.answered(0, { kind: 'next', version: 1 })
    const message = heard.at(-1)?.message
    assert.ok(message?.kind === 'routes')
    assert.equal(message.isLast, asked === 2)
    pieces.push(JSON.parse(message.text).length)
  }
  assert.deepEqual(pieces, [100, 100, 50])
  rollout.answered(0, { kind: 'prepared', version: 1 })
  await settled()
  assert.equal(outcome(), null)
})

test('a config without routes is prepared too', async () => {
  const { start, work, outcome } = stage([0], 0)
  start()
  work(0)
  await settled()
  assert.equal(outcome(), null)
})

test('nothing is put in force before every thread has prepared it', async () => {
  const { start, work, outcome } = stage([0, 1])
  start()
  work(0)
  await settled()
  assert.equal(outcome(), undefined)
  work(1)
  await settled()
  assert.equal(outcome(), null)
})

test('one thread that cannot is enough: all forget it', async () => {
  const { start, work, rollout, kinds, outcome } = stage([0, 1])
  start()
  work(0)
  rollout.answered(1, { kind: 'failed', version: 1, reason: 'sign.ts cannot be loaded' })
  await settled()
  assert.equal(outcome(), 'sign.ts cannot be loaded')
  assert.deepEqual([kinds(0).at(-1), kinds(1).at(-1)], ['drop', 'drop'])
})

test('a thread that dies is not waited for, and its replacement prepares it from the beginning', async () => {
  const { start, work, rollout, living, kinds, outcome } = stage([0, 1])
  start()
  rollout.answered(1, { kind: 'next', version: 1 })
  living.delete(1)
  rollout.died(1)
  living.add(1)
  rollout.born(1)
  work(0)
  await settled()
  assert.equal(outcome(), undefined)
  assert.deepEqual(kinds(1), ['prepare', 'routes', 'prepare'])
  work(1)
  await settled()
  assert.equal(outcome(), null)
})

test('the death of the last thread that was waited for is no reason to wait on', async () => {
  const { start, work, rollout, outcome } = stage([0, 1])
  start()
  work(0)
  rollout.died(1)
  await settled()
  assert.equal(outcome(), null)
})

test('a thread that never answers makes it fail in time', async () => {
  const { start, time, outcome } = stage([0])
  start()
  await time.pass(10_000)
  assert.match(String(outcome()), /within 10 s/)
  assert.equal(time.waiting, 0)
})

test('what a thread says of an earlier version counts for nothing', async () => {
  const { start, work, rollout, outcome } = stage([0])
  start()
  rollout.answered(0, { kind: 'failed', version: 0, reason: 'late' })
  rollout.answered(0, { kind: 'prepared', version: 0 })
  await settled()
  assert.equal(outcome(), undefined)
  work(0)
  await settled()
  assert.equal(outcome(), null)
})
