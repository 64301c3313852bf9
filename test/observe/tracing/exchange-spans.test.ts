import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { RedactedField } from '../../../src/config/config.ts'
import { exchangeSpans } from '../../../src/observe/tracing/exchange-spans.ts'
import { SpanRecorder } from '../../../src/observe/tracing/span-recorder.ts'
import type { Exchange } from '../../../src/proxy/exchange.ts'
import { exchangeOf } from '../../proxy/exchange-of.ts'
import { parsedRequest } from '../../proxy/parsed-head.ts'
import { attributesOf, type OtlpSpan } from '../../support/collector.ts'
import { identityOf } from '../../support/identity.ts'

/** Spans as the SDK's serializers take them. */
type SdkSpan = Parameters<typeof JsonTraceSerializer.serializeRequest>[0][number]

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = 'b7ad6b7169203331'
const OWN = '00f067aa0ba902b7'
const CHILD = 'b7ad6b7169203332'
const EPOCH_MS = 1_700_000_000_000

interface Told {
  readonly head?: ReturnType<typeof parsedRequest>
  readonly parent?: string | null
  readonly state?: string
  readonly redacted?: readonly RedactedField[]
  readonly became?: Partial<Exchange>
  /** What it waited for. */
  readonly waited?: (spans: SpanRecorder, exchange: Exchange) => void
}

function told({ head, parent = null, state = '', redacted = [], became = {}, waited }: Told): OtlpSpan[] {
  const exchange = exchangeOf(head ?? parsedRequest('GET /orders/1?secret=1 HTTP/1.1', 'Host: gw.test'))
  exchange.traceId = TRACE
  const spans = new SpanRecorder(exchange, TRACE, OWN, parent, state, () => CHILD)
  waited?.(spans, exchange)
  Object.assign(exchange, { endedMs: 1.5 }, became)
  const text = exchangeSpans(exchange, spans, EPOCH_MS + 0.25, new Set(redacted))
  assert.match(text, /^[ -~]+$/)
  return JSON.parse(`[${text.slice(0, -1)}]`) as OtlpSpan[]
}

function one(parts: Told): OtlpSpan {
  const [span] = told(parts)
  assert.ok(span)
  return span
}

/** What the SDK makes of the same spans, without the defaults, which JSON's form of OTLP may leave out. */
function bySdk(spans: readonly OtlpSpan[], state: string): unknown {
  const resource = { attributes: {} } as SdkSpan['resource']
  const made = spans.map((span, index): SdkSpan => {
    const place = { traceId: span.traceId, traceFlags: 1 }
    const traceState = state === '' ? {} : { traceState: { serialize: () => state } as never }
    const parent = span.parentSpanId === undefined ? null : span.parentSpanId
    return {
      name: span.name,
      kind: span.kind - 1,
      spanContext: () => ({ ...place, spanId: span.spanId, ...traceState }),
      ...(parent !== null && { parentSpanContext: { ...place, spanId: parent, isRemote: index === 0 } }),
      ...{
        startTime: hrTime(span.startTimeUnixNano),
        endTime: hrTime(span.endTimeUnixNano),
        duration: [0, 0],
      },
      status: { code: span.status?.code ?? 0 },
      attributes: attributesOf(span),
      ...{ resource, instrumentationScope: { name: 'x' } },
      ...{ links: [], events: [], ended: true },
      ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
    }
  })
  const text = Buffer.from(JsonTraceSerializer.serializeRequest(made) ?? []).toString('utf8')
  const { resourceSpans } = JSON.parse(text) as { resourceSpans: [{ scopeSpans: [{ spans: object[] }] }] }
  return resourceSpans[0].scopeSpans[0].spans.map(withoutDefaults)
}

function hrTime(nanos: string): [number, number] {
  return [Number(nanos.slice(0, -9)), Number(nanos.slice(-9))]
}

