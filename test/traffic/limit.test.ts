import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { echo, Origin, response } from '../support/origin.ts'
import { request } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { PlaneStage } from '../worker/open-plane.ts'
import {
  asked,
  HandClock,
  planOf,
  SlowOrigin,
  statuses,
  type TrafficConfig,
  trafficConfig,
} from './traffic-part.ts'

const DAY_MS = 86_400_000

async function staged(
  config: TrafficConfig,
  use: (plane: PlaneStage, origin: Origin, clock: HandClock) => Promise<void>,
): Promise<void> {
  await using origin = await Origin.start(echo)
  const clock = new HandClock()
  await using plane = await PlaneStage.open(trafficConfig(origin.url, config), clock)
  await use(plane, origin, clock)
}

const THREE = { count: 1, periodMs: 1_000, burst: 3 }
const FREE = planOf('free', { rate: THREE })

describe('a plan', () => {
  test('holds a tenant to its rate over all routes, and says what is left', () =>
    staged({ plans: [FREE] }, async (plane, origin, clock) => {
      using client = await plane.connect()
      const first = await client.ask(asked('acme'))
      assert.deepEqual(
        [first.status, first.get('ratelimit-policy'), first.get('ratelimit')],
        [200, '"free";q=3;w=3', '"free";r=2;t=1'],
      )
      assert.deepEqual(await statuses(client, asked('acme', '/orders/2'), 2), [200, 200])
      const refused = await client.ask(asked('acme'))
      assert.deepEqual(
        [refused.status, refused.get('retry-after'), refused.get('ratelimit')],
        [429, '1', '"free";r=0;t=3'],
      )
      assert.equal(refused.json<{ code: string }>().code, 'rate_limited')
      assert.equal(origin.seen.length, 3)
      assert.deepEqual(await statuses(client, asked('globex'), 4), [200, 200, 200, 429])
      clock.nowMs += 1_000
      assert.deepEqual(await statuses(client, asked('acme'), 2), [200, 429])
    }))

  test('is the tenant’s own before the token’s, and the default where there is none of that name', () =>
    staged(
      {
        plans: [FREE, planOf('pro', { rate: { count: 1, periodMs: 1_000, burst: 5 } })],
        planOfTenant: { globex: 'pro' },
      },
      async (plane) => {
        using client = await plane.connect()
        const policy = async (tenant: string, plan?: string): Promise<string | null> =>
          (await client.ask(asked(tenant, '/orders/1', plan))).get('ratelimit-policy')
        assert.equal(await policy('globex', 'free'), '"pro";q=5;w=5')
        assert.equal(await policy('acme', 'pro'), '"pro";q=5;w=5')
        assert.equal(await policy('acme', 'gone'), '"free";q=3;w=3')
        assert.equal(await policy('initech', 'gone'), '"free";q=3;w=3')
        const told = plane.lines.filter((line) => line.includes('unknown plan'))
        assert.equal(told.length, 1, 'a line for each such request would be a way to fill a disk')
      },
    ))

  test('ends a quota with the day, and not before', () =>
    staged(
      { plans: [planOf('free', { quota: { limit: 2, window: 'day' } })] },
      async (plane, _origin, clock) => {
        clock.nowMs += DAY_MS - 90_000
        using client = await plane.connect()
        assert.deepEqual(await statuses(client, asked('acme'), 2), [200, 200])
        const refused = await client.ask(asked('acme'))
        assert.deepEqual([refused.status, refused.get('retry-after')], [429, '90'])
        assert.equal(refused.json<{ code: string }>().code, 'quota_exceeded')
        clock.nowMs += 90_000
        assert.deepEqual(await statuses(client, asked('acme'), 1), [200])
      },
    ))

  test('lets a tenant have so many requests under way, and gives the place back with the answer', () =>
    staged({ plans: [planOf('free', { concurrency: 1 })] }, async (plane, origin) => {
      const slow = new SlowOrigin(origin)
      using one = await plane.connect()
      using other = await plane.connect()
      const first = one.ask(asked('acme'))
      await until('the first to be under way', () => slow.waiting === 1)
      assert.deepEqual(await statuses(other, asked('acme'), 1), [429])
      slow.answer()
      assert.equal((await first).status, 200)
      const second = other.ask(asked('acme'))
      await until('the second to be under way', () => slow.waiting === 1)
      slow.answer()
      assert.equal((await second).status, 200)
    }))

  test('asks nothing of routes that ask nobody who they are', () =>
    staged({ plans: [FREE] }, async (plane) => {
      using client = await plane.connect()
      const got = await client.ask(request('GET', '/open/1'))
      assert.deepEqual([got.status, got.get('ratelimit')], [200, null])
      assert.deepEqual(await statuses(client, request('GET', '/open/1'), 5), [200, 200, 200, 200, 200])
    }))
})

