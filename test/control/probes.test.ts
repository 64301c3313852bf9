import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HealthConfig } from '../../src/config/config.ts'
import type { ProbeTarget } from '../../src/control/probe-request.ts'
import { Probes } from '../../src/control/probes.ts'
import type { LiveEndpoint, LiveUpstream } from '../../src/upstreams/live-upstream.ts'
import { upstreamOf } from '../support/config-part.ts'
import { ManualTime } from '../support/manual-time.ts'

const HEALTH: HealthConfig = { path: '/health', intervalMs: 10_000, timeoutMs: 1_000, down: 3, up: 2 }

function endpoint(slot: number): LiveEndpoint {
  const address = `10.0.0.${slot}`
  const target = `${address}:80`
  return { slot, address, family: 4, port: 80, tls: false, host: address, authority: address, target }
}

function live(slots: readonly number[], health: HealthConfig | null = HEALTH): LiveUpstream {
  const config = upstreamOf('a', 'http://10.0.0.1/base', { health })
  return { config, slot: 0, endpoints: slots.map(endpoint) }
}

function stage(drawn = 0.5) {
  const time = new ManualTime()
  const health = new Map<number, string>()
  const logged: string[] = []
  const asked: { readonly atMs: number; readonly slot: number; readonly path: string }[] = []
  let givenUp = 0
  /** What each endpoint answers: null is healthy, `hang` nothing. */
  const answers: Record<number, string | null> = {}
  const probes = new Probes({
    probe: ({ endpoint: { slot }, path }: ProbeTarget, done) => {
      asked.push({ atMs: time.nowMs, slot, path })
      const answer = answers[slot] ?? null
      if (answer !== 'hang') queueMicrotask(() => done(answer))
      return () => {
        givenUp++
      }
    },
    startTimer: time.startTimer,
    random: () => drawn,
    setHealth: (slot, state) => health.set(slot, state),
    log: { log: (_level, event, fields) => logged.push(`${event}: ${fields['reason'] ?? ''}`) },
  })
  return { probes, time, health, logged, asked, answers, givenUp: () => givenUp }
}

test('each endpoint is asked once an interval, spread by chance, below the base path', async () => {
  const { probes, time, asked } = stage()
  probes.follow([live([1, 2])])
  await time.pass(26_000)
  assert.deepEqual(
    asked.filter(({ slot }) => slot === 1).map(({ atMs }) => atMs),
    [5_000, 15_000, 25_000],
  )
  assert.deepEqual(asked[0], { atMs: 5_000, slot: 1, path: '/base/health' })
  assert.equal(asked.length, 6)
})

test('an endpoint goes out of service after that many failures in a row, and not before', async () => {
  const { probes, time, health, logged, answers } = stage()
  probes.follow([live([1])])
  answers[1] = 'status 500'
  await time.pass(16_000)
  answers[1] = null
  await time.pass(10_000)
  answers[1] = 'ECONNREFUSED'
  await time.pass(20_000)
  assert.equal(health.get(1), undefined)
  await time.pass(10_000)
  assert.equal(health.get(1), 'down')
  assert.deepEqual(logged, ['Endpoint is unhealthy: ECONNREFUSED'])
})

test('one that works again is back within an interval', async () => {
  for (const drawn of [0, 0.999]) {
    const { probes, time, health, answers, logged } = stage(drawn)
    probes.follow([live([1])])
    answers[1] = 'status 503'
    while (health.get(1) !== 'down') await time.pass(100)
    answers[1] = null
    await time.pass(10_000)
    assert.equal(health.get(1), 'up')
    assert.equal(logged.at(-1), 'Endpoint is healthy again: ')
  }
})

test('an endpoint that does not answer in time has failed, and the question is given up', async () => {
  const { probes, time, health, answers, logged, givenUp } = stage()
  probes.follow([live([1])])
  answers[1] = 'hang'
  await time.pass(60_000)
  assert.equal(health.get(1), 'down')
  assert.deepEqual(logged, ['Endpoint is unhealthy: timeout'])
  assert.ok(givenUp() >= 3)
})

test('who is no longer followed is not asked, and is not out of service for want of questions', async () => {
  const { probes, time, health, asked, answers } = stage()
  answers[1] = 'status 500'
  answers[2] = 'hang'
  probes.follow([live([1, 2])])
  await time.pass(45_000)
  assert.equal(health.get(1), 'down')
  const before = asked.length
  probes.follow([live([1, 2], null)])
  await time.pass(60_000)
  assert.equal(asked.length, before)
  assert.deepEqual([health.get(1), health.get(2)], ['up', 'up'])
  assert.equal(time.waiting, 0)
})

test('a reload that changes nothing here disturbs no count, and one that changes the terms keeps the state', async () => {
  const { probes, time, health, answers } = stage()
  answers[1] = 'status 500'
  for (let reload = 0; reload < 40; reload++) {
    probes.follow([live([1])])
    await time.pass(1_000)
  }
  assert.equal(health.get(1), 'down')
  health.clear()
  probes.follow([live([1], { ...HEALTH, intervalMs: 1_000 })])
  assert.equal(health.get(1), undefined)
  answers[1] = null
  await time.pass(1_000)
  assert.equal(health.get(1), 'up')
})

test('after closing nothing is asked and nothing waits', async () => {
  const { probes, time, asked } = stage()
  probes.follow([live([1, 2])])
  probes.close()
  await time.pass(60_000)
  assert.deepEqual([asked.length, time.waiting], [0, 0])
})
