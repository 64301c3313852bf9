import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { LOG_DEFAULTS } from '../../src/config/default.ts'
import { Origin, response } from '../support/origin.ts'
import { RawClient } from '../support/raw-client.ts'
import { offer, quantile } from './offer.ts'
import { ThreadStage } from './thread-stage.ts'
import { asked, trafficConfig } from './traffic-part.ts'

const PLACES = 4
const SERVICE_MS = 20
const CONNECTIONS = 48

/** An upstream that is worth 200 requests a second, and falls behind without end when it gets more. */
async function worth(): Promise<Origin> {
  let free = PLACES
  const waiting: (() => void)[] = []
  return Origin.start(async (seen, reply) => {
    await seen.body
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    await pause(SERVICE_MS)
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
    await reply.write(response('200 OK', [], 'ok'))
  })
}

/** Asks again as soon as it is answered, until told to end; how often it was served. */
async function flood(port: number, isOver: () => boolean): Promise<number> {
  using client = await RawClient.connect(port)
  let served = 0
  while (!isOver()) {
    const { status } = await client.ask(asked('loud'))
    if (status === 200) served++
    else await pause(10)
  }
  return served
}

test('calm tenants lose nothing beside one that floods, and wait for no more than a few turns', async (t) => {
  await using origin = await worth()
  await using stage = await ThreadStage.start(
    trafficConfig(origin.url, {
      upstream: {
        connections: { max: 1_000, idle: 100, idleTimeoutMs: 4_000 },
        admission: { concurrency: PLACES, queue: 30, timeoutMs: 10_000 },
      },
      own: { workers: 2, log: { ...LOG_DEFAULTS, level: 'info', access: false } },
    }),
  )
  let isOver = false
  const loud = Array.from({ length: CONNECTIONS }, () => flood(stage.port, () => isOver))
  const calm = await Promise.all(
    ['b', 'c', 'd'].map((tenant) =>
      offer({ ports: [stage.port], bytes: asked(tenant), connections: 6, perSecond: 10, forMs: 2_500 }),
    ),
  )
  isOver = true
  const served = (await Promise.all(loud)).reduce((sum, count) => sum + count, 0)
  const all = calm.flat()
  assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]))
  const p50 = quantile(
    all.map(({ sentMs, answeredMs }) => answeredMs - sentMs),
    0.5,
  )
  // In one queue for everybody they would wait for 44 others, 220 ms.
  t.diagnostic(`p50 ${p50.toFixed(1)} ms of ${all.length}; the loud one was served ${served} times`)
  assert.ok(p50 < ((CONNECTIONS / PLACES) * SERVICE_MS) / 2, `${p50} ms`)
  assert.ok(served > 100, 'what calm tenants leave is the loud one’s')
})
