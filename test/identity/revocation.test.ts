import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { STORE_DEFAULTS } from '../../src/config/default.ts'
import { routeTo } from '../support/config-part.ts'
import { IdentityStage } from '../support/identity-stage.ts'
import { echo, type Script } from '../support/origin.ts'
import { type RawClient, request } from '../support/raw-client.ts'
import { RedisServer } from '../support/redis-server.ts'
import { bearer, CLAIMS, tenantToken, token } from '../support/token.ts'
import { until } from '../support/until.ts'
import { upstreamConfig } from '../worker/open-plane.ts'

const STREAMS = { max: 100, perTenant: 100, endAtExpiry: true }
const ACME = bearer(tenantToken('acme'))
const UMBRELLA = bearer(tenantToken('umbrella'))

/** Everything the threads answer, one connection each, until both have answered often. */
async function verdicts(
  stage: IdentityStage,
  fields: readonly (readonly [string, string])[],
): Promise<Set<string>> {
  const asked = Array.from({ length: 24 }, () => stage.verdict('/orders/1', fields))
  return new Set(await Promise.all(asked))
}

describe('a revocation', () => {
  test('is in force on every data thread when it is answered, until it is lifted', async (t) => {
    const stage = await IdentityStage.open(t, () => ({ workers: 4 }))
    const named = bearer(token({ ...CLAIMS, sub: 'user-7', jti: 'jti-7' }))
    for (const [kind, value] of Object.entries({ jti: 'jti-7', subject: 'user-7', tenant: 'acme' })) {
      assert.deepEqual([...(await verdicts(stage, [named]))], ['200'])
      const revoked = await stage.admin('POST', '/revocations', { [kind]: value })
      assert.deepEqual(revoked, { status: 200, body: { kind, value, untilS: null, stored: null } })
      assert.deepEqual([...(await verdicts(stage, [named]))], ['401 token_revoked'])
      const { body } = await stage.admin('GET', '/revocations')
      assert.deepEqual(body, { revocations: [{ kind, value, untilS: null }] })
      assert.equal((await stage.admin('DELETE', '/revocations', { [kind]: value })).status, 200)
    }
    assert.deepEqual([...(await verdicts(stage, [named]))], ['200'])
    assert.equal((await stage.admin('DELETE', '/revocations', { tenant: 'acme' })).status, 404)
  })

  test('ends by itself where it was told so, and touches nobody else', async (t) => {
    const stage = await IdentityStage.open(t, () => ({}))
    await stage.admin('POST', '/revocations', { tenant: 'acme', forS: 0.5 })
    assert.equal(await stage.verdict('/orders/1', [UMBRELLA]), '200')
    await until('the revocation to end', async () => (await stage.verdict('/orders/1', [ACME])) === '200')
    assert.deepEqual((await stage.admin('GET', '/revocations')).body, { revocations: [] })
  })

  test('is refused where it does not say whom', async (t) => {
    const stage = await IdentityStage.open(t, () => ({}))
    for (const body of [
      {},
      { tenant: '' },
      { tenant: 'a', jti: 'b' },
      { user: 'a' },
      { tenant: 1 },
      { tenant: 'a', forS: -1 },
      { tenant: 'a', forS: '1h' },
    ])
      assert.equal((await stage.admin('POST', '/revocations', body)).status, 400, JSON.stringify(body))
    assert.equal((await stage.admin('PUT', '/revocations', {})).status, 405)
  })

  test('is known to a thread that is born later, waits for none that died, and outlasts a reload', async (t) => {
    const stage = await IdentityStage.open(t, () => ({}))
    await stage.admin('POST', '/revocations', { tenant: 'acme' })
    stage.killThread(0)
    stage.killThread(1)
    assert.equal((await stage.admin('POST', '/revocations', { subject: 'nobody' })).status, 200)
    await stage.event('Data thread replaced', 2)
    await until('a thread to listen', async () => (await stage.admin('GET', '/ready')).status === 200)
    const verdict = (): Promise<string> => stage.verdict('/orders/1', [ACME]).catch(() => 'unanswered')
    await until('a thread to answer', async () => (await verdict()) !== 'unanswered')
    assert.deepEqual([...(await verdicts(stage, [ACME]))], ['401 token_revoked'])
    await stage.reload({ name: 'reloaded' })
    assert.deepEqual([...(await verdicts(stage, [ACME]))], ['401 token_revoked'])
  })
})

const EVENTS =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata:1\r\n'
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** Streams for ever what is asked for at /orders/stream and /orders/socket. */
const streaming: Script = async (seen, reply) => {
  if (seen.target.endsWith('/1')) return echo(seen, reply)
  await reply.write(seen.target.endsWith('socket') ? SWITCHED : EVENTS)
  await reply.gone
}

async function openStream(stage: IdentityStage, kind: 'stream' | 'socket', jwt: string): Promise<RawClient> {
  const client = await stage.connect()
  const upgrade = [['Connection', 'Upgrade'] as const, ['Upgrade', 'websocket'] as const]
  void client.send(request('GET', `/orders/${kind}`, [bearer(jwt), ...(kind === 'socket' ? upgrade : [])]))
  const head = await client.source.head()
  assert.match(head ?? '', kind === 'socket' ? /^HTTP\/1.1 101/ : /^HTTP\/1.1 200/)
  return client
}

function isOpen(client: RawClient): boolean {
  return !client.socket.destroyed && !client.socket.readableEnded
}

function open(
  t: TestContext,
  own: Partial<Config> = {},
  streams: typeof STREAMS | null = STREAMS,
): Promise<IdentityStage> {
  const config = (url: string): Partial<Config> => ({
    upstreams: [upstreamConfig(url, { streams })],
    routes: [routeTo('orders', '/orders/*', 'required')],
    ...own,
  })
  return IdentityStage.open(t, config, { script: streaming })
}

