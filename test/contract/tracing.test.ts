import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { attributesOf, Collector } from '../support/collector.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import type { Field } from '../support/message.ts'
import { echo, Origin, response, type Script } from '../support/origin.ts'
import { askOnce, type RawResponse, request } from '../support/raw-client.ts'
import { bearer, SECRET, tenantToken } from '../support/token.ts'
import { until } from '../support/until.ts'

const PARENT = '00f067aa0ba902b7'
/** Another loopback address, which no config here trusts. */
const STRANGER = '127.0.0.2'
const SERVER = 2
const CLIENT = 3

/** A trace id of this test's own. */
function traceId(number: number): string {
  return `4bf92f3577b34da6a3ce929d0e0e${number.toString(16).padStart(4, '0')}`
}

function sampled(number: number): Field {
  return ['traceparent', `00-${traceId(number)}-${PARENT}-01`]
}

function config(origin: Origin, endpoint: string, sample = '0%'): string {
  return JSON.stringify({
    trustedProxies: ['127.0.0.1'],
    identity: { jwt: [{ secret: '${SHARED}', algorithms: ['HS256'] }] },
    tracing: { endpoint, sample, headers: { 'X-Key': '${COLLECTOR_KEY}' }, serviceName: 'edge' },
    upstreams: {
      orders: { endpoints: [origin.url], retry: { attempts: 1, budget: '100%', on: [503] } },
    },
    routes: [{ name: 'orders', match: { path: '/orders/*' }, upstream: 'orders', auth: 'optional' }],
  })
}

function start(text: string): Promise<Gateway> {
  return startGateway(
    { GATEWAY_CONFIG: 'nyro.json', SHARED: SECRET, COLLECTOR_KEY: 'key-of-the-collector' },
    { files: { 'nyro.json': text } },
  )
}

