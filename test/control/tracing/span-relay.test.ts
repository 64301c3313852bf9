import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Config, TracingConfig } from '../../../src/config/config.ts'
import type { SpanExportParts } from '../../../src/control/tracing/span-export.ts'
import { SpanRelay, type SpanSink } from '../../../src/control/tracing/span-relay.ts'
import type { LogFields } from '../../../src/observe/log-line.ts'
import { createLogRing, LogRingWriter } from '../../../src/observe/log-ring.ts'
import { controlConfig } from '../../support/control-config.ts'
import { ManualTime } from '../../support/manual-time.ts'

const TRACING: TracingConfig = {
  endpoint: 'http://127.0.0.1:9/v1/traces',
  sample: 0.1,
  headers: [],
  serviceName: 'nyro-gateway',
}

function configWith(tracing: TracingConfig | null): Config {
  return { ...controlConfig({}), tracing }
}

/** A collector's place that takes what the test lets it. */
class FakeSink implements SpanSink {
  readonly taken: string[] = []
  /** How many had been taken when they were to be sent. */
  readonly flushed: number[] = []
  /** Times it takes something. */
  room = Number.POSITIVE_INFINITY
  closed = 0
  readonly parts: SpanExportParts

  constructor(parts: SpanExportParts) {
    this.parts = parts
  }

  take(lines: Buffer, exchanges: number): boolean {
    if (this.room === 0) return false
    this.room--
    const taken = lines.toString('latin1').split('\n')
    assert.deepEqual([taken.pop(), taken.length], ['', exchanges])
    this.taken.push(...taken)
    return true
  }

  flush(): void {
    this.flushed.push(this.taken.length)
  }

  async close(): Promise<void> {
    this.closed++
  }
}

function stage(threads = 2) {
  const rings = Array.from({ length: threads }, createLogRing)
  const time = new ManualTime()
  const logged: [string, LogFields][] = []
  const sinks: FakeSink[] = []
  const relay = new SpanRelay({
    rings,
    version: '1.2.3',
    log: { log: (_level, event, fields) => void logged.push([event, fields]) },
    startTimer: time.startTimer,
    openSink: async (parts) => {
      const sink = new FakeSink(parts)
      sinks.push(sink)
      return sink
    },
  })
  const writers = rings.map((ring) => new LogRingWriter(ring))
  const record = (thread: number, line: string): boolean => writers[thread]?.write(line) ?? false
  return { relay, time, logged, sinks, record }
}