describe('an open stream', () => {
  for (const kind of ['stream', 'socket'] as const) {
    test(`(${kind}) ends at once when its tenant is revoked, and nobody else’s does`, async (t) => {
      const stage = await open(t, {}, null)
      using mine = await openStream(stage, kind, tenantToken('acme'))
      using other = await openStream(stage, kind, tenantToken('umbrella'))
      await stage.admin('POST', '/revocations', { tenant: 'acme' })
      await mine.closed()
      assert.ok(isOpen(other))
      await until('its end to be logged', () => stage.lines.some(({ code }) => code === 'token_revoked'))
    })

    test(`(${kind}) ends when its token expires`, async (t) => {
      const stage = await open(t)
      const exp = Math.floor(Date.now() / 1_000) + 2
      using mine = await openStream(stage, kind, token({ ...CLAIMS, exp }))
      using lasting = await openStream(stage, kind, tenantToken('acme'))
      const rest = await mine.closed()
      assert.ok(Date.now() / 1_000 >= exp)
      assert.ok(!rest.toString().includes('0\r\n\r\n'), 'broken off, not ended')
      assert.ok(isOpen(lasting))
      await until('its end to be logged', () => stage.lines.some(({ code }) => code === 'token_expired'))
      await until('the upstream to be left', () => stage.origin.open === 1)
    })
  }

  test('outlives its token where its upstream says nothing of streams, or says so', async (t) => {
    for (const streams of [null, { ...STREAMS, endAtExpiry: false }]) {
      const stage = await open(t, {}, streams)
      const exp = Math.floor(Date.now() / 1_000) + 1
      const jwt = token({ ...CLAIMS, exp })
      using mine = await openStream(stage, 'socket', jwt)
      await until(
        'the token to expire',
        async () => (await stage.verdict('/orders/1', [bearer(jwt)])) !== '200',
      )
      // A sweep of the stream is due every 200 ms: one that ends later sees it.
      using short = await stage.connect()
      await short.ask(request('GET', '/orders/1', [ACME]))
      assert.ok(isOpen(mine))
    }
  })
})

describe('with a store', () => {
  test('replicas follow within a second, both ways, and a restart remembers', async (t) => {
    const redis = await RedisServer.start({ password: 'hunter2hunter2' })
    t.after(() => redis[Symbol.asyncDispose]())
    const store = { ...STORE_DEFAULTS, redis: redis.url }
    const one = await IdentityStage.open(t, () => ({ store }))
    const two = await IdentityStage.open(t, () => ({ store }))
    await one.event('Store of revocations reached')
    await two.event('Store of revocations reached')

    const answer = await one.admin('POST', '/revocations', { tenant: 'acme', forS: 600 })
    const startMs = performance.now()
    assert.equal((answer.body as { stored: unknown }).stored, true)
    await until(
      'the replica to follow',
      async () => (await two.verdict('/orders/1', [ACME])) === '401 token_revoked',
    )
    assert.ok(performance.now() - startMs < 1_000, `${performance.now() - startMs} ms`)

    const three = await IdentityStage.open(t, () => ({ store }))
    assert.equal(await three.verdict('/orders/1', [ACME]), '401 token_revoked', 'from the first request on')

    await two.admin('DELETE', '/revocations', { tenant: 'acme' })
    for (const stage of [one, three])
      await until('the lift to reach it', async () => (await stage.verdict('/orders/1', [ACME])) === '200')
    for (const stage of [one, two, three]) assert.ok(!stage.logText.includes('hunter2'))
  })

  test('that is gone, a revocation is in force here and says so; the store gets it when it is back', async (t) => {
    const redis = await RedisServer.start()
    t.after(() => redis[Symbol.asyncDispose]())
    const store = { ...STORE_DEFAULTS, redis: redis.url }
    const one = await IdentityStage.open(t, () => ({ store }))
    await one.event('Store of revocations reached')
    await one.admin('POST', '/revocations', { tenant: 'umbrella' })
    await redis.kill()
    const { status, body } = await one.admin('POST', '/revocations', { tenant: 'acme' })
    assert.deepEqual([status, (body as { stored: unknown }).stored], [200, false])
    assert.deepEqual([...(await verdicts(one, [ACME]))], ['401 token_revoked'])
    await redis.restart()
    await one.event('Store of revocations reached', 2)
    const two = await IdentityStage.open(t, () => ({ store }))
    for (const who of [ACME, UMBRELLA])
      await until(
        'the replica to know',
        async () => (await two.verdict('/orders/1', [who])) === '401 token_revoked',
      )
    assert.deepEqual(
      [...(await verdicts(one, [UMBRELLA]))],
      ['401 token_revoked'],
      'an emptied store lifts nothing',
    )
  })

  test('that is frozen, neither a start nor a revocation nor traffic waits for long', async (t) => {
    const redis = await RedisServer.start()
    t.after(() => redis[Symbol.asyncDispose]())
    redis.signal('SIGSTOP')
    const stage = await IdentityStage.open(t, () => ({ store: { ...STORE_DEFAULTS, redis: redis.url } }))
    assert.equal(stage.count('What the store says is revoked is not known yet'), 1)
    const { body } = await stage.admin('POST', '/revocations', { tenant: 'acme' })
    assert.equal((body as { stored: unknown }).stored, false)
    assert.equal(await stage.verdict('/orders/1', [ACME]), '401 token_revoked')
    assert.equal(await stage.verdict('/orders/1', [UMBRELLA]), '200')
    redis.signal('SIGCONT')
  })
})