describe('a route’s own limit', () => {
  const LOGIN = { per: 'ip', rate: { count: 1, periodMs: 60_000, burst: 2 }, onStoreError: 'local' } as const

  test('holds whoever comes from an address', () =>
    staged({ open: { name: 'login', limit: LOGIN } }, async (plane) => {
      using client = await plane.connect()
      assert.deepEqual(await statuses(client, request('GET', '/open/1'), 3), [200, 200, 429])
      const refused = await client.ask(request('GET', '/open/1'))
      assert.deepEqual(
        [refused.get('ratelimit-policy'), refused.get('retry-after')],
        ['"login";q=2;w=120', '60'],
      )
    }))

  test('comes on top of the plan, and who is refused by one of them is charged by neither', () =>
    staged(
      { plans: [FREE], orders: { limit: { ...LOGIN, per: 'tenant' } } },
      async (plane, _origin, clock) => {
        using client = await plane.connect()
        assert.deepEqual(await statuses(client, asked('acme'), 5), [200, 200, 429, 429, 429])
        clock.nowMs += 60_000
        const got = await client.ask(asked('acme'))
        assert.equal(got.get('ratelimit'), '"orders";r=0;t=120')
      },
    ))

  test('takes the place of what the upstream says about limits, and is said to pages', () =>
    staged({ open: { limit: LOGIN } }, async (plane, origin) => {
      origin.script = (_seen, reply) =>
        reply.write(
          response('200 OK', [
            ['RateLimit', '"up";r=9;t=9'],
            ['RateLimit_Policy', '"up";q=9'],
          ]),
        )
      using client = await plane.connect()
      const got = await client.ask(request('GET', '/open/1', [['Origin', 'https://app.test']]))
      assert.deepEqual(got.all('ratelimit'), ['"open";r=1;t=60'])
      assert.deepEqual([got.get('ratelimit_policy'), got.all('ratelimit-policy').length], [null, 1])
      assert.match(got.get('access-control-expose-headers') ?? '', /Retry-After, RateLimit, RateLimit-Policy/)
    }))

  test('leaves alone what an upstream says on routes without', () =>
    staged({}, async (plane, origin) => {
      origin.script = (_seen, reply) => reply.write(response('200 OK', [['RateLimit', '"up";r=9;t=9']]))
      using client = await plane.connect()
      assert.equal((await client.ask(request('GET', '/open/1'))).get('ratelimit'), '"up";r=9;t=9')
    }))

  test('is not spent by requests that are refused before it', () =>
    staged({ orders: { limit: { ...LOGIN, per: 'route' } } }, async (plane) => {
      using client = await plane.connect()
      assert.deepEqual(await statuses(client, request('GET', '/orders/1'), 4), [401, 401, 401, 401])
      assert.deepEqual(await statuses(client, asked('acme'), 3), [200, 200, 429])
    }))
})

describe('a shadowed limit', () => {
  test('decides, is logged with the exchange, and refuses nobody', () =>
    staged({ plans: [FREE], orders: { shadow: ['limit'] } }, async (plane) => {
      using client = await plane.connect()
      assert.deepEqual(await statuses(client, asked('acme'), 5), [200, 200, 200, 200, 200])
      const got = await client.ask(asked('acme', '/orders/last'))
      assert.equal(got.get('ratelimit'), null)
      await plane.access('/orders/last')
      const lines = plane.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
      const access = lines.filter((line) => line['path'] !== undefined)
      assert.deepEqual(
        access.map((line) => line['shadow'] ?? null),
        [null, null, null, ['limit'], ['limit'], ['limit']],
      )
      const told = lines.filter((line) => line['event'] === 'Shadowed policy would have refused')
      assert.deepEqual(
        told.map(({ route, policy, what, count }) => [route, policy, what, count]),
        [['orders', 'limit', 'rate_limited', 1]],
      )
    }))
})
