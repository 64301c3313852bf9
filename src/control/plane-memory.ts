import { PlaceCount as UpstreamPlaceCount } from '../admission/place-count.ts'
import type { Config } from '../config/config.ts'
import { machineMs } from '../lib/clock.ts'
import { BucketTable } from '../limits/bucket-table.ts'
import { PlaceCount } from '../limits/place-count.ts'
import { UPSTREAM_SLOTS, UpstreamMemory } from '../upstreams/upstream-memory.ts'
import type { PlaneMemory } from '../worker/messages.ts'

/** Exchanges at once that there is room for, whatever a config says at first: a reload may allow more connections. */
const LEAST_EXCHANGES = 16_384

/** Fresh memory for the data planes of a process. `randomBytes` gives as many as it is asked for. */
export function createPlaneMemory(
  { workers, listen, store }: Pick<Config, 'workers' | 'listen' | 'store'>,
  randomBytes: (count: number) => Uint8Array,
): PlaneMemory {
  // A connection carries one exchange at a time.
  const exchanges = Math.max(LEAST_EXCHANGES, listen.maxConnections)
  return {
    upstreams: UpstreamMemory.create(workers, machineMs()),
    upstreamPlaces: UpstreamPlaceCount.create(UPSTREAM_SLOTS, workers),
    buckets: BucketTable.create(store.buckets, randomBytes(8)),
    tenantPlaces: PlaceCount.create(exchanges, workers, randomBytes(8)),
    // Each takes one of its upstream and one of its tenant there.
    streamPlaces: PlaceCount.create(exchanges * 2, workers, randomBytes(8)),
  }
}
