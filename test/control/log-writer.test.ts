import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogOutput } from '../../src/control/log-output.ts'
import { LogWriter, type LogWriterOptions } from '../../src/control/log-writer.ts'
import { logLine } from '../../src/observe/log-line.ts'
import { createLogRing, LOG_RING_BYTES, LogRingWriter } from '../../src/observe/log-ring.ts'
import { ManualTime } from '../support/manual-time.ts'

/** A pipe whose reader the test plays: takes what `room` says, then EAGAIN, as the kernel does. */
class FakePipe implements LogOutput {
  /** A character a byte. */
  text = ''
  room = Number.POSITIVE_INFINITY
  errorCode = 'EAGAIN'
  writes = 0
  reopened = 0
  /** What opening again fails with. */
  refusal: string | null = null

  write(bytes: Uint8Array, start: number, length: number): number {
    this.writes++
    const count = Math.min(length, this.room)
    if (count === 0) throw Object.assign(new Error('write'), { code: this.errorCode })
    this.text += Buffer.from(bytes.buffer, bytes.byteOffset + start, count).toString('latin1')
    this.room -= count
    return count
  }

  reopen(): void {
    if (this.refusal !== null) throw Object.assign(new Error('open'), { code: this.refusal })
    this.reopened++
  }

  lines(): {
    readonly event: string
    readonly count?: number
    readonly ring?: number
    readonly index?: number
  }[] {
    assert.ok(this.text === '' || this.text.endsWith('\n'), 'the output ends with a whole line')
    return this.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line))
  }
}

function stage(rings: number, own: Partial<LogWriterOptions> = {}) {
  const memories = Array.from({ length: rings }, createLogRing)
  const time = new ManualTime()
  const pipe = new FakePipe()
  const writer = new LogWriter({
    output: pipe,
    rings: memories,
    level: 'info',
    render: null,
    clock: time,
    startTimer: time.startTimer,
    ...own,
  })
  return { time, pipe, writer, threads: memories.map((memory) => new LogRingWriter(memory)) }
}

const line = (ring: number, index: number) =>
  logLine(0, 'info', 'test', 'Line', { ring, index, pad: 'x'.repeat((index * 31) % 400) })

test('lines of control and of every thread come out, each thread in its order', () => {
  const { pipe, writer, threads } = stage(2)
  for (let index = 0; index < 100; index++)
    for (const [ring, thread] of threads.entries()) thread.write(line(ring, index))
  writer.log('info', 'Said', { yes: true })
  const lines = pipe.lines()
  assert.equal(lines.length, 201)
  for (const ring of [0, 1]) {
    const indexes = lines.filter((each) => each.ring === ring).map((each) => each.index)
    assert.deepEqual(
      indexes,
      Array.from({ length: 100 }, (_, index) => index),
    )
  }
})

test('rings are looked into by itself, without anybody asking', async () => {
  const { time, pipe, writer, threads } = stage(1)
  writer.start()
  threads[0]?.write(line(0, 0))
  assert.equal(pipe.text, '')
  await time.pass(50)
  assert.equal(pipe.lines().length, 1)
  threads[0]?.write(line(0, 1))
  await time.pass(50)
  assert.equal(pipe.lines().length, 2)
  await writer.close(0)
  assert.equal(time.waiting, 0)
})

test('an idle process is not woken to look, and the first line afterwards asks for itself', async () => {
  const { time, pipe, writer, threads } = stage(2)
  const [thread] = threads
  assert.ok(thread)
  writer.start()
  thread.write(line(0, 0))
  assert.equal(thread.takeAttention(), false)
  await time.pass(5_000)
  assert.equal(pipe.lines().length, 1)
  assert.equal(time.waiting, 0)
  thread.write(line(0, 1))
  assert.equal(thread.takeAttention(), true)
  writer.drain()
  assert.equal(pipe.lines().length, 2)
  thread.write(line(0, 2))
  assert.equal(thread.takeAttention(), false)
  await time.pass(50)
  assert.equal(pipe.lines().length, 3)
  await writer.close(0)
})

