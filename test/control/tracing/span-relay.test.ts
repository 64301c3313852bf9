import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Config, TracingConfig } from '../../../src/config/config.ts'
import type { SpanExportParts, SpanView } from '../../../src/control/tracing/span-export.ts'
import { SpanRelay, type SpanSink } from '../../../src/control/tracing/span-relay.ts'
import type { LogFields } from '../../../src/observe/log-line.ts'
import { createLogRing, LogRingWriter } from '../../../src/observe/log-ring.ts'
import type { ExchangeRecord } from '../../../src/observe/tracing/span-record.ts'
import { routeTo } from '../../support/config-part.ts'
import { controlConfig } from '../../support/control-config.ts'
import { ManualTime } from '../../support/manual-time.ts'

const TRACING: TracingConfig = {
  endpoint: 'http://127.0.0.1:9/v1/traces',
  sample: 0.1,
  headers: [],
  serviceName: 'nyro-gateway',
}

function configWith(tracing: TracingConfig | null): Config {
  return { ...controlConfig({ routes: [routeTo('ingest', '/in/*', 'none', { name: 'ingest' })] }), tracing }
}

/** A collector's place that takes what the test lets it. */
class FakeSink implements SpanSink {
  readonly taken: string[] = []
  /** How many had been taken when they were to be sent. */
  readonly flushed: number[] = []
  room = Number.POSITIVE_INFINITY
  view: SpanView | null = null
  closed = 0
  readonly parts: SpanExportParts

  constructor(parts: SpanExportParts) {
    this.parts = parts
  }

  take(record: ExchangeRecord, view: SpanView): boolean {
    if (this.room === 0) return false
    this.room--
    this.view = view
    this.taken.push(record.spanId)
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
  const record = (thread: number, spanId: string): boolean =>
    writers[thread]?.write(JSON.stringify({ spanId, route: 'ingest', children: [] })) ?? false
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
    assert.equal(sinks[0].view?.templates.get('ingest'), '/in/*')
    assert.deepEqual(sinks[0].flushed, [0, 2, 3])
  })

  test('looks sooner once a ring fills, and while it holds more than is read in one go', async () => {
    const { relay, time, sinks, record } = stage()
    await relay.follow(configWith(TRACING))
    const [sink] = sinks
    assert.ok(sink)
    for (let index = 0; index < 2_500; index++) record(0, `span ${index}`)
    relay.hurry()
    relay.hurry()
    await time.pass(199)
    assert.equal(sink.taken.length, 0)
    await time.pass(1)
    assert.equal(sink.taken.length, 2_000)
    relay.hurry()
    await time.pass(200)
    assert.equal(sink.taken.length, 2_500)
    record(1, 'late')
    await time.pass(999)
    assert.equal(sink.taken.length, 2_500)
    await time.pass(1)
    assert.equal(sink.taken.length, 2_501)
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

  test('drops and counts what finds no room, and says so once it works again', async () => {
    const { relay, time, sinks, logged, record } = stage()
    await relay.follow(configWith(TRACING))
    const [sink] = sinks
    assert.ok(sink)
    sink.parts.exported('ECONNREFUSED', 5)
    sink.parts.exported('ECONNREFUSED', 4)
    sink.room = 1
    for (const id of ['a', 'b', 'c']) record(0, id)
    await time.pass(1_000)
    sink.parts.exported(null, 0)
    sink.parts.exported(null, 0)
    // Nine went with exports, two found no room.
    assert.deepEqual([sink.taken, relay.dropped], [['a'], 11])
    assert.deepEqual(logged, [
      ['Exporting traces failed', { reason: 'ECONNREFUSED' }],
      ['Exporting traces works again', { exchanges_dropped: 11 }],
    ])
  })

  test('counts what found no room in a ring', async () => {
    const { relay, time, record } = stage(1)
    let lost = 0
    for (let index = 0; index < 200_000; index++) if (!record(0, `span ${index}`)) lost++
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
