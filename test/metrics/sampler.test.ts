import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { MetricsMemory } from '../../src/metrics/metrics-memory.ts'
import { MetricsReader } from '../../src/metrics/metrics-view.ts'
import { ThreadMetrics } from '../../src/metrics/thread-metrics.ts'
import { ThreadSampler } from '../../src/worker/thread-sampler.ts'
import { Origin } from '../support/origin.ts'
import { request } from '../support/raw-client.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { PlaneStage, planeConfig } from '../worker/open-plane.ts'

test('a sampler tells how long a thread stood still, and what its pools hold', async () => {
  await using origin = await Origin.start()
  const config = planeConfig(origin.url)
  await using stage = await PlaneStage.open(config)
  const client = await stage.connect()
  assert.equal((await client.ask(request('GET', '/orders/1', [bearer(tenantToken('acme'))]))).status, 200)
  const memory = MetricsMemory.create(1)
  const reader = new MetricsReader(new MetricsMemory(memory, 'control'))
  const sampler = new ThreadSampler(stage.plane, new ThreadMetrics(memory, 0))
  sampler.start()
  await pause(50)
  const startMs = performance.now()
  while (performance.now() - startMs < 200);
  // The look that was due meanwhile.
  await pause(50)
  sampler.sample()
  const [thread] = reader.threads()
  const { loopDelayMaxMs = 0, loopShare = 0 } = thread ?? {}
  assert.ok(loopDelayMaxMs >= 100, `${loopDelayMaxMs} ms`)
  assert.ok(loopShare > 0.3 && loopShare <= 1, String(loopShare))
  assert.equal(reader.totals().clients, 1)
  assert.deepEqual(reader.pool(0), { idle: 1, waiting: 0 })
  assert.equal(reader.storeAnswers(), null)
  client.reset()
})