test('lines that come now and then keep the looks going', async () => {
  const { time, pipe, writer, threads } = stage(1)
  writer.start()
  for (let index = 0; index < 20; index++) {
    threads[0]?.write(line(0, index))
    assert.equal(threads[0]?.takeAttention(), false)
    await time.pass(900)
  }
  assert.equal(pipe.lines().length, 20)
  await writer.close(0)
})

test('control keeps its own lines to the configured level', () => {
  const { pipe, writer } = stage(0, { level: 'warning' })
  for (const level of ['debug', 'info', 'warning', 'error', 'critical'] as const) writer.log(level, level, {})
  assert.deepEqual(
    pipe.lines().map(({ event }) => event),
    ['warning', 'error', 'critical'],
  )
})

test('a line cut by a full pipe goes on at the exact byte, before any other', async () => {
  const { time, pipe, writer, threads } = stage(3)
  let state = 7
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
  pipe.room = 0
  for (let round = 0; round < 300; round++) {
    for (const [ring, thread] of threads.entries()) thread.write(line(ring, round))
    if (round % 7 === 0) writer.log('info', 'Said', {})
    writer.drain()
    await time.pass(1 + random(20))
    pipe.room = random(1_500)
  }
  pipe.room = Number.POSITIVE_INFINITY
  await time.pass(200)
  const lines = pipe.lines()
  assert.equal(lines.length, 900 + 43)
  for (const ring of [0, 1, 2]) {
    const indexes = lines.filter((each) => each.ring === ring).map((each) => each.index)
    assert.deepEqual(
      indexes,
      Array.from({ length: 300 }, (_, index) => index),
    )
  }
})

test('a blocked output costs a try now and then, however often somebody asks', async () => {
  const { time, pipe, writer, threads } = stage(1)
  pipe.room = 0
  threads[0]?.write(line(0, 0))
  for (let index = 0; index < 1_000; index++) {
    writer.drain()
    await time.pass(10)
  }
  assert.ok(pipe.writes > 20 && pipe.writes < 200, `${pipe.writes} tries in 10 s`)
})

test('lines lost behind a blocked output are counted and told once it flows again', async () => {
  const { time, pipe, writer, threads } = stage(1)
  const [thread] = threads
  assert.ok(thread)
  pipe.room = 1_000
  let lost = 0
  for (let index = 0; index < 40_000; index++) {
    if (!thread.write(line(0, index))) lost++
    if (index % 100 === 0) writer.drain()
  }
  assert.ok(lost > 0)
  assert.equal(writer.dropped, lost)
  pipe.room = Number.POSITIVE_INFINITY
  await time.pass(5_000)
  const lines = pipe.lines()
  const told = lines.filter(({ event }) => event === 'Log lines dropped')
  assert.deepEqual(
    told.map(({ count }) => count),
    [lost],
  )
  assert.equal(lines.length - told.length, 40_000 - lost)
})

test('an output that never catches up still hears of lost lines, and of control', async () => {
  const { time, pipe, writer, threads } = stage(2)
  for (let index = 0; index < 400; index++) {
    for (const [ring, thread] of threads.entries()) while (thread.write(line(ring, 0)));
    if (index === 20) writer.log('info', 'Said', {})
    pipe.room = 16_384
    await time.pass(100)
  }
  pipe.room = Number.POSITIVE_INFINITY
  const cut = pipe.text.lastIndexOf('\n') + 1
  const events = pipe.text
    .slice(0, cut)
    .split('\n')
    .slice(0, -1)
    .map((text) => JSON.parse(text).event)
  assert.equal(events.filter((event) => event === 'Said').length, 1)
  const told = events.filter((event) => event === 'Log lines dropped').length
  assert.ok(told > 2 && told < 20, `told ${told} times in ${pipe.text.length} bytes`)
})

