import type { GateMessage, SchedulerMessage } from '../admission/admission-message.ts'
import { Gate } from '../admission/gate.ts'
import { PlaceCount as UpstreamPlaceCount } from '../admission/place-count.ts'
import type { Config, TenantConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { PlaceCount } from '../limits/place-count.ts'
import { SharedLimiter } from '../limits/shared-limiter.ts'
import { Plans } from '../policies/plan.ts'
import { UPSTREAM_SLOTS } from '../upstreams/upstream-memory.ts'
import { LimitStore } from './limit-store.ts'
import type { PlaneMemory } from './messages.ts'
import type { TrafficParts } from './routing/traffic-policies.ts'
import { SampledLog } from './sampled-log.ts'
import { StreamWatch } from './stream-watch.ts'
import type { ThreadLog } from './thread-log.ts'

export interface ThreadTrafficParts {
  readonly memory: PlaneMemory
  readonly row: number
  /** Data threads. */
  readonly threads: number
  readonly clock: Clock
  /** A reading of the clock as all threads would read it. */
  readonly sharedMs: (monotonicMs: number) => number
  readonly random: () => number
  readonly log: ThreadLog
  /** To control. */
  readonly gate: (message: GateMessage) => void
}

/** What one config makes of a thread's traffic. */
export interface PreparedTraffic {
  readonly policies: TrafficParts
  /** To be called when it comes into force. */
  readonly keep: () => void
}

/** Counts of one thread. */
export interface LimitFigures {
  /** Keys that gave way to others: their limits began anew. */
  readonly forgotten: number
  /** Exchanges let past a plan's concurrency because there was no room to count them. */
  readonly uncounted: number
  readonly store: 'none' | 'up' | 'down'
}

/** What a thread knows of who may send how much: shared with all threads, outlasting reloads. */
export class ThreadTraffic {
  readonly streams: StreamWatch
  readonly #gate: Gate
  readonly #tenantPlaces: PlaceCount
  readonly #local: SharedLimiter
  readonly #store: LimitStore
  readonly #sampled: SampledLog
  readonly #nowMs: () => number

  constructor({ memory, row, threads, clock, sharedMs, random, log, gate }: ThreadTrafficParts) {
    const { monotonicMs, wallMs } = clock
    this.#nowMs = monotonicMs
    const places = new UpstreamPlaceCount(memory.upstreamPlaces, UPSTREAM_SLOTS, threads, row)
    this.#gate = new Gate({ places, post: gate })
    this.#tenantPlaces = new PlaceCount(memory.tenantPlaces, row)
    this.streams = new StreamWatch(new PlaceCount(memory.streamPlaces, row), this.#gate)
    const say: ThreadLog['log'] = (level, event, fields) => log.log(level, event, fields)
    this.#sampled = new SampledLog(say, monotonicMs)
    // Buckets say when they are full, in a time that all threads must read alike.
    const shared = { wallMs, monotonicMs: () => sharedMs(monotonicMs()) }
    this.#local = new SharedLimiter(memory.buckets, shared)
    this.#store = new LimitStore({ local: this.#local, random, nowMs: monotonicMs, log: say })
  }

  prepare({ tenant, store }: Pick<Config, 'tenant' | 'store'>): PreparedTraffic {
    const choice = this.#store.prepare(store.redis)
    const plans = this.#plansOf(tenant)
    return {
      policies: {
        limiter: choice.limiter,
        places: this.#tenantPlaces,
        plans,
        gate: this.#gate,
        nowMs: this.#nowMs,
        shadowReport: ({ route }, kind, verdict) => {
          if (verdict === null) return
          const what = verdict.kind === 'failure' ? verdict.code : 'answer'
          this.#sampled.note('Shadowed policy would have refused', { route: route.name, policy: kind, what })
        },
      },
      keep: () => {
        this.#store.take(choice)
        this.#sampled.reset()
      },
    }
  }

  /** How limits fare in this thread. */
  get limits(): LimitFigures {
    return {
      forgotten: this.#local.evicted,
      uncounted: this.#tenantPlaces.uncounted,
      store: this.#store.state,
    }
  }

  /** What control says of who waits. */
  said(message: SchedulerMessage): void {
    this.#gate.said(message)
  }

  /** On every tick; `nowMs`: the thread's monotonic time. */
  sweep(nowMs: number): void {
    this.streams.sweep(nowMs)
    if (this.#gate.waiting > 0) this.#gate.sweep()
  }

  stop(): void {
    this.#store.stop()
  }

  #plansOf({ plans, defaultPlan, planOfTenant }: TenantConfig): Plans | null {
    if (defaultPlan === null) return null
    return new Plans({
      plans,
      defaultPlan,
      planOfTenant: new Map(Object.entries(planOfTenant)),
      claimedPlan: ({ plan }) => plan,
      countUnknown: () => this.#sampled.note('Credential names an unknown plan, the default holds', {}),
    })
  }
}