describe('with tracing on, a gateway', () => {
  let collector: Collector
  let origin: Origin
  let gateway: Gateway

  before(async () => {
    collector = await Collector.start()
    origin = await Origin.start()
    gateway = await start(config(origin, collector.url))
  })

  after(async () => {
    await gateway[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
    await collector[Symbol.asyncDispose]()
  })

  function ask(target: string, fields: readonly Field[], localAddress = '127.0.0.1'): Promise<RawResponse> {
    return askOnce(gateway.port, request('GET', target, fields), 'GET', { localAddress })
  }

  function spansOf(id: string, count: number) {
    return until(`${count} spans of ${id}`, () => {
      const spans = collector.trace(id)
      return spans.length >= count ? spans : null
    })
  }

  test('continues the trace of a trusted proxy, with its own span towards the upstream', async () => {
    const id = traceId(1)
    origin.script = echo
    await ask('/orders/1?token=secret', [
      ...[sampled(1), ['tracestate', 'vendor=1'] as const, ['tracestate', 'other@v=2'] as const],
      ...[bearer(tenantToken('acme')), ['X-Request-ID', 'traced-1'] as const],
    ])
    const seen = origin.seen.find(({ target }) => target.startsWith('/orders/1?'))
    assert.ok(seen)
    const [, parentOfUpstream] =
      new RegExp(`^00-${id}-([0-9a-f]{16})-01$`).exec(seen.get('traceparent') ?? '') ?? []
    assert.ok(parentOfUpstream)
    assert.equal(seen.get('tracestate'), 'vendor=1,other@v=2')
    const [exchange, attempt] = await spansOf(id, 2)
    assert.ok(exchange && attempt)
    assert.deepEqual(
      [exchange.kind, exchange.parentSpanId, exchange.name, exchange.traceState],
      [SERVER, PARENT, 'GET /orders/*', 'vendor=1,other@v=2'],
    )
    assert.deepEqual(
      [attempt.kind, attempt.parentSpanId, attempt.name, attempt.spanId],
      [CLIENT, exchange.spanId, 'GET', parentOfUpstream],
    )
    assert.ok(BigInt(exchange.startTimeUnixNano) <= BigInt(attempt.startTimeUnixNano))
    assert.ok(BigInt(attempt.endTimeUnixNano) <= BigInt(exchange.endTimeUnixNano))
    assert.ok(Math.abs(Number(exchange.startTimeUnixNano) / 1e6 - Date.now()) < 60_000)
    assert.deepEqual(attributesOf(exchange), {
      'http.request.method': 'GET',
      'url.scheme': 'http',
      'url.path': '/orders/1',
      'http.route': '/orders/*',
      'http.response.status_code': 200,
      'network.protocol.name': 'http',
      'network.protocol.version': '1.1',
      'client.address': '127.0.0.1',
      'server.address': 'gw.test',
      'nyro.request_id': 'traced-1',
      'nyro.route': 'orders',
      'nyro.tenant': 'acme',
    })
    const { port } = new URL(origin.url)
    assert.deepEqual(attributesOf(attempt), {
      'http.request.method': 'GET',
      'server.address': '127.0.0.1',
      'server.port': Number(port),
      'http.response.status_code': 200,
      'nyro.upstream': 'orders',
    })
    assert.equal((await gateway.access('traced-1')).trace_id, id)
  })

  test('sends spans that a collector can read, whatever a trusted proxy passes on', async () => {
    await ask('/orders/1', [sampled(90), ['X-Forwarded-Proto', '"}]'], ['X-Forwarded-Host', '"}]']])
    const [exchange] = await spansOf(traceId(90), 2)
    assert.ok(exchange)
    assert.equal(attributesOf(exchange)['url.scheme'], 'http')
  })

  test('sends no credential and no query to the collector, and says who it is with its own', async () => {
    await ask('/orders/2?token=in-the-query', [sampled(2), bearer(tenantToken('acme'))])
    await spansOf(traceId(2), 2)
    for (const { headers, text } of collector.requests) {
      assert.equal(headers['x-key'], 'key-of-the-collector')
      for (const secret of ['in-the-query', 'Bearer', 'eyJ', 'key-of-the-collector'])
        assert.ok(!text.includes(secret), secret)
    }
    assert.deepEqual([...new Set(collector.services)], ['edge'])
  })

  test('has a span for each try at an upstream', async () => {
    const script: Script = async (seen, reply) => {
      await seen.body
      await reply.write(origin.seen.length % 2 === first ? response('503 No') : response('200 OK'))
    }
    const first = (origin.seen.length + 1) % 2
    origin.script = script
    assert.equal((await ask('/orders/3', [sampled(3)])).status, 200)
    const [exchange, tried, again] = await spansOf(traceId(3), 3)
    assert.ok(exchange && tried && again)
    assert.equal(attributesOf(exchange)['http.response.status_code'], 200)
    assert.deepEqual(
      [tried, again].map((span) => {
        const attributes = attributesOf(span)
        return [attributes['http.response.status_code'], attributes['http.request.resend_count']]
      }),
      [
        [503, undefined],
        [200, 1],
      ],
    )
    assert.deepEqual([tried.status?.code, exchange.status?.code ?? 0], [2, 0])
    const [parents] = [origin.seen.slice(-2).map((seen) => seen.get('traceparent')?.split('-')[2])]
    assert.deepEqual(parents, [tried.spanId, again.spanId])
  })

  test('names the trace of a failure to the client and to the operator', async () => {
    const refused = await ask('/nowhere', [sampled(4), ['X-Request-ID', 'traced-4']])
    assert.equal(refused.json<{ trace_id?: string }>().trace_id, traceId(4))
    const [exchange] = await spansOf(traceId(4), 1)
    assert.ok(exchange)
    assert.deepEqual([exchange.name, attributesOf(exchange)['error.type']], ['GET', 'route_unknown'])
    assert.equal((await gateway.access('traced-4')).trace_id, traceId(4))
  })

  // The attack: a stranger has every request of theirs recorded, which costs the gateway and floods the collector.
  test('does not let a stranger decide that a trace is kept', async () => {
    origin.script = echo
    await ask('/orders/5', [sampled(5), ['X-Request-ID', 'traced-5']], STRANGER)
    const seen = origin.seen.at(-1)
    assert.match(seen?.get('traceparent') ?? '', new RegExp(`^00-${traceId(5)}-[0-9a-f]{16}-00$`))
    assert.equal((await gateway.access('traced-5')).trace_id, traceId(5))
    await ask('/orders/6', [sampled(6)])
    await spansOf(traceId(6), 2)
    assert.deepEqual(collector.trace(traceId(5)), [])
  })

  // The attack: an upstream that believes the trace of its caller is told another by the client.
  test('passes no copy of a client and no malformed one, whatever its spelling', async () => {
    for (const fields of [
      [['traceparent', 'nonsense']],
      [sampled(7), sampled(8)],
      [['Traceparent', `00-${'0'.repeat(32)}-${PARENT}-01`]],
      [['traceparent', `ff-${traceId(7)}-${PARENT}-01`]],
      [['TRACEPARENT', `00-${traceId(7).toUpperCase()}-${PARENT}-01`]],
    ] as const satisfies readonly (readonly Field[])[]) {
      await ask('/orders/7', [...fields, ['tracestate', 'mine=1'], ['Connection', 'traceparent']])
      const seen = origin.seen.at(-1)
      assert.match(seen?.get('traceparent') ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
      assert.ok(!seen?.get('traceparent')?.includes(traceId(7)))
      assert.equal(seen?.get('tracestate'), null)
    }
  })

  test('passes on a trace state within its limits only', async () => {
    const many = Array.from({ length: 33 }, (_, index) => `k${index}=1`).join(',')
    for (const [state, passed] of [
      ['a=1,b=2', 'a=1,b=2'],
      ['a=1, b=2', 'a=1, b=2'],
      ['a=1,a=2', null],
      ['A=1', null],
      [many, null],
      [`a=${'x'.repeat(256)},b=${'y'.repeat(256)}`, null],
    ] as const) {
      await ask('/orders/9', [sampled(9), ['tracestate', state]])
      assert.equal(origin.seen.at(-1)?.get('tracestate'), passed, state)
    }
  })
})

test('has a span for a policy that waited, and none for one that answered at once', async () => {
  await using collector = await Collector.start()
  await using origin = await Origin.start()
  const policy = (kind: string, answer: string) => `
import { definePolicy } from 'nyro-gateway'
export const policy = definePolicy({
  kind: '${kind}', owns: [], create: () => ({ admit: () => ${answer} }),
})`
  const settings = JSON.parse(config(origin, collector.url, '100%'))
  settings.routes[0].policies = [{ use: './at-once.ts' }, { use: './patient.ts' }]
  const files = {
    'nyro.json': JSON.stringify(settings),
    'at-once.ts': policy('at-once', 'null'),
    'patient.ts': policy('patient', 'new Promise((resolve) => setTimeout(() => resolve(null), 30))'),
  }
  await using gateway = await startGateway(
    { GATEWAY_CONFIG: 'nyro.json', SHARED: SECRET, COLLECTOR_KEY: 'key' },
    { files },
  )
  const fields = [['X-Request-ID', 'waited']] as const
  assert.equal((await askOnce(gateway.port, request('GET', '/orders/1', fields))).status, 200)
  const { trace_id = '' } = await gateway.access('waited')
  const spans = await until('three spans', () => {
    const found = collector.trace(trace_id)
    return found.length === 3 ? found : null
  })
  const [exchange, patient, attempt] = spans
  assert.ok(exchange && patient && attempt)
  assert.deepEqual([patient.name, patient.kind, patient.parentSpanId], ['policy patient', 1, exchange.spanId])
  assert.ok(Number(patient.endTimeUnixNano) - Number(patient.startTimeUnixNano) > 20e6)
  assert.ok(BigInt(patient.endTimeUnixNano) <= BigInt(attempt.startTimeUnixNano))
})

test('with tracing off, trace fields pass as they came and nothing names a trace', async () => {
  await using origin = await Origin.start()
  const text = JSON.stringify({
    upstreams: { orders: { endpoints: [origin.url] } },
    routes: [{ name: 'orders', match: { path: '/orders/*' }, upstream: 'orders', auth: 'none' }],
  })
  await using gateway = await start(text)
  const fields: readonly Field[] = [sampled(1), ['tracestate', 'A=not valid'], ['X-Request-ID', 'plain']]
  await askOnce(gateway.port, request('GET', '/orders/1', fields))
  assert.equal(origin.seen[0]?.get('traceparent'), sampled(1)[1])
  assert.equal(origin.seen[0]?.get('tracestate'), 'A=not valid')
  assert.equal((await gateway.access('plain')).trace_id, undefined)
  const refused = await askOnce(gateway.port, request('GET', '/nowhere', fields))
  assert.ok(!refused.text.includes('trace'))
})

test('the last spans are sent before the process ends', async () => {
  await using collector = await Collector.start()
  await using origin = await Origin.start()
  await using gateway = await start(config(origin, collector.url, '100%'))
  await askOnce(gateway.port, request('GET', '/orders/1', [['X-Request-ID', 'last']]), 'GET', {
    localAddress: STRANGER,
  })
  const { trace_id } = await gateway.access('last')
  await gateway.stop()
  assert.equal(collector.trace(trace_id ?? '').length, 2)
})

test('a collector that hangs is nothing to traffic, nor to the end of the process', async () => {
  await using origin = await Origin.start()
  await using hanging = await Collector.start()
  hanging.answer = () => {}
  await using gateway = await start(config(origin, hanging.url, '100%'))
  for (let index = 0; index < 50; index++) {
    assert.equal((await askOnce(gateway.port, request('GET', `/orders/${index}`))).status, 200)
  }
  await until('an export has begun', () => hanging.requests.length > 0)
  assert.equal((await askOnce(gateway.port, request('GET', '/orders/more'))).status, 200)
  const stopped = performance.now()
  assert.deepEqual(await gateway.stop(), { code: 0, signal: null })
  assert.ok(performance.now() - stopped < 5_000)
})
