import { PlaceCount as UpstreamPlaceCount } from '../admission/place-count.ts'
import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { BucketTable } from '../limits/bucket-table.ts'
import { PlaceCount } from '../limits/place-count.ts'
import { UPSTREAM_SLOTS } from '../upstreams/upstream-memory.ts'
import type { PlaneMemory } from '../worker/messages.ts'
import type { ThreadLog } from '../worker/thread-log.ts'
import type { PreparedTraffic } from '../worker/thread-traffic.ts'
import { ThreadTraffic } from '../worker/thread-traffic.ts'

const KEY = new Uint8Array(8)
const NO_LIMIT = 0x7fffffff

/** Limits and admission of a process in which nothing else is under way: what is only explained uses nothing up. */
export class IdleTraffic {
  readonly #traffic: ThreadTraffic

  constructor(upstreams: SharedArrayBuffer, clock: Clock, log: ThreadLog) {
    const memory: PlaneMemory = {
      upstreams,
      upstreamPlaces: UpstreamPlaceCount.create(UPSTREAM_SLOTS, 1),
      buckets: BucketTable.create(16, KEY),
      tenantPlaces: PlaceCount.create(16, 1, KEY),
      streamPlaces: PlaceCount.create(16, 1, KEY),
    }
    const places = new UpstreamPlaceCount(memory.upstreamPlaces, UPSTREAM_SLOTS, 1, 0)
    for (let slot = 0; slot < UPSTREAM_SLOTS; slot++) places.setLimit(slot, NO_LIMIT)
    this.#traffic = new ThreadTraffic({
      ...{ memory, row: 0, threads: 1, clock, log, sharedMs: (ms) => ms, random: Math.random },
      gate: () => {},
    })
  }

  prepare({ tenant, store }: Pick<Config, 'tenant' | 'store'>): PreparedTraffic {
    return this.#traffic.prepare({ tenant, store: { ...store, redis: null } })
  }
}
