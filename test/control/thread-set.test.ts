import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ThreadListener } from '../../src/control/data-thread.ts'
import type { LogWriter } from '../../src/control/log-writer.ts'
import { StartRefusal } from '../../src/control/start-refusal.ts'
import { ThreadSet } from '../../src/control/thread-set.ts'
import type { ThreadBirth } from '../../src/worker/messages.ts'
import { ManualTime, settled } from '../support/manual-time.ts'

class FakeThread {
  readonly row: number
  readonly listener: ThreadListener
  readonly heard: string[] = []
  killed = false

  constructor(row: number, listener: ThreadListener) {
    this.row = row
    this.listener = listener
  }

  die(reason = 'Error: broken'): void {
    this.listener.died({ reason, stack: null })
  }
}

function stage(rows: number) {
  const time = new ManualTime()
  const threads: FakeThread[] = []
  const reclaimed: number[] = []
  const events: string[] = []
  const log = {
    log: (_level: string, event: string) => events.push(event),
    drain: () => events.push('(drained the rings)'),
  }
  const followed: string[] = []
  const port = {
    number: 20_000,
    /** Of the settings, or of a machine that has no other. */
    isOnly: false,
    released: false,
    get listen() {
      return { kind: 'listen', host: '127.0.0.1', port: this.number } as const
    },
    async drawAgain() {
      if (this.isOnly) throw new StartRefusal('another process holds this port')
      this.number += 1
    },
    release() {
      this.released = true
    },
  }
  const set = new ThreadSet({
    ...{ rows, port },
    follower: {
      born: (row) => void followed.push(`born ${row}`),
      died: (row) => void followed.push(`died ${row}`),
      answered: (row, { kind }) => void followed.push(`${kind} ${row}`),
    },
    identity: (row, { kind }) => void followed.push(`${kind} ${row}`),
    // The set passes a birth on without reading more than its own row into it.
    birth: (row) => ({ row }) as ThreadBirth,
    reclaim: (row) => reclaimed.push(row),
    takeSecond: () => {},
    gate: () => {},
    startThread: (birth, listener) => {
      const thread = new FakeThread(birth.row, listener)
      threads.push(thread)
      return {
        post: (message) => {
          thread.heard.push(message.kind === 'listen' ? `listen ${message.port}` : message.kind)
        },
        kill: () => {
          thread.killed = true
        },
      }
    },
    // The set writes lines and has rings drained; nothing else of a LogWriter is reached.
    log: log as unknown as LogWriter,
    spans: { hurry: () => void events.push('(hurried the spans)') },
    clock: time,
    startTimer: time.startTimer,
  })
  /** The newest thread of a row. */
  const thread = (row: number): FakeThread => {
    const found = threads.findLast((each) => each.row === row)
    assert.ok(found)
    return found
  }
  return { set, time, threads, thread, reclaimed, events, followed, port }
}

async function started(rows: number) {
  const it = stage(rows)
  const start = it.set.start()
  for (let row = 0; row < rows; row++) it.thread(row).listener.said({ kind: 'listening' })
  await start
  return it
}

test('start waits for every thread to listen', async () => {
  const { set, thread } = stage(2)
  let done = false
  const start = set.start().then(() => {
    done = true
  })
  thread(0).listener.said({ kind: 'listening' })
  await settled()
  assert.equal(done, false)
  thread(1).listener.said({ kind: 'listening' })
  await start
  assert.equal(set.listening, 2)
})

test('one thread listens first, and is told another port as long as its own turns out taken', async () => {
  const { set, thread, port } = stage(3)
  const start = set.start()
  assert.deepEqual(
    [0, 1, 2].map((row) => thread(row).heard),
    [['listen 20000'], [], []],
  )
  for (let taken = 0; taken < 2; taken++) {
    thread(0).listener.said({ kind: 'taken' })
    await settled()
  }
  assert.deepEqual(thread(0).heard, ['listen 20000', 'listen 20001', 'listen 20002'])
  assert.deepEqual([thread(1).heard, thread(2).heard], [[], []])
  thread(0).listener.said({ kind: 'listening' })
  assert.deepEqual([thread(1).heard, thread(2).heard], [['listen 20002'], ['listen 20002']])
  for (const row of [1, 2]) thread(row).listener.said({ kind: 'listening' })
  await start
  assert.equal(port.released, false)
})

test('a port that is taken and has no other refuses the start', async () => {
  const { set, thread, port } = stage(2)
  port.isOnly = true
  const start = set.start()
  thread(0).listener.said({ kind: 'taken' })
  await assert.rejects(
    start,
    (error) => error instanceof StartRefusal && /holds this port/.test(error.message),
  )
  assert.equal(thread(0).killed, true)
})

test('a replacement is told the port of the others, and no other where that is taken', async () => {
  const { thread, threads, time, port, events } = await started(2)
  thread(0).die()
  await time.pass(0)
  assert.deepEqual(thread(0).heard, ['listen 20000'])
  thread(0).listener.said({ kind: 'taken' })
  await settled()
  assert.deepEqual([port.number, thread(0).heard, thread(0).killed], [20_000, ['listen 20000'], true])
  assert.ok(events.includes('Data thread refused to start'))
  thread(0).die()
  await time.pass(100)
  assert.equal(threads.length, 4)
})

test('the port is let go when nobody comes to listen any more', async () => {
  const { set, thread, time, port } = await started(1)
  thread(0).die()
  await time.pass(0)
  assert.equal(port.released, false)
  void set.close()
  assert.equal(port.released, true)
})