function withoutDefaults(span: object): unknown {
  return Object.fromEntries(
    Object.entries(span).filter(
      ([name, value]) => !/^dropped|^events$|^links$/.test(name) && !(name === 'status' && value.code === 0),
    ),
  )
}

describe('spans of an exchange', () => {
  test('have the form in which the SDK writes them', () => {
    const state = 'a=1,b=2'
    const spans = told({
      ...{ parent: PARENT, state },
      became: { status: 502, code: 'connect_failed', identity: identityOf({ tenant: 'Zo\u00eb"\\' }) },
      waited: (recorder, exchange) => {
        recorder.waits('mine', 0.125)
        recorder.attempts('orders', 0.5)
        exchange.attempts = 1
        exchange.endpoint = '[2001:db8::2]:8080'
        recorder.fails('reset', null)
        recorder.goesOn(0.75)
      },
    })
    assert.equal(spans.length, 3)
    assert.deepEqual(spans, bySdk(spans, state))
    const [first] = told({})
    assert.ok(first)
    assert.deepEqual([first], bySdk([first], ''))
  })

  test('have the times of the exchange, to the nanosecond', () => {
    const { startTimeUnixNano, endTimeUnixNano } = one({})
    assert.deepEqual([startTimeUnixNano, endTimeUnixNano], ['1700000000000250000', '1700000000001750000'])
  })

  test('have the ids of the exchange, and the state it came with', () => {
    const { traceId, spanId, parentSpanId, traceState, name } = one({ parent: PARENT, state: 'a=1"' })
    assert.deepEqual(
      [traceId, spanId, parentSpanId, traceState, name],
      [TRACE, OWN, PARENT, 'a=1"', 'GET /orders/:id'],
    )
  })

  test('name methods from a closed list, and failures by their code', () => {
    const head = parsedRequest('BREW /orders HTTP/1.0', 'Host: [2001:db8::1]:8443')
    const span = one({ head, became: { status: 503, code: 'connect_failed' } })
    const facts = attributesOf(span)
    assert.deepEqual(
      [span.name, facts['http.request.method'], facts['http.request.method_original']],
      ['HTTP /orders/:id', '_OTHER', 'BREW'],
    )
    assert.deepEqual([facts['error.type'], span.status?.code], ['connect_failed', 2])
    assert.deepEqual([facts['server.address'], facts['server.port']], ['2001:db8::1', 8443])
    assert.equal(facts['network.protocol.version'], '1.0')
  })

  test('say of a response of 5xx that it is an error, and of 4xx that it is none of the gateway’s', () => {
    const [own, attempt] = told({
      became: { status: 404 },
      waited: (recorder, exchange) => {
        recorder.attempts('orders', 0.5)
        exchange.attempts = 1
        exchange.respondedMs = 0.75
        exchange.status = 404
        recorder.goesOn(1)
      },
    })
    assert.ok(own && attempt)
    assert.deepEqual([own.status, attributesOf(own)['error.type']], [undefined, undefined])
    assert.deepEqual([attempt.status?.code, attributesOf(attempt)['error.type']], [2, '404'])
    assert.equal(attributesOf(one({ became: { status: 500 } }))['error.type'], '500')
  })

  test('cut what is long', () => {
    const target = `/or"ders\\${'x'.repeat(3_000)}`
    const head = parsedRequest(`GET ${target} HTTP/1.1`, 'Host: gw.test')
    assert.equal(attributesOf(one({ head }))['url.path'], target.slice(0, 2_048))
  })

  test('say nothing that is redacted', () => {
    const became = { identity: identityOf({ tenant: 'acme' }) }
    const open = JSON.stringify(one({ became }))
    const shut = JSON.stringify(one({ became, redacted: ['client_ip', 'company_id', 'path'] }))
    for (const text of ['192.0.2.7', 'acme', '/orders/1']) {
      assert.ok(open.includes(text), text)
      assert.ok(!shut.includes(text), text)
    }
  })
})
