import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AdmissionConfig } from '../../src/admission/scheduler.ts'
import { routeTo } from '../support/config-part.ts'
import { echo, Origin, response } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import type { RawResponse } from '../support/raw-client.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { PlaneStage, upstreamConfig } from '../worker/open-plane.ts'
import { asked, HandClock, planOf, SlowOrigin, type TrafficConfig, trafficConfig } from './traffic-part.ts'

const SLOT = 0

interface Scene {
  readonly plane: PlaneStage
  readonly origin: Origin
  readonly slow: SlowOrigin
  readonly clock: HandClock
  /** One request on a connection of its own. */
  readonly ask: (tenant: string, target?: string) => Promise<RawResponse>
  readonly waiting: () => number
  readonly inUse: () => number
}

async function staged(
  admission: AdmissionConfig | null,
  use: (scene: Scene) => Promise<void>,
  config: TrafficConfig = {},
): Promise<void> {
  await using origin = await Origin.start(echo)
  const slow = new SlowOrigin(origin)
  const clock = new HandClock()
  const upstream = { connections: { max: 1_000, idle: 20, idleTimeoutMs: 4_000 }, admission }
  await using plane = await PlaneStage.open(
    trafficConfig(origin.url, { ...config, upstream: { ...upstream, ...config.upstream } }),
    clock,
  )
  const clients: RawClient[] = []
  try {
    await use({
      ...{ plane, origin, slow, clock },
      ask: async (tenant, target) => {
        const client = await RawClient.connect(plane.port)
        clients.push(client)
        return client.ask(asked(tenant, target))
      },
      waiting: () => plane.desk.stateOf(SLOT)?.waiting ?? -1,
      inUse: () => plane.desk.stateOf(SLOT)?.inUse ?? -1,
    })
  } finally {
    for (const client of clients) client.leave()
  }
}

const TWO = { concurrency: 2, queue: 3, timeoutMs: 2_000 }

describe('an upstream with two places', () => {
  test('gets no third exchange, which waits for its turn and is served then', () =>
    staged(TWO, async ({ ask, slow, waiting, inUse, origin }) => {
      const answers = [ask('a'), ask('a'), ask('a')]
      await until('one to wait', () => waiting() === 1 && slow.waiting === 2)
      assert.deepEqual([slow.waiting, origin.seen.length, inUse()], [2, 2, 2])
      slow.answer()
      await until('it to be let in', () => waiting() === 0 && slow.waiting === 2)
      slow.answer(2)
      assert.deepEqual(
        (await Promise.all(answers)).map(({ status }) => status),
        [200, 200, 200],
      )
      await until('all places to be free', () => inUse() === 0)
    }))

  test('serves tenants in turn, whatever one of them has waiting', () =>
    staged(TWO, async ({ ask, slow, waiting, origin }) => {
      const flood = [ask('a'), ask('a'), ask('a'), ask('a'), ask('a')]
      await until('the flood to wait', () => waiting() === 3)
      const calm = [ask('b'), ask('c')]
      await until('all to wait', () => waiting() === 5)
      slow.answer(2)
      await until('the next two to be in', () => origin.seen.length === 4)
      const tenants = origin.seen.slice(2).map((seen) => seen.get('x-company-id'))
      assert.ok(tenants.includes('b') || tenants.includes('c'), `${tenants}`)
      for (let served = 2; served < 7; served++) {
        await until('one to be in', () => slow.waiting > 0)
        slow.answer()
      }
      for (const answer of await Promise.all([...flood, ...calm])) assert.equal(answer.status, 200)
      const order = origin.seen.map((seen) => seen.get('x-company-id')).join('')
      assert.ok(order.indexOf('b') < 6 && order.indexOf('c') < 6, order)
    }))

  test('turns away whose tenant has too many waiting, at once and with Retry-After; others still may wait', () =>
    staged(TWO, async ({ ask, slow, waiting }) => {
      const answers = [ask('a'), ask('a'), ask('a'), ask('a'), ask('a')]
      await until('the queue to be full', () => waiting() === 3)
      const refused = await ask('a')
      assertProblem(refused, 503, 'upstream_saturated', 'Upstream service orders is at capacity.')
      assert.equal(refused.get('retry-after'), '2')
      const other = ask('b')
      await until('the other tenant to wait', () => waiting() === 4)
      for (let served = 0; served < 6; served++) {
        await until('one to be in', () => slow.waiting > 0)
        slow.answer()
      }
      for (const answer of await Promise.all([...answers, other])) assert.equal(answer.status, 200)
    }))

  test('turns away who has waited for as long as may be', () =>
    staged(TWO, async ({ ask, slow, waiting, clock, origin }) => {
      const answers = [ask('a'), ask('a')]
      await until('both to be in', () => slow.waiting === 2)
      const late = ask('b')
      await until('one to wait', () => waiting() === 1)
      clock.nowMs += 2_000
      assertProblem(await late, 503, 'upstream_saturated', 'Upstream service orders is at capacity.')
      assert.equal(origin.seen.length, 2)
      slow.answer(2)
      await Promise.all(answers)
    }))

  test('sheds from the longest queue where all of them together are too long', () =>
    staged({ concurrency: 1, queue: 1, timeoutMs: 60_000 }, async ({ ask, slow, waiting }) => {
      const first = ask('first')
      await until('the place to be taken', () => slow.waiting === 1)
      const others = Array.from({ length: 10 }, (_, tenant) => ask(`t${tenant}`))
      await until('ten to wait', () => waiting() === 10)
      const last = ask('last')
      const one = await Promise.race([...others, last])
      assert.equal(one.status, 503)
      assert.equal(waiting(), 10)
      for (let served = 0; served < 11; served++) {
        await until('one to be in', () => slow.waiting > 0)
        slow.answer()
      }
      const all = await Promise.all([first, ...others, last])
      assert.equal(all.filter(({ status }) => status === 200).length, 11)
    }))

  test('keeps no place in the queue for a client that left', () =>
    staged(TWO, async ({ ask, slow, waiting, plane, origin }) => {
      const answers = [ask('a'), ask('a')]
      await until('both to be in', () => slow.waiting === 2)
      const leaving = await plane.connect()
      void leaving.send(asked('b'))
      await until('one to wait', () => waiting() === 1)
      leaving.reset()
      await until('nobody to wait', () => waiting() === 0)
      slow.answer(2)
      await Promise.all(answers)
      assert.equal(origin.seen.length, 2)
    }))

  test('is shared by tenants as their plans weigh', () =>
    staged(
      { concurrency: 1, queue: 20, timeoutMs: 60_000 },
      async ({ ask, slow, waiting, origin }) => {
        const first = ask('first')
        await until('the place to be taken', () => slow.waiting === 1)
        const answers = Array.from({ length: 8 }, () => [ask('large'), ask('small')]).flat()
        await until('all to wait', () => waiting() === 16)
        for (let served = 0; served < 17; served++) {
          await until('one to be in', () => slow.waiting > 0)
          slow.answer()
        }
        await Promise.all([first, ...answers])
        const order = origin.seen.slice(1, 9).map((seen) => seen.get('x-company-id'))
        const large = order.filter((tenant) => tenant === 'large').length
        assert.ok(
          large === 6 || large === 7,
          `${large} of the first eight, where 3 to 1 was agreed: ${order}`,
        )
      },
      { plans: [planOf('free'), planOf('pro', { weight: 3 })], planOfTenant: { large: 'pro' } },
    ))

  test('keeps the place through another try', () =>
    staged(
      { concurrency: 1, queue: 3, timeoutMs: 2_000 },
      async ({ ask, origin, inUse }) => {
        const held: number[] = []
        origin.script = async (seen, reply) => {
          held.push(inUse())
          if (origin.seen.length === 1) await reply.write(response('503 Service Unavailable', [], 'no'))
          else await echo(seen, reply)
        }
        assert.equal((await ask('a')).status, 200)
        assert.deepEqual(held, [1, 1])
        await until('the place to be free', () => inUse() === 0)
      },
      { upstream: { retry: { attempts: 1, budget: 1, on: [503] } } },
    ))
})

