import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ExchangeRecord } from '../../../src/observe/tracing/span-record.ts'
import type { SpanRecorder } from '../../../src/observe/tracing/span-recorder.ts'
import { Tracer } from '../../../src/observe/tracing/tracer.ts'
import type { Exchange } from '../../../src/proxy/exchange.ts'
import { exchangeOf } from '../../proxy/exchange-of.ts'
import { parsedRequest } from '../../proxy/parsed-head.ts'
import { identityOf } from '../../support/identity.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

/** Bytes that count up, so that ids are told apart; the first batch begins with zeros. */
function counting(): (bytes: Buffer) => void {
  let next = 0
  return (bytes) => {
    for (let index = 0; index < bytes.length; index++) bytes[index] = next < 40 ? 0 : next & 255
    for (let index = 0; index < bytes.length; index += 4) bytes.writeUInt32BE(next++, index)
  }
}

function stage(share: number, random = 0.5) {
  const lines: string[] = []
  const parts = {
    share,
    random: () => random,
    wallMs: () => 1_000_000,
    write: (line: string) => void lines.push(line),
  }
  const tracer = new Tracer({ ...parts, fill: counting() })
  const records = (): ExchangeRecord[] => lines.map((line) => JSON.parse(line) as ExchangeRecord)
  return { tracer, lines, records }
}

function headWith(...fields: readonly string[]) {
  return parsedRequest('GET /orders/1?secret=1 HTTP/1.1', 'Host: gw.test', ...fields)
}

/** Of an exchange whose trace is kept. */
function recorded(tracer: Tracer, exchange: Exchange, peer: 'trusted' | 'untrusted'): SpanRecorder {
  tracer.begin(exchange, peer)
  assert.ok(exchange.spans)
  return exchange.spans
}

const PARENTED = headWith(`traceparent: 00-${TRACE}-${PARENT}-01`)

describe('whether a trace is kept', () => {
  for (const [peer, flag, share, random, sampled] of [
    ['trusted', '01', 0, 0.5, true],
    ['trusted', '00', 1, 0, false],
    ['untrusted', '01', 0, 0, false],
    ['untrusted', '01', 0.5, 0.49, true],
    ['untrusted', '00', 0.5, 0.49, true],
    ['untrusted', '01', 0.5, 0.5, false],
    ['trusted', null, 0.5, 0.49, true],
    ['trusted', null, 0.5, 0.5, false],
    ['trusted', null, 1, 0.999, true],
  ] as const) {
    const said = flag === null ? 'who names no parent' : `who says ${flag}`
    test(`by a ${peer} peer ${said}, of a share of ${share} at ${random}: ${sampled}`, () => {
      const { tracer } = stage(share, random)
      const head = flag === null ? headWith() : headWith(`traceparent: 00-${TRACE}-${PARENT}-${flag}`)
      const exchange = exchangeOf(head)
      tracer.begin(exchange, peer)
      assert.equal(exchange.spans !== null, sampled)
      const lines = exchange.spans?.attempts('orders', 1) ?? exchange.traceLines
      const told = /^traceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])\r\n$/.exec(lines)
      assert.deepEqual([told?.[1], told?.[3]], [exchange.traceId, sampled ? '01' : '00'])
      assert.equal(exchange.traceId === TRACE, flag !== null)
      assert.notEqual(told?.[2], PARENT)
    })
  }
})

