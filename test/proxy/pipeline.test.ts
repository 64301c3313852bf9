import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Head } from '../../src/http1/head.ts'
import { ServerConnection } from '../../src/http1/server-connection.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { answer } from '../../src/proxy/answer.ts'
import type { Exchange } from '../../src/proxy/exchange.ts'
import { failure } from '../../src/proxy/failure.ts'
import { UNCHANGED_RESPONSE } from '../../src/proxy/head-plan.ts'
import { Pipeline } from '../../src/proxy/pipeline.ts'
import type { Policy, Verdict } from '../../src/proxy/policy.ts'
import { ResponseDate } from '../../src/proxy/response-date.ts'
import type { Route } from '../../src/proxy/route.ts'
import { delivered, Loopback } from '../http1/loopback.ts'
import { ManualWire } from '../http1/manual-wire.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { until } from '../support/until.ts'

const LIMITS = { headMs: 1_000, bodyMs: 2_000, idleMs: 5_000 }
const MIB = 1 << 20

/** What the policies of one route do, in order; each writes down when it was asked and settled. */
type Asked = (exchange: Exchange) => Verdict | Promise<Verdict>

/** A pipeline on a port of its own, over one route that answers itself. */
class PipelineStage {
  readonly log: string[] = []
  readonly defects: unknown[] = []
  readonly records: Exchange[] = []
  readonly pipeline: Pipeline
  readonly loopback: Loopback
  readonly client: RawClient
  readonly #time: ManualWire

  private constructor(loopback: Loopback, client: RawClient, pipeline: Pipeline, time: ManualWire) {
    this.loopback = loopback
    this.client = client
    this.pipeline = pipeline
    this.#time = time
  }

  static async open(asked: readonly Asked[]): Promise<PipelineStage> {
    const time = new ManualWire()
    let stage: PipelineStage | null = null
    const policies = asked.map((admit, index): Policy => {
      const name = String.fromCharCode(97 + index)
      return {
        kind: name,
        owns: [],
        admit(exchange) {
          stage?.log.push(`admit ${name}`)
          return admit(exchange)
        },
        settle() {
          stage?.log.push(`settle ${name}`)
        },
      }
    })
    const route: Route = {
      name: null,
      policies,
      owned: new Set(),
      response: UNCHANGED_RESPONSE,
      target: null,
      ...{ logText: '', spanName: '', spanText: '' },
      series: 0,
    }
    const pipeline = new Pipeline(
      { match: (_: Head) => route, unreadable: { ...route, policies: [] } },
      {
        nowMs: systemClock.monotonicMs,
        newId: () => 'new-id',
        date: new ResponseDate(() => 0),
        opened: () => {},
        ended: (exchange) => void stage?.records.push(exchange),
        defect: (_, error) => void stage?.defects.push(error),
      },
      () => {},
    )
    const loopback = await Loopback.listen('127.0.0.1', 0, (socket) => {
      void new ServerConnection(socket, socket.remoteAddress ?? '', pipeline, LIMITS, time.wire)
    })
    stage = new PipelineStage(loopback, await RawClient.connect(loopback.port), pipeline, time)
    return stage
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.leave()
    await this.loopback.close()
    this.#time[Symbol.dispose]()
  }
}

const OK = answer(200, 'X: 1\r\n', 'fine')
const pass: Asked = () => null

async function staged(asked: readonly Asked[], use: (stage: PipelineStage) => Promise<void>): Promise<void> {
  await using stage = await PipelineStage.open(asked)
  await use(stage)
}

describe('policies', () => {
  test('are asked in order, and those that admitted are settled in reverse, once', () =>
    staged([pass, pass, () => OK], async ({ client, log, records, pipeline }) => {
      assert.equal((await client.ask(request('GET', '/'))).text, 'fine')
      assert.deepEqual(log, ['admit a', 'admit b', 'admit c', 'settle b', 'settle a'])
      assert.equal(records.length, 1)
      assert.equal(pipeline.active, 0)
    }))

  test('behind one that refuses are not asked', () =>
    staged([pass, () => failure('tenant_invalid'), () => OK], async ({ client, log, records }) => {
      assert.equal((await client.ask(request('GET', '/'))).status, 403)
      assert.deepEqual(log, ['admit a', 'admit b', 'settle a'])
      assert.equal(records[0]?.code, 'tenant_invalid')
    }))

  test('that truly wait are waited for, and the rest is asked then', async () => {
    const gate = Promise.withResolvers<Verdict>()
    await staged([pass, () => gate.promise, pass, () => OK], async ({ client, log, pipeline }) => {
      const got = client.ask(request('GET', '/'))
      await until('the question', () => log.length === 2)
      await delivered()
      assert.deepEqual(log, ['admit a', 'admit b'])
      assert.equal(pipeline.active, 1)
      gate.resolve(null)
      assert.equal((await got).status, 200)
      assert.deepEqual(log.slice(2), ['admit c', 'admit d', 'settle c', 'settle b', 'settle a'])
    })
  })

  test('that wait may refuse or answer', async () => {
    for (const [verdict, status] of [
      [failure('token_expired'), 401],
      [OK, 200],
    ] as const)
      await staged([async () => verdict], async ({ client, log }) => {
        assert.equal((await client.ask(request('GET', '/'))).status, status)
        assert.deepEqual(log, ['admit a'])
      })
  })

  test('that wait keep the body waiting, in the kernel and not in memory', async () => {
    const gate = Promise.withResolvers<Verdict>()
    await staged([() => gate.promise], async ({ client, log }) => {
      const body = Buffer.alloc(32 * MIB)
      client.socket.on('error', () => {})
      const sent = client.send(request('POST', '/', [], body))
      await until('the question', () => log.length === 1)
      await until('the kernel is full', () => client.socket.writableNeedDrain)
      const before = client.socket.bytesWritten - client.socket.writableLength
      await delivered()
      assert.equal(client.socket.bytesWritten - client.socket.writableLength, before)
      gate.resolve(failure('token_invalid'))
      const got = await client.read('POST')
      assert.deepEqual([got.status, got.get('connection')], [401, 'close'])
      client.leave()
      await sent.catch(() => {})
    })
  })

  test('are settled when the client leaves while one of them waits, and what it says then is dropped', async () => {
    const gate = Promise.withResolvers<Verdict>()
    await staged([pass, () => gate.promise, pass], async ({ client, log, records, defects }) => {
      await client.send(request('GET', '/'))
      await until('the question', () => log.length === 2)
      client.reset()
      await until('the end', () => records.length === 1)
      assert.deepEqual(log, ['admit a', 'admit b', 'settle a'])
      assert.equal(records[0]?.aborted, true)
      gate.resolve(null)
      await delivered()
      assert.deepEqual([log.length, records.length, defects.length], [3, 1, 0])
    })
  })

  test('that state fields to the client do so on refusals too', () =>
    staged(
      [
        (exchange) => {
          exchange.answer('X-Left', '3')
          return null
        },
        () => failure('token_missing'),
      ],
      async ({ client }) => assert.equal((await client.ask(request('GET', '/'))).get('x-left'), '3'),
    ))
})