test('a shadowed admission makes nobody wait', () =>
  staged(
    { concurrency: 1, queue: 3, timeoutMs: 500 },
    async ({ ask, slow, plane, clock }) => {
      const answers = [ask('a', '/orders/one'), ask('a', '/orders/other')]
      await until('both to be in', () => slow.waiting === 2)
      clock.nowMs += 500
      await until('the line', () =>
        plane.lines.some((line) => line.includes('Shadowed policy would have refused')),
      )
      slow.answer(2)
      for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200)
      await until('both lines', () => plane.lines.filter((line) => line.includes('/orders/')).length === 2)
      assert.equal(plane.lines.filter((line) => line.includes('"shadow":["admission"]')).length, 1)
      assert.equal(plane.desk.isIdle(SLOT), true)
    },
    { orders: { shadow: ['admission'] } },
  ))

test('a route to several upstreams is let into the one that was drawn', async () => {
  await using origin = await Origin.start(echo)
  await using canary = await Origin.start(echo)
  const slow = new SlowOrigin(canary)
  // As many as may be drawn for the canary before the other is.
  const admission = { concurrency: 1, queue: 100, timeoutMs: 60_000 }
  const upstreams = [
    upstreamConfig(origin.url),
    { ...upstreamConfig(canary.url, { admission }), name: 'canary' },
  ]
  const ending = {
    kind: 'forward',
    upstreams: [
      { name: 'orders', weight: 1 },
      { name: 'canary', weight: 1 },
    ],
  } as const
  const routes = [routeTo('orders', '/open/*', 'none', { ending })]
  await using plane = await PlaneStage.open(trafficConfig(origin.url, { own: { upstreams, routes } }))
  const canarySlot = 1
  const clients: RawClient[] = []
  const statuses: number[] = []
  // Drawn one to one: both are met long before a hundred.
  for (let count = 0; count < 100 && (origin.seen.length === 0 || slow.waiting === 0); count++) {
    const client = await plane.connect()
    clients.push(client)
    void client.ask(request('GET', '/open/1')).then(({ status }) => statuses.push(status))
    await until(
      'it to be somewhere',
      () => origin.seen.length + slow.waiting + (plane.desk.stateOf(canarySlot)?.waiting ?? 0) > count,
    )
  }
  assert.equal(plane.desk.stateOf(canarySlot)?.inUse, 1)
  assert.equal(plane.desk.stateOf(0), null)
  await until('all to be answered', () => {
    slow.answer()
    return statuses.length === clients.length
  })
  assert.deepEqual(new Set(statuses), new Set([200]))
  await until('the place to be free', () => plane.desk.isIdle(canarySlot))
  for (const client of clients) client.leave()
})
