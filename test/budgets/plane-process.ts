import { createHook } from 'node:async_hooks'
import { randomBytes } from 'node:crypto'
import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { createSigningKey } from '../../src/assertion/signing-key.ts'
import type { Config } from '../../src/config/config.ts'
import { AdmissionDesk } from '../../src/control/admission-desk.ts'
import { createPlaneMemory } from '../../src/control/plane-memory.ts'
import { startTimer } from '../../src/control/start-timer.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { MetricsMemory } from '../../src/metrics/metrics-memory.ts'
import { ThreadMetrics } from '../../src/metrics/thread-metrics.ts'
import { createLogRing, LogRingReader, LogRingWriter } from '../../src/observe/log-ring.ts'
import { DataPlane } from '../../src/worker/data-plane.ts'
import { NOTHING_KNOWN, ThreadIdentity } from '../../src/worker/thread-identity.ts'
import { liveUpstreams } from '../support/live-upstream.ts'
import type { PlaneOrder, PlaneReading } from './budget-plane.ts'

// A data plane alone in a process, so that whatever is allocated or created here is the gateway's.

const memory = createLogRing()
const writer = new LogRingWriter(memory)
const reader = new LogRingReader(memory)

const reading = { collections: 0, timers: 0, promises: 0 }

new PerformanceObserver((list) => {
  reading.collections += list.getEntries().length
}).observe({ entryTypes: ['gc'] })

function countCreations(): void {
  const hook = createHook({
    init(_, type) {
      if (type === 'PROMISE') reading.promises++
      else if (type === 'Timeout') reading.timers++
    },
  })
  hook.enable()
}

async function start(config: Config): Promise<number> {
  const memory = createPlaneMemory(config, randomBytes)
  const upstreams = liveUpstreams(config)
  const desk = new AdmissionDesk({
    ...{ memory: memory.upstreamPlaces, rows: 1, startTimer, nowMs: systemClock.monotonicMs },
    post: (_row, message) => plane.gate(message),
  })
  desk.apply(upstreams)
  const plane: DataPlane = await DataPlane.open({
    birth: {
      ...{ config, row: 0, version: '0.0.0-test', port: 0, draining: false },
      upstreams,
      memory,
      signingKey: createSigningKey(),
    },
    identity: new ThreadIdentity({ birth: NOTHING_KNOWN, clock: systemClock, ask: null }),
    clock: systemClock,
    random: Math.random,
    writeLine(line) {
      writer.write(line)
      // Another thread's work, which allocates nothing here.
      reader.consume(reader.unread())
    },
    gate: (message) => desk.said(0, message),
    writeSpans: () => {},
    drained: () => {},
    metrics: new ThreadMetrics(MetricsMemory.create(config.workers), 0),
  })
  await plane.listen({ host: '127.0.0.1', port: 0 })
  return plane.port
}

function say(message: PlaneReading): void {
  process.send?.(message)
}

process.on('message', (order: PlaneOrder) => {
  switch (order.kind) {
    case 'start':
      void start(order.config).then((port) => say({ ...reading, usedBytes: 0, port }))
      break
    case 'count':
      countCreations()
      say({ ...reading, usedBytes: 0, port: 0 })
      break
    case 'collect':
      globalThis.gc?.()
      // What the observer saw of it is told in a later turn; one timer and one promise, for who counts them.
      void pause(10).then(() => say({ ...reading, usedBytes: process.memoryUsage().heapUsed, port: 0 }))
      break
    case 'read': {
      const usedBytes = process.memoryUsage().heapUsed
      const { timers, promises } = reading
      setImmediate(() => say({ timers, promises, collections: reading.collections, usedBytes, port: 0 }))
      break
    }
  }
})
process.on('disconnect', () => process.exit())
