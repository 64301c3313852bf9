import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SpanRecorder } from '../../../src/observe/tracing/span-recorder.ts'
import { Tracer } from '../../../src/observe/tracing/tracer.ts'
import type { Exchange } from '../../../src/proxy/exchange.ts'
import { exchangeOf } from '../../proxy/exchange-of.ts'
import { parsedRequest } from '../../proxy/parsed-head.ts'
import { attributesOf, type OtlpSpan } from '../../support/collector.ts'
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
    redacted: new Set<never>(),
    write: (line: string) => void lines.push(line),
  }
  const tracer = new Tracer({ ...parts, fill: counting() })
  const spans = (): OtlpSpan[] => spansIn(lines.join(''))
  return { tracer, lines, spans }
}

/** Each has a comma behind it. */
function spansIn(text: string): OtlpSpan[] {
  return JSON.parse(`[${text.slice(0, -1)}]`) as OtlpSpan[]
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

test('of many that begin here the share is kept, each by chance alone', () => {
  let seed = 1
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
  const parts = { fill: counting(), wallMs: () => 0, redacted: new Set<never>(), write: () => {} }
  for (const share of [0.01, 0.3, 1e-20]) {
    const tracer = new Tracer({ ...parts, share, random })
    let before = false
    let kept = 0
    let twice = 0
    for (let count = 0; count < 100_000; count++) {
      const exchange = exchangeOf()
      tracer.begin(exchange, 'untrusted')
      const isKept = exchange.spans !== null
      if (isKept) kept++
      if (isKept && before) twice++
      before = isKept
    }
    // Six standard deviations; of those behind one that is kept the share is kept as well.
    for (const [count, chance] of [[kept, share] as const, [twice, share * share] as const])
      assert.ok(Math.abs(count - 100_000 * chance) <= 6 * Math.sqrt(100_000 * chance), `${share}: ${count}`)
  }
})

describe('what is told', () => {
  test('is one line of ASCII, with what is known of the exchange and no query', () => {
    const { tracer, lines, spans: told } = stage(1)
    const exchange = exchangeOf(headWith())
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
    exchange.endedMs = 50
    tracer.end(exchange, spans)
    assert.match(lines[0] ?? '', /^[ -~]+$/)
    assert.ok(!lines[0]?.includes('secret'))
    const [own, ...children] = told()
    assert.ok(own)
    const facts = attributesOf(own)
    assert.deepEqual(
      [facts['url.path'], facts['nyro.tenant'], facts['http.response.status_code'], own.parentSpanId],
      ['/orders/1', 'Zo\u00eb \ud800', 200, undefined],
    )
    assert.deepEqual([own.startTimeUnixNano, own.endTimeUnixNano], ['999950000000', '1000000000000'])
    assert.deepEqual(
      children.map((span) => [
        span.kind,
        span.name,
        fromStart(span.startTimeUnixNano),
        fromStart(span.endTimeUnixNano),
      ]),
      [
        [1, 'policy mine', 10, 12],
        [3, 'GET', 12, 20],
        [3, 'GET', 20, 50],
      ],
    )
    assert.deepEqual(children.map(outcomeOf), [
      [undefined, undefined, undefined],
      ['10.0.0.1', undefined, 'reset'],
      ['10.0.0.2', 200, undefined],
    ])
    const ids = [own.spanId, ...children.map(({ spanId }) => spanId)]
    assert.equal(new Set(ids).size, 4)
    for (const id of ids) assert.match(id, /^(?!0{16})[0-9a-f]{16}$/)
    assert.match(own.traceId, /^(?!0{32})[0-9a-f]{32}$/)
    for (const { traceId, parentSpanId } of children)
      assert.deepEqual([traceId, parentSpanId], [own.traceId, own.spanId])
  })

  test('names no endpoint for a try that got none, though one before it did', () => {
    const { tracer, spans: told } = stage(1)
    const exchange = exchangeOf(headWith())
    const spans = recorded(tracer, exchange, 'untrusted')
    spans.attempts('orders', 1)
    exchange.endpoint = '10.0.0.1:80'
    exchange.attempts = 1
    spans.responds(503)
    spans.attempts('orders', 2)
    exchange.code = 'upstream_timeout'
    exchange.status = 504
    exchange.endedMs = 3
    tracer.end(exchange, spans)
    assert.deepEqual(told().slice(1).map(outcomeOf), [
      ['10.0.0.1', 503, '503'],
      [undefined, undefined, 'upstream_timeout'],
    ])
  })

  test('says that the client left, of whatever was waited for', () => {
    const { tracer, spans: told } = stage(0)
    const exchange = exchangeOf(PARENTED)
    const spans = recorded(tracer, exchange, 'trusted')
    spans.attempts('orders', 5)
    exchange.aborted = true
    exchange.endedMs = 9
    tracer.end(exchange, spans)
    const [own, child] = told()
    assert.ok(own && child)
    assert.deepEqual(
      [
        attributesOf(own)['error.type'],
        own.parentSpanId,
        attributesOf(child)['error.type'],
        child.endTimeUnixNano,
      ],
      ['aborted', PARENT, 'aborted', '1000000000000'],
    )
  })

  test('is nothing of a trace that is not kept', () => {
    const { tracer, lines } = stage(0)
    const exchange = exchangeOf(PARENTED)
    tracer.begin(exchange, 'untrusted')
    assert.deepEqual([lines, exchange.spans], [[], null])
  })

  test('has a bounded number of children and counts the others', () => {
    const { tracer, spans: told } = stage(1)
    const exchange = exchangeOf(PARENTED)
    const spans = recorded(tracer, exchange, 'untrusted')
    for (let index = 0; index < 100; index++) spans.waits('mine', index)
    exchange.endedMs = 100
    tracer.end(exchange, spans)
    const [own, ...children] = told()
    assert.ok(own)
    assert.deepEqual([children.length, attributesOf(own)['nyro.children_dropped']], [32, 68])
  })
})

/** Milliseconds, where the exchange began at 999,950. */
function fromStart(nanos: string): number {
  return Number(BigInt(nanos) / 1_000_000n) - 999_950
}

function outcomeOf(span: OtlpSpan): unknown[] {
  const facts = attributesOf(span)
  return [facts['server.address'], facts['http.response.status_code'], facts['error.type']]
}
