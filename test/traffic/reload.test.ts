import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { LOG_DEFAULTS } from '../../src/config/default.ts'
import { echo, Origin } from '../support/origin.ts'
import { RawClient, type RawResponse } from '../support/raw-client.ts'
import { RedisProxy } from '../support/redis-proxy.ts'
import { RedisServer } from '../support/redis-server.ts'
import { ReloadStage } from '../support/reload-stage.ts'
import { until } from '../support/until.ts'
import { asked, planOf, SlowOrigin, type TrafficConfig, trafficConfig } from './traffic-part.ts'

interface Scene {
  readonly origin: Origin
  readonly ask: () => Promise<RawResponse>
  /** Puts another config in force. */
  readonly change: (next: TrafficConfig) => Promise<void>
  readonly stage: ReloadStage
}

async function staged(first: TrafficConfig, use: (scene: Scene) => Promise<void>): Promise<void> {
  await using origin = await Origin.start(echo)
  const config = (traffic: TrafficConfig): Config =>
    trafficConfig(origin.url, {
      ...traffic,
      own: { workers: 2, log: { ...LOG_DEFAULTS, level: 'info', access: false } },
    })
  await using stage = await ReloadStage.start(config(first))
  const clients: RawClient[] = []
  await use({
    origin,
    stage,
    ask: async () => {
      const client = await RawClient.connect(stage.port)
      clients.push(client)
      return client.ask(asked('acme'))
    },
    change: async (next) => {
      stage.write(config(next))
      await stage.reload()
    },
  })
  for (const client of clients) client.leave()
}

function limitOf(response: RawResponse): string | null {
  return response.get('ratelimit-policy')
}

const LINKS = 3
const RATE = { count: 1, periodMs: 1_000, burst: 3 }

describe('a reload', () => {
  test('brings plans, changes them, and takes them away', () =>
    staged({}, async ({ ask, change }) => {
      assert.equal(limitOf(await ask()), null)
      await change({ plans: [planOf('free', { rate: RATE })] })
      await until('the plan', async () => limitOf(await ask()) === '"free";q=3;w=3')
      await change({ plans: [planOf('free', { rate: { ...RATE, burst: 7 } })] })
      await until('the other plan', async () => limitOf(await ask()) === '"free";q=7;w=7')
      await change({})
      await until('no plan', async () => limitOf(await ask()) === null)
    }))

  test('keeps what was used of a limit that stays', () =>
    staged(
      { plans: [planOf('free', { rate: { ...RATE, count: 1, periodMs: 3_600_000 } })] },
      async (scene) => {
        const { ask, change } = scene
        for (const status of [200, 200, 200, 429]) assert.equal((await ask()).status, status)
        await change({
          plans: [
            planOf('free', { rate: { ...RATE, count: 1, periodMs: 3_600_000 } }),
            planOf('pro', { concurrency: 1 }),
          ],
        })
        assert.equal((await ask()).status, 429)
      },
    ))

  test('brings admission, and lets in who waits when it takes it away', () =>
    staged({}, async ({ ask, change, origin, stage }) => {
      const slow = new SlowOrigin(origin)
      await change({ upstream: { admission: { concurrency: 1, queue: 5, timeoutMs: 60_000 } } })
      await until('it to be in force', () => stage.count('Config reloaded') === 1)
      const answers = [ask(), ask(), ask()]
      await until('one to be in', () => slow.waiting === 1)
      await change({ upstream: { admission: { concurrency: 2, queue: 5, timeoutMs: 60_000 } } })
      await until('another to be in', () => slow.waiting === 2)
      await change({})
      await until('all to be in', () => slow.waiting === 3)
      slow.answer(3)
      for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200)
    }))

  test('links another store, and leaves the one before', async () => {
    await using redis = await RedisServer.start()
    await using one = await RedisProxy.start(redis.port)
    await using other = await RedisProxy.start(redis.port)
    const plans = [planOf('free', { rate: RATE })]
    await staged({ plans }, async ({ change, ask }) => {
      await change({ plans, redis: one.url })
      // One of each thread, and control's own.
      await until('all links', () => one.connections === LINKS)
      await change({ plans, redis: other.url })
      await until('links to the other', () => other.connections === LINKS && one.connections === 0)
      await change({ plans: [...plans, planOf('pro')], redis: other.url })
      await until('it to be asked', async () => (await ask()).status === 200)
      assert.equal(other.opened, LINKS, 'what stays the same is not linked anew')
      await change({ plans })
      await until('no links', () => other.connections === 0)
    })
  })
})
