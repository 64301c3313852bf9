import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { startTimer } from '../../../src/control/start-timer.ts'
import { SpanExport } from '../../../src/control/tracing/span-export.ts'
import { Collector } from '../../support/collector.ts'
import { freePort } from '../../support/free-port.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { until } from '../../support/until.ts'

/** A line as a data thread writes it: a span, its comma, and the ring's newline. */
function lineOf(spanId: string, padding = ''): Buffer {
  const attributes = [{ key: 'nyro.request_id', value: { stringValue: `r${padding}` } }]
  const span = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId, name: 'GET', kind: 2, attributes }
  return Buffer.from(`${JSON.stringify(span)},\n`)
}

const LINE = lineOf('00f067aa0ba902b7')

function exporting(t: TestContext, endpoint: string, timer = startTimer) {
  const outcomes: (string | null)[] = []
  const state = { lost: 0 }
  const tracing = { endpoint, sample: 1, headers: [], serviceName: 'edge "1"[]' }
  const spans = new SpanExport({
    tracing,
    version: '1.2.3',
    startTimer: timer,
    exported: (reason, lost) => {
      outcomes.push(reason)
      state.lost += lost
    },
  })
  t.after(() => void spans.close())
  return { spans, outcomes, state }
}

describe('exported spans', () => {
  test('arrive as they were written, with whose they are and what made them', async (t) => {
    await using collector = await Collector.start()
    const { spans, outcomes } = exporting(t, collector.url)
    for (const id of ['a', 'b']) assert.ok(spans.take(lineOf(id), 1))
    assert.ok(spans.take(Buffer.concat([lineOf('c'), lineOf('d')]), 2))
    assert.equal(collector.requests.length, 0)
    spans.flush()
    await until('the outcome', () => outcomes.length > 0)
    assert.deepEqual(outcomes, [null])
    assert.deepEqual(
      collector.spans.map(({ spanId }) => spanId),
      ['a', 'b', 'c', 'd'],
    )
    const [request] = collector.requests
    assert.ok(request)
    assert.deepEqual(
      [collector.services, request.headers['content-type']],
      [['edge "1"[]'], 'application/json'],
    )
    const { resourceSpans } = JSON.parse(request.text) as { resourceSpans: [{ scopeSpans: [object] }] }
    const { spans: _, ...scope } = resourceSpans[0].scopeSpans[0] as { spans: unknown }
    assert.deepEqual(scope, {
      scope: { name: 'nyro-gateway', version: '1.2.3' },
      schemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
    })
  })

  test('are sent once there is much of them, two requests at a time', async (t) => {
    await using collector = await Collector.start()
    const held: (() => void)[] = []
    collector.answer = (_, response) => void held.push(() => response.end('{}'))
    const { spans, outcomes } = exporting(t, collector.url)
    const half = lineOf('a', 'x'.repeat(520_000))
    for (let count = 0; count < 7; count++) assert.ok(spans.take(half, 1))
    spans.flush()
    await until('two requests', () => held.length === 2)
    for (const end of held.splice(0)) end()
    await until('both outcomes', () => outcomes.length === 2)
    spans.flush()
    await until('the rest', () => held.length === 1)
    assert.deepEqual(
      collector.requests.map(({ text }) => text.split('"spanId"').length - 1),
      [3, 3, 1],
    )
    held[0]?.()
  })
})

describe('a collector', () => {
  test('that answers nonsense has taken the spans all the same', async (t) => {
    await using collector = await Collector.start()
    collector.answer = (_, response) => void response.end('<html>not JSON')
    const { spans, outcomes, state } = exporting(t, collector.url)
    spans.take(LINE, 1)
    spans.flush()
    await until('the outcome', () => outcomes.length > 0)
    assert.deepEqual([outcomes, state.lost], [[null], 0])
  })

  test('that refuses is told of by its status, never by its words', async (t) => {
    await using collector = await Collector.start()
    collector.answer = (_, response) =>
      void response.writeHead(401, 'No key 1234').end('the key 1234 is wrong')
    const { spans, outcomes, state } = exporting(t, collector.url)
    spans.take(LINE, 1)
    spans.flush()
    await until('the outcome', () => outcomes.length > 0)
    assert.deepEqual(outcomes, ['status 401'])
    assert.equal(state.lost, 1)
  })

  test('that hangs, or drips, is left when the time is over; what waits is bounded', async (t) => {
    await using collector = await Collector.start()
    let dripping = 0
    collector.answer = (request, response) => {
      response.writeHead(200).write('{')
      const drip = setInterval(() => void response.write(' '), 50)
      dripping++
      request.socket.on('close', () => {
        clearInterval(drip)
        dripping--
      })
    }
    const time = new ManualTime()
    const { spans, outcomes } = exporting(t, collector.url, time.startTimer)
    const piece = lineOf('a', 'x'.repeat(200_000))
    let taken = 0
    while (spans.take(piece, 1)) taken++
    assert.equal(taken, Math.floor(4_194_304 / piece.length))
    await until('an export has begun', () => dripping > 0)
    await time.pass(60_000)
    assert.match(outcomes[0] ?? '', /^no answer within \d+ ms$/)
    await until('its connection is closed', () => dripping === 0 || time.waiting > 0)
    assert.ok(spans.take(piece, 1), 'what was lost with the export left room')
  })

  test('that is not there is told of by the system’s code', async (t) => {
    const time = new ManualTime()
    const { spans, outcomes } = exporting(
      t,
      `http://127.0.0.1:${await freePort()}/v1/traces`,
      time.startTimer,
    )
    spans.take(LINE, 1)
    spans.flush()
    await until('an export has begun', () => time.waiting > 0)
    await time.pass(60_000)
    assert.match(outcomes[0] ?? '', /^no answer within/)
  })
})
