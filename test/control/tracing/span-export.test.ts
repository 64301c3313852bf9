import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { startTimer } from '../../../src/control/start-timer.ts'
import { SpanExport } from '../../../src/control/tracing/span-export.ts'
import type { ExchangeRecord } from '../../../src/observe/tracing/span-record.ts'
import { attributesOf, Collector } from '../../support/collector.ts'
import { freePort } from '../../support/free-port.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { until } from '../../support/until.ts'

const VIEW = { templates: new Map([['orders', '/orders/:id']]), redacted: new Set<never>() }

const RECORD: ExchangeRecord = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentId: null,
  state: '',
  startMs: 1_700_000_000_000.25,
  endMs: 1_700_000_000_001.5,
  requestId: 'r',
  method: 'GET',
  path: '/orders/1',
  scheme: 'https',
  host: '[2001:db8::1]:8443',
  minor: 1,
  clientIp: '192.0.2.7',
  tenant: 'acme',
  route: 'orders',
  status: 200,
  code: null,
  aborted: false,
  children: [],
  dropped: 0,
}

function exporting(t: TestContext, endpoint: string, timer = startTimer) {
  const outcomes: (string | null)[] = []
  const state = { lost: 0 }
  const tracing = { endpoint, sample: 1, headers: [], serviceName: 'nyro-gateway' }
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
  test('have the ids and times of the record, to the nanosecond', async (t) => {
    await using collector = await Collector.start()
    const { spans, outcomes } = exporting(t, collector.url)
    spans.take({ ...RECORD, parentId: 'b7ad6b7169203331', state: 'a=1' }, VIEW)
    const [span] = await until('a span', () => (collector.spans.length > 0 ? collector.spans : null))
    assert.deepEqual(
      [span?.traceId, span?.spanId, span?.parentSpanId, span?.traceState, span?.name],
      [RECORD.traceId, RECORD.spanId, 'b7ad6b7169203331', 'a=1', 'GET /orders/:id'],
    )
    assert.deepEqual(
      [span?.startTimeUnixNano, span?.endTimeUnixNano],
      ['1700000000000250000', '1700000000001500000'],
    )
    await until('the outcome', () => outcomes.length > 0)
    assert.deepEqual(outcomes, [null])
  })

  test('name methods from a closed list, and failures by their code', async (t) => {
    await using collector = await Collector.start()
    const { spans } = exporting(t, collector.url)
    spans.take({ ...RECORD, method: 'BREW', route: null, status: 503, code: 'connect_failed' }, VIEW)
    const [span] = await until('a span', () => (collector.spans.length > 0 ? collector.spans : null))
    assert.ok(span)
    const attributes = attributesOf(span)
    assert.deepEqual(
      [span.name, attributes['http.request.method'], attributes['http.request.method_original']],
      ['HTTP', '_OTHER', 'BREW'],
    )
    assert.deepEqual([attributes['error.type'], span.status.code], ['connect_failed', 2])
    assert.deepEqual([attributes['server.address'], attributes['server.port']], ['2001:db8::1', 8443])
  })

  test('say nothing that is redacted', async (t) => {
    await using collector = await Collector.start()
    const { spans } = exporting(t, collector.url)
    const redacted = new Set(['client_ip', 'company_id', 'path'] as const)
    spans.take(RECORD, { ...VIEW, redacted })
    await until('a span', () => collector.spans.length > 0)
    for (const text of ['192.0.2.7', 'acme', '/orders/1'])
      assert.ok(!collector.requests[0]?.text.includes(text), text)
  })
})

describe('a collector', () => {
  test('that answers nonsense has taken the spans all the same', async (t) => {
    await using collector = await Collector.start()
    collector.answer = (_, response) => void response.end('<html>not JSON')
    const { spans, outcomes, state } = exporting(t, collector.url)
    spans.take(RECORD, VIEW)
    await until('the outcome', () => outcomes.length > 0)
    assert.deepEqual([outcomes, state.lost], [[null], 0])
  })

  test('that refuses is told of by its status, never by its words', async (t) => {
    await using collector = await Collector.start()
    collector.answer = (_, response) =>
      void response.writeHead(401, 'No key 1234').end('the key 1234 is wrong')
    const { spans, outcomes, state } = exporting(t, collector.url)
    const child = { kind: 'policy', name: 'p', spanId: 'b7ad6b7169203332', startMs: 1, endMs: 2 } as const
    spans.take({ ...RECORD, children: [{ ...child, target: null, status: 0, fault: null }] }, VIEW)
    await until('the outcome', () => outcomes.length > 0)
    assert.deepEqual(outcomes, ['status 401'])
    assert.equal(state.lost, 1, 'one exchange of two spans')
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
    let taken = 0
    while (spans.take(RECORD, VIEW)) taken++
    assert.equal(taken, 4_096)
    await until('an export has begun', () => dripping > 0)
    await time.pass(60_000)
    assert.match(outcomes[0] ?? '', /^no answer within \d+ ms$/)
    await until('its connection is closed', () => dripping === 0 || time.waiting > 0)
    assert.ok(spans.take(RECORD, VIEW), 'what was lost with the export left no room')
  })

  test('that is not there is told of by the system’s code', async (t) => {
    const time = new ManualTime()
    const { spans, outcomes } = exporting(
      t,
      `http://127.0.0.1:${await freePort()}/v1/traces`,
      time.startTimer,
    )
    spans.take(RECORD, VIEW)
    await until('an export has begun', () => time.waiting > 0)
    await time.pass(60_000)
    assert.match(outcomes[0] ?? '', /^no answer within/)
  })
})