test('a reader that is gone ends the writing and nothing else', async () => {
  const { time, pipe, writer, threads } = stage(1)
  pipe.room = 0
  pipe.errorCode = 'EPIPE'
  writer.start()
  for (let index = 0; index < 40_000; index++) {
    threads[0]?.write(line(0, index))
    writer.log('error', 'Said', {})
  }
  await time.pass(10_000)
  assert.equal(pipe.writes, 1)
  assert.ok(writer.dropped > 5_000)
  await writer.close(1_000)
})

test('a full disk is tried again until there is room', async () => {
  const { time, pipe, writer } = stage(0)
  pipe.room = 0
  pipe.errorCode = 'ENOSPC'
  writer.log('info', 'Said', {})
  await time.pass(10_000)
  assert.equal(pipe.text, '')
  pipe.room = 1_000
  await time.pass(200)
  assert.equal(pipe.lines().length, 1)
})

test('a line longer than a turn comes out whole', () => {
  const { pipe, writer, threads } = stage(1)
  const long = logLine(0, 'info', 'test', 'Long', { pad: 'y'.repeat(200_000) })
  for (const text of [line(0, 0), long, line(0, 1)]) threads[0]?.write(text)
  writer.drain()
  assert.deepEqual(
    pipe.lines().map(({ event }) => event),
    ['Line', 'Long', 'Line'],
  )
})

test('a terminal gets each line rendered, and a slow one gets it whole', async () => {
  const { time, pipe, writer, threads } = stage(1, { render: (text) => `«${JSON.parse(text).index}»` })
  for (let index = 0; index < 50; index++) threads[0]?.write(line(0, index))
  pipe.room = 7
  writer.drain()
  for (let step = 0; step < 100; step++) {
    pipe.room = 5
    await time.pass(200)
  }
  const text = Buffer.from(pipe.text, 'latin1').toString('utf8')
  assert.equal(text, Array.from({ length: 50 }, (_, index) => `«${index}»\n`).join(''))
})

test('closing waits for a slow reader, but not longer than its time', async () => {
  const { time, pipe, writer } = stage(0)
  pipe.room = 0
  writer.log('info', 'Last', {})
  const late = writer.close(250)
  await time.pass(100)
  pipe.room = 1_000
  await time.pass(150)
  await late
  assert.equal(pipe.lines().length, 1)

  const blocked = stage(0)
  blocked.pipe.room = 0
  blocked.writer.log('info', 'Last', {})
  const closed = blocked.writer.close(250)
  await blocked.time.pass(250)
  await closed
  assert.equal(blocked.time.waiting, 0)
})

test('one flush ends even while threads write as fast as it does', () => {
  const { pipe, writer, threads } = stage(1)
  const output = pipe.write.bind(pipe)
  let bytes = 0
  pipe.write = (...run) => {
    bytes += run[2]
    while (threads[0]?.write(line(0, 399)));
    pipe.text = ''
    return output(...run)
  }
  threads[0]?.write(line(0, 0))
  writer.drain()
  assert.ok(bytes < 3 * LOG_RING_BYTES)
})

test('an output is opened again after a rotation, and an end of it that was reached is forgotten', () => {
  const { pipe, writer } = stage(0)
  pipe.room = 0
  pipe.errorCode = 'EPIPE'
  writer.log('info', 'Lost to whoever left', {})
  pipe.room = Number.POSITIVE_INFINITY
  writer.log('info', 'Waits', {})
  assert.equal(pipe.text, '')
  writer.reopen()
  assert.equal(pipe.reopened, 1)
  assert.deepEqual(
    pipe.lines().map(({ event }) => event),
    ['Lost to whoever left', 'Waits', 'Log file opened again'],
  )
})

test('an output that cannot be opened again is kept, with a line that says why', () => {
  const { pipe, writer } = stage(0)
  pipe.refusal = 'ENOENT'
  writer.reopen()
  writer.log('info', 'Still here', {})
  assert.equal(pipe.reopened, 0)
  assert.match(pipe.text, /cannot be opened again.*"reason":"ENOENT"/)
  assert.match(pipe.text, /Still here/)
})