describe('a defect', () => {
  const boom = new Error('boom: secret-detail')
  const defects: readonly (readonly [string, Asked])[] = [
    [
      'thrown by a policy',
      () => {
        throw boom
      },
    ],
    ['rejected by a policy', () => Promise.reject(boom)],
  ]

  for (const [name, asked] of defects)
    test(`${name} is a 500 that says nothing of it, reported once, and the connection closes`, () =>
      staged([pass, asked], async ({ client, log, records, pipeline, ...stage }) => {
        const got = await client.ask(request('GET', '/'))
        assert.deepEqual([got.status, got.get('connection')], [500, 'close'])
        assert.doesNotMatch(got.text, /boom|secret/)
        assert.deepEqual(stage.defects, [boom])
        assert.deepEqual(log, ['admit a', 'admit b', 'settle a'])
        assert.deepEqual([records.length, pipeline.active], [1, 0])
      }))

  test('of a route that leads nowhere and answers nothing is a 500', () =>
    staged([pass], async ({ client, defects: reported }) => {
      assert.equal((await client.ask(request('GET', '/'))).status, 500)
      assert.equal(reported.length, 1)
    }))
})

describe('an answer of the gateway’s own', () => {
  test('carries id, time, date and its own fields, and its length', () =>
    staged([() => OK], async ({ client }) => {
      const got = await client.ask(request('GET', '/', [['X-Request-ID', 'mine']]))
      assert.deepEqual(
        got.fields.map(([name]) => name),
        ['Date', 'X', 'Content-Length', 'X-Request-ID', 'X-Process-Time'],
      )
      assert.equal(got.get('x-request-id'), 'mine')
      assert.match(got.get('x-process-time') ?? '', /^\d+\.\d{6}$/)
    }))

  test('to HEAD is its head alone, with the length the body would have', () =>
    staged([() => OK], async ({ client, records }) => {
      const got = await client.ask(request('HEAD', '/'), 'HEAD')
      assert.equal(got.get('content-length'), '4')
      assert.equal((await client.ask(request('GET', '/'))).text, 'fine')
      assert.deepEqual(
        records.map(({ bytesOut }) => bytesOut),
        [0, 4],
      )
    }))

  test('of 204 has no length', () =>
    staged([() => answer(204, '', '')], async ({ client }) => {
      assert.equal((await client.ask(request('GET', '/'))).get('content-length'), null)
      assert.equal((await client.ask(request('GET', '/'))).status, 204)
    }))

  test('drops a small body and keeps the connection, and closes behind a large or endless one', async () => {
    const chunked: [string, string][] = [['Transfer-Encoding', 'chunked']]
    for (const [bytes, connection] of [
      [request('POST', '/', [], 'small'), null],
      [request('POST', '/', [['Content-Length', '65536']]), null],
      [request('POST', '/', [['Content-Length', '65537']]), 'close'],
      [request('POST', '/', chunked), 'close'],
    ] as const)
      await staged([() => failure('token_missing')], async ({ client }) => {
        const got = await client.ask(bytes, 'POST')
        assert.deepEqual([got.status, got.get('connection')], [401, connection])
      })
  })

  test('closes the connection once the gateway drains', () =>
    staged([() => OK], async ({ client, pipeline }) => {
      assert.equal((await client.ask(request('GET', '/'))).get('connection'), null)
      pipeline.draining = true
      assert.equal((await client.ask(request('GET', '/'))).get('connection'), 'close')
      assert.equal((await client.closed()).length, 0)
    }))
})

describe('what is no request', () => {
  test('is answered and recorded without one, by the route for it', () =>
    staged([() => OK], async ({ client, records, log, pipeline }) => {
      const got = await client.ask('NONSENSE\r\n\r\n')
      assert.deepEqual([got.status, got.get('x-request-id')], [400, 'new-id'])
      const [record] = records
      assert.deepEqual(
        [record?.head.method, record?.head.path, record?.code],
        ['-', '-', 'request_malformed'],
      )
      assert.deepEqual([log.length, pipeline.active], [0, 0])
    }))
})
