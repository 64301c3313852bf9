import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { ThreadMetrics } from '../metrics/thread-metrics.ts'
import type { UpstreamSet } from '../upstreams/upstream-set.ts'
import type { LimitFigures } from './thread-traffic.ts'

const SAMPLE_MS = 1_000
/** A stall is measured to within this; it wakes no JavaScript. */
const LOOP_LOOK_MS = 20

/** What a sampler looks at. */
export interface SampledPlane {
  readonly load: { readonly clients: number; readonly active: number }
  readonly limits: LimitFigures
  readonly upstreams: UpstreamSet
}

/** Writes down once a second how a data thread is: what is there now rather than what happened. */
export class ThreadSampler {
  readonly #plane: SampledPlane
  readonly #metrics: ThreadMetrics
  readonly #delay = monitorEventLoopDelay({ resolution: LOOP_LOOK_MS })
  #use = performance.eventLoopUtilization()

  constructor(plane: SampledPlane, metrics: ThreadMetrics) {
    this.#plane = plane
    this.#metrics = metrics
  }

  /** Does not keep the thread alive. */
  start(): void {
    this.#delay.enable()
    this.sample()
    setInterval(() => this.sample(), SAMPLE_MS).unref()
  }

  sample(): void {
    const use = performance.eventLoopUtilization()
    const heap = getHeapStatistics()
    this.#metrics.sample({
      ...this.#plane.load,
      limits: this.#plane.limits,
      loopDelayMaxMs: lateMs(this.#delay.max),
      loopDelayMeanMs: lateMs(this.#delay.mean),
      loopShare: performance.eventLoopUtilization(use, this.#use).utilization,
      heapUsedBytes: heap.used_heap_size,
      heapLimitBytes: heap.heap_size_limit,
      externalBytes: heap.external_memory,
    })
    this.#use = use
    this.#delay.reset()
    for (const { slot, pool } of this.#plane.upstreams.current) {
      this.#metrics.pool(slot, pool.idle, pool.waiting)
    }
  }
}

/** Node counts from one look to the next, in ns; nothing was counted: NaN or the histogram's own bounds. */
function lateMs(sinceLookNs: number): number {
  const ms = sinceLookNs / 1e6 - LOOP_LOOK_MS
  return ms > 0 && ms < 3_600_000 ? ms : 0
}