describe('a record', () => {
  test('is one line of ASCII, with what is known of the exchange and no query', () => {
    const { tracer, lines, records } = stage(1)
    const head = headWith()
    const exchange = exchangeOf(head)
    exchange.identity = identityOf({ tenant: 'Zo\u00eb \ud800' })
    const spans = recorded(tracer, exchange, 'untrusted')
    spans.waits('mine', 10)
    spans.goesOn(12)
    spans.attempts('orders', 12)
    exchange.endpoint = '10.0.0.1:80'
    exchange.attempts = 1
    spans.fails('reset', null)
    spans.attempts('orders', 20)
    exchange.endpoint = '10.0.0.2:80'
    exchange.attempts = 2
    exchange.respondedMs = 30
    exchange.status = 200
    tracer.end(exchange, spans, 50)
    assert.match(lines[0] ?? '', /^[ -~]+$/)
    assert.ok(!lines[0]?.includes('secret'))
    const [record] = records()
    assert.ok(record)
    assert.deepEqual(
      [record.path, record.tenant, record.startMs, record.endMs, record.parentId, record.status],
      ['/orders/1', 'Zo\u00eb \ud800', 999_950, 1_000_000, null, 200],
    )
    assert.deepEqual(
      record.children.map(({ kind, name, startMs, endMs, target, status, fault }) => [
        ...[kind, name, startMs - 999_950, endMs - 999_950, target, status, fault],
      ]),
      [
        ['policy', 'mine', 10, 12, null, 0, null],
        ['attempt', 'orders', 12, 20, '10.0.0.1:80', 0, 'reset'],
        ['attempt', 'orders', 20, 50, '10.0.0.2:80', 200, null],
      ],
    )
    const ids = [record.spanId, ...record.children.map(({ spanId }) => spanId)]
    assert.equal(new Set(ids).size, 4)
    for (const id of ids) assert.match(id, /^(?!0{16})[0-9a-f]{16}$/)
    assert.match(record.traceId, /^(?!0{32})[0-9a-f]{32}$/)
  })

  test('says all there is to say, whatever stands in a text', () => {
    const { tracer, records } = stage(0)
    const target = `/or"ders\\${'x'.repeat(3_000)}`
    const head = parsedRequest(
      `GET ${target} HTTP/1.0`,
      'Host: gw.test:80',
      `traceparent: 00-${TRACE}-${PARENT}-01`,
      'tracestate: a=1"',
    )
    const exchange = exchangeOf(head)
    const spans = recorded(tracer, exchange, 'trusted')
    exchange.code = 'rate_limited'
    exchange.status = 429
    tracer.end(exchange, spans, 7.5)
    assert.deepEqual(records(), [
      {
        traceId: TRACE,
        spanId: spans.spanId,
        parentId: PARENT,
        state: 'a=1"',
        startMs: 1_000_000 - 7.5 + exchange.startMs,
        endMs: 1_000_000,
        requestId: exchange.requestId,
        method: 'GET',
        path: target.slice(0, 2_048),
        scheme: exchange.scheme,
        host: 'gw.test:80',
        minor: 0,
        clientIp: exchange.clientIp,
        tenant: null,
        route: exchange.route.name,
        status: 429,
        code: 'rate_limited',
        aborted: false,
        children: [],
        dropped: 0,
      } satisfies ExchangeRecord,
    ])
  })

  test('names no endpoint for a try that got none, though one before it did', () => {
    const { tracer, records } = stage(1)
    const exchange = exchangeOf(headWith())
    const spans = recorded(tracer, exchange, 'untrusted')
    spans.attempts('orders', 1)
    exchange.endpoint = '10.0.0.1:80'
    exchange.attempts = 1
    spans.responds(503)
    spans.attempts('orders', 2)
    exchange.code = 'upstream_timeout'
    exchange.status = 504
    tracer.end(exchange, spans, 3)
    const told = records()[0]?.children.map(({ target, status, fault }) => [target, status, fault])
    assert.deepEqual(told, [
      ['10.0.0.1:80', 503, null],
      [null, 0, 'upstream_timeout'],
    ])
  })

  test('says that the client left, of whatever was waited for', () => {
    const { tracer, records } = stage(0)
    const exchange = exchangeOf(PARENTED)
    const spans = recorded(tracer, exchange, 'trusted')
    spans.attempts('orders', 5)
    exchange.aborted = true
    tracer.end(exchange, spans, 9)
    const [record] = records()
    assert.deepEqual(
      [record?.aborted, record?.parentId, record?.children[0]?.fault, record?.children[0]?.endMs],
      [true, PARENT, 'aborted', 1_000_000],
    )
  })

  test('is not written of a trace that is not kept', () => {
    const { tracer, lines } = stage(0)
    const exchange = exchangeOf(PARENTED)
    tracer.begin(exchange, 'untrusted')
    assert.deepEqual([lines, exchange.spans], [[], null])
  })

  test('has a bounded number of children and counts the others', () => {
    const { tracer, records } = stage(1)
    const exchange = exchangeOf(PARENTED)
    const spans = recorded(tracer, exchange, 'untrusted')
    for (let index = 0; index < 100; index++) spans.waits('mine', index)
    tracer.end(exchange, spans, 100)
    const [record] = records()
    assert.deepEqual([record?.children.length, record?.dropped], [32, 68])
  })
})
