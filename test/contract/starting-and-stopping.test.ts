import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { response } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import { askOnce, RawClient, request } from '../support/raw-client.ts'
import { ACME, openStage } from '../support/stage.ts'
import { until } from '../support/until.ts'

const DRAINING = 'Gateway service is temporarily unavailable (client error).'

function elapsedSince(start: number): number {
  return performance.now() - start
}

describe('SIGTERM', { concurrency: true }, () => {
  test('makes ready and health 503 at once, leaves live alone and closes every connection after its response', async () => {
    await using stage = await openStage({ GATEWAY_SHUTDOWN_DELAY: '2', GATEWAY_WORKERS: '2' })
    const { gateway } = stage
    using kept = await stage.connect()
    assert.equal((await kept.ask(request('GET', '/health'))).get('connection'), null)
    const start = performance.now()
    gateway.signal('SIGTERM')
    const ready = request('GET', '/health/ready')
    await until('ready to turn', async () => (await askOnce(gateway.port, ready)).status === 503, 500)
    assertProblem(await stage.ask('GET', '/health'), 503, 'draining', DRAINING)
    assertProblem(await stage.ask('GET', '/health/ready'), 503, 'draining', DRAINING)
    assert.equal((await stage.ask('HEAD', '/health/ready')).status, 503)
    for (const target of ['/health/live', '/', '/api/v1/ingest/x', '/nope']) {
      const got = await stage.askAs('GET', target)
      assert.equal(got.get('connection'), 'close', target)
      assert.equal(got.status, target === '/nope' ? 404 : 200, target)
    }
    const last = await kept.ask(request('GET', '/api/v1/ingest/x', [ACME]))
    assert.deepEqual([last.status, last.get('connection')], [200, 'close'])
    await kept.closed()
    const exit = await gateway.exited
    assert.deepEqual(exit, { code: 0, signal: null })
    assert.ok(elapsedSince(start) >= 1_900, 'it kept accepting for the delay')
  })

  test('lets exchanges and tunnels end, and idle connections a second longer than the listener', async () => {
    const held: (() => void)[] = []
    await using stage = await openStage({}, async (_, reply) => {
      await new Promise<void>((resolve) => void held.push(resolve))
      await reply.write(response('200 OK', [], 'late'))
    })
    using idle = await stage.connect()
    await idle.ask(request('GET', '/'))
    const inFlight = stage.askAs('GET', '/api/v1/ingest/x')
    await until('the exchange to be in flight', () => held.length === 1)
    const start = performance.now()
    stage.gateway.signal('SIGTERM')
    await idle.closed()
    const idleMs = elapsedSince(start)
    assert.ok(idleMs > 700 && idleMs < 4_000, `idle for ${idleMs} ms`)
    assert.ok(stage.gateway.running, 'an exchange is still in flight')
    for (const go of held) go()
    const late = await inFlight
    assert.deepEqual([late.text, late.get('connection')], ['late', 'close'])
    assert.deepEqual(await stage.gateway.exited, { code: 0, signal: null })
  })

  test('ends a stream that outlives SHUTDOWN_TIMEOUT, never with a clean end', async () => {
    await using stage = await openStage({ GATEWAY_SHUTDOWN_TIMEOUT: '2' }, async (_, reply) => {
      await reply.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      for (let alive = true; alive; ) {
        await reply.write('1\r\nx\r\n')
        const pause = new Promise((resolve) => setTimeout(resolve, 100, 'again'))
        alive = (await Promise.race([pause, reply.gone])) === 'again'
      }
    })
    using client = await stage.connect()
    void client.send(request('GET', '/api/v1/ingest/x', [ACME]))
    const stream = client.read()
    await stage.ingest.sees('/x')
    const start = performance.now()
    stage.gateway.signal('SIGTERM')
    assert.equal((await stream).body.complete, false)
    assert.deepEqual(await stage.gateway.exited, { code: 0, signal: null })
    const totalMs = elapsedSince(start)
    assert.ok(totalMs > 1_500 && totalMs < 4_500, `${totalMs} ms`)
  })

  test('twice ends the process whatever still runs', async () => {
    await using stage = await openStage(
      { GATEWAY_SHUTDOWN_DELAY: '20', GATEWAY_SHUTDOWN_TIMEOUT: '30' },
      async (_, reply) => {
        await reply.gone
      },
    )
    using client = await stage.connect()
    await client.send(request('GET', '/api/v1/ingest/x', [ACME]))
    await stage.ingest.sees('/x')
    stage.gateway.signal('SIGTERM')
    await until('the drain', async () => (await stage.ask('GET', '/health/ready')).status === 503)
    const start = performance.now()
    stage.gateway.signal('SIGTERM')
    const exit = await stage.gateway.exited
    assert.ok(elapsedSince(start) < 1_500)
    assert.notEqual(exit.code, 0, 'an end by force does not look like a clean one')
  })

  test('ends an idle gateway without waiting for any timeout, SIGINT likewise', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await using stage = await openStage()
      const start = performance.now()
      stage.gateway.signal(signal)
      assert.deepEqual(await stage.gateway.exited, { code: 0, signal: null })
      assert.ok(elapsedSince(start) < 3_000)
      await assert.rejects(RawClient.connect(stage.gateway.port), 'nobody listens any more')
    }
  })
})