describe('a relay of spans', () => {
  test('sends what every thread recorded, and looks again by itself', async () => {
    const { relay, time, sinks, record } = stage()
    await relay.follow(configWith(TRACING))
    record(0, 'a')
    record(1, 'b')
    await time.pass(1_000)
    record(1, 'c')
    await time.pass(1_000)
    assert.deepEqual(sinks[0]?.taken, ['a', 'b', 'c'])
    assert.deepEqual(sinks[0].flushed, [0, 2, 3])
  })

  test('looks less often while there is much, so that it is sent in one go', async () => {
    const { relay, time, sinks, record } = stage()
    await relay.follow(configWith(TRACING))
    const [sink] = sinks
    assert.ok(sink)
    for (let count = 0; count < 32; count++) for (const thread of [0, 1]) record(thread, 'a')
    await time.pass(1_000)
    assert.equal(sink.taken.length, 64)
    record(0, 'b')
    await time.pass(4_999)
    assert.equal(sink.taken.length, 64)
    await time.pass(1)
    assert.equal(sink.taken.length, 65)
    record(0, 'c')
    await time.pass(1_000)
    assert.equal(sink.taken.length, 66)
  })

  test('looks sooner once a ring fills, and while it holds more than there is room for', async () => {
    const { relay, time, sinks, record } = stage()
    await relay.follow(configWith(TRACING))
    const [sink] = sinks
    assert.ok(sink)
    record(0, 'a')
    relay.hurry()
    relay.hurry()
    await time.pass(49)
    assert.equal(sink.taken.length, 0)
    await time.pass(1)
    assert.deepEqual(sink.taken, ['a'])
    for (const thread of [0, 1]) record(thread, 'b')
    sink.room = 1
    await time.pass(1_000)
    assert.deepEqual(sink.taken, ['a', 'b'])
    sink.room = 1
    await time.pass(49)
    assert.deepEqual(sink.taken, ['a', 'b'])
    await time.pass(1)
    assert.deepEqual(sink.taken, ['a', 'b', 'b'])
    record(1, 'late')
    await time.pass(999)
    assert.equal(sink.taken.length, 3)
    await time.pass(1)
    assert.equal(sink.taken.length, 3, 'no room')
  })

  test('hands over whole lines, however much there is', async () => {
    const { relay, time, sinks, record } = stage(1)
    await relay.follow(configWith(TRACING))
    const lines = Array.from({ length: 3_000 }, (_, index) => `span ${index} ${'x'.repeat(1_000)}`)
    // Twice, so that the second time the lines lie across the ring's end.
    for (const round of [1, 2]) {
      for (const line of lines) assert.ok(record(0, line))
      await time.pass(5_000)
      assert.deepEqual(sinks[0]?.taken.splice(0), lines, `round ${round}`)
    }
  })

  test('is not hurried where tracing is off', async () => {
    const { relay, time } = stage()
    await relay.follow(configWith(null))
    relay.hurry()
    assert.equal(time.waiting, 0)
  })

  test('loads nothing and waits for nothing where tracing is off', async () => {
    const { relay, time, sinks } = stage()
    await relay.follow(configWith(null))
    assert.deepEqual([sinks.length, time.waiting], [0, 0])
    await relay.close(1_000)
  })

  test('leaves in the ring what finds no room', async () => {
    const { relay, time, sinks, record } = stage()
    await relay.follow(configWith(TRACING))
    const [sink] = sinks
    assert.ok(sink)
    sink.room = 1
    record(0, 'a')
    await time.pass(1_000)
    record(0, 'b')
    await time.pass(1_000)
    assert.deepEqual([sink.taken, relay.dropped], [['a'], 0])
    sink.room = 1
    await time.pass(1_000)
    assert.deepEqual([sink.taken, relay.dropped], [['a', 'b'], 0])
  })

  test('counts what was lost with exports, and says so once they work again', async () => {
    const { relay, sinks, logged } = stage()
    await relay.follow(configWith(TRACING))
    const [sink] = sinks
    assert.ok(sink)
    sink.parts.exported('ECONNREFUSED', 5)
    sink.parts.exported('ECONNREFUSED', 4)
    sink.parts.exported(null, 0)
    sink.parts.exported(null, 0)
    assert.equal(relay.dropped, 9)
    assert.deepEqual(logged, [
      ['Exporting traces failed', { reason: 'ECONNREFUSED' }],
      ['Exporting traces works again', { exchanges_dropped: 9 }],
    ])
  })

  test('counts what found no room in a ring', async () => {
    const { relay, time, record } = stage(1)
    let lost = 0
    for (let index = 0; index < 5_000; index++) if (!record(0, 'x'.repeat(1_000))) lost++
    assert.ok(lost > 0)
    await relay.follow(configWith(TRACING))
    await time.pass(60_000)
    assert.equal(relay.dropped, lost)
  })

  test('takes up another collector with a reload, and keeps it where only the share changes', async () => {
    const { relay, sinks, record } = stage()
    await relay.follow(configWith(TRACING))
    await relay.follow(configWith({ ...TRACING, sample: 0.5 }))
    assert.equal(sinks.length, 1)
    record(0, 'old')
    await relay.follow(configWith({ ...TRACING, serviceName: 'edge' }))
    assert.deepEqual([sinks.length, sinks[0]?.taken, sinks[0]?.closed], [2, ['old'], 1])
    await relay.follow(configWith(null))
    assert.equal(sinks[1]?.closed, 1)
  })

  test('says in one line that the SDK cannot be had, and leaves it at that', async () => {
    const logged: string[] = []
    const time = new ManualTime()
    const relay = new SpanRelay({
      rings: [createLogRing()],
      version: '1.2.3',
      log: { log: (_level, event, { reason }) => void logged.push(`${event}: ${reason}`) },
      startTimer: time.startTimer,
      openSink: () => Promise.reject(new Error('no such package')),
    })
    await relay.follow(configWith(TRACING))
    assert.deepEqual([logged, time.waiting], [['Traces cannot be exported: no such package'], 0])
  })

  test('closes within its time, whatever the collector does', async () => {
    const { relay, time, sinks, record } = stage()
    await relay.follow(configWith(TRACING))
    const [sink] = sinks
    assert.ok(sink)
    sink.close = () => new Promise<void>(() => {})
    record(0, 'last')
    let isClosed = false
    void relay.close(500).then(() => {
      isClosed = true
    })
    await time.pass(499)
    assert.deepEqual([isClosed, sink.taken], [false, ['last']])
    await time.pass(1)
    assert.ok(isClosed)
  })
})