test('a thread that refuses to start refuses the start, with its own words', async () => {
  const { set, thread } = stage(2)
  const start = set.start()
  thread(1).listener.said({ kind: 'refused', reason: 'no such key' })
  await assert.rejects(start, (error) => error instanceof StartRefusal && error.message === 'no such key')
})

test('a thread that dies before it listens refuses the start', async () => {
  const { set, thread, time, threads } = stage(2)
  const start = set.start()
  thread(0).die('ERR_X: no module')
  await assert.rejects(start, (error) => error instanceof StartRefusal && /no module/.test(error.message))
  await time.pass(60_000)
  assert.equal(threads.length, 2)
})

test('a dead thread is logged, gives back what it held, and is replaced at once in its row', async () => {
  const { set, thread, threads, time, reclaimed, events } = await started(2)
  thread(1).die()
  assert.equal(set.listening, 1)
  assert.deepEqual(reclaimed, [1])
  assert.deepEqual(events, ['(drained the rings)', 'Data thread died'])
  await time.pass(0)
  assert.equal(threads.length, 3)
  assert.equal(thread(1), threads[2])
  thread(1).listener.said({ kind: 'listening' })
  assert.equal(set.listening, 2)
})

test('a thread that keeps dying is replaced ten times in a minute, then each 5 s', async () => {
  const { thread, threads, time } = await started(1)
  for (let death = 1; death <= 10; death++) {
    thread(0).die()
    await time.pass(death === 1 ? 0 : 100)
    assert.equal(threads.length, 1 + death)
  }
  thread(0).die()
  await time.pass(4_999)
  assert.equal(threads.length, 11)
  await time.pass(1)
  assert.equal(threads.length, 12)
  await time.pass(60_000)
  thread(0).die()
  await time.pass(0)
  assert.equal(threads.length, 13)
})

test('one row that keeps dying does not slow the replacement of another', async () => {
  const { thread, threads, time } = await started(2)
  for (let death = 0; death < 20; death++) {
    thread(0).die()
    await time.pass(5_000)
  }
  const before = threads.length
  thread(1).die()
  await time.pass(0)
  assert.equal(threads.length, before + 1)
})

test('a replacement that refuses is ended and tried again later', async () => {
  const { thread, threads, time, events } = await started(1)
  thread(0).die()
  await time.pass(0)
  thread(0).listener.said({ kind: 'refused', reason: 'port lost' })
  assert.equal(thread(0).killed, true)
  assert.ok(events.includes('Data thread refused to start'))
  thread(0).die()
  await time.pass(100)
  assert.equal(threads.length, 3)
})

test('closing is over when each thread has said so or is dead, and nobody is replaced', async () => {
  const { set, thread, threads, time, events } = await started(3)
  thread(2).die()
  let done = false
  const close = set.close().then(() => {
    done = true
  })
  assert.deepEqual([thread(0).heard.at(-1), thread(1).heard.at(-1)], ['close', 'close'])
  thread(0).listener.said({ kind: 'drained' })
  await time.pass(60_000)
  assert.equal(done, false)
  thread(1).die()
  await close
  assert.equal(threads.length, 3)
  assert.equal(events.filter((event) => event === 'Data thread died').length, 2)
})

test('an earlier death does not count as drained for the thread that replaced it', async () => {
  const { set, thread, time } = await started(1)
  thread(0).die()
  await time.pass(0)
  thread(0).listener.said({ kind: 'listening' })
  let done = false
  const close = set.close().then(() => {
    done = true
  })
  await time.pass(1_000)
  assert.equal(done, false)
  thread(0).listener.said({ kind: 'drained' })
  await close
})

test('ending waits for threads that end by themselves and logs no death', async () => {
  const { set, thread, time, events } = await started(2)
  const end = set.end()
  for (const row of [0, 1]) {
    assert.equal(thread(row).heard.at(-1), 'end')
    thread(row).die('it ended with exit code 0')
  }
  await end
  assert.ok(!events.includes('Data thread died'))
  assert.equal(time.waiting, 0)
})

test('a thread that does not end is killed, and one that cannot be is left behind', async () => {
  const { set, thread, time } = await started(2)
  const end = set.end()
  thread(0).die()
  await time.pass(249)
  assert.equal(thread(1).killed, false)
  await time.pass(1)
  assert.equal(thread(1).killed, true)
  await time.pass(250)
  await end
})

test('a thread whose ring is half full has it drained', async () => {
  const { thread, events } = await started(1)
  thread(0).listener.said({ kind: 'lines' })
  assert.deepEqual(events, ['(drained the rings)'])
  thread(0).listener.said({ kind: 'spans' })
  assert.deepEqual(events, ['(drained the rings)', '(hurried the spans)'])
})

test('a question is answered once every living thread has answered it, or was born after it', async () => {
  const { set, thread, time } = await started(2)
  const question = set.ask()
  assert.equal(set.answered, question - 1)
  thread(0).listener.said({ kind: 'answered', question })
  assert.equal(set.answered, question - 1)
  thread(1).die()
  assert.equal(set.answered, question)
  await time.pass(0)
  assert.equal(set.answered, question)
  set.ask()
  assert.equal(set.answered, question)
})

test('whoever follows threads learns of births, of deaths and of what they say to a rollout', async () => {
  const { thread, time, followed } = await started(2)
  thread(1).listener.said({ kind: 'prepared', version: 1 })
  thread(1).die()
  await time.pass(0)
  assert.deepEqual(followed, ['born 0', 'born 1', 'prepared 1', 'died 1', 'born 1'])
})
