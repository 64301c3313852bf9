import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  readSketch,
  SKETCH_BYTES,
  SKETCH_TENANTS,
  sketchMemory,
  type TenantCount,
  TenantSketch,
} from '../../src/metrics/tenant-sketch.ts'
import { Random } from '../http1/random.ts'

/** Space-Saving by the letter: looks through all counters for the lowest. */
class NaiveSketch {
  readonly #counters: { tenant: string; count: number; error: number; refused: number; ms: number }[] = []

  add(tenant: string, requests: number, refused: number, ms: number): void {
    const counter = this.#counters.find((one) => one.tenant === tenant) ?? this.#give(tenant)
    counter.count += requests
    counter.refused += refused
    counter.ms += ms
  }

  get counts(): readonly TenantCount[] {
    return this.#counters.map(({ count, ...own }) => ({ ...own, requests: count - own.error }))
  }

  #give(tenant: string) {
    if (this.#counters.length < SKETCH_TENANTS) {
      const begun = { tenant, count: 0, error: 0, refused: 0, ms: 0 }
      this.#counters.push(begun)
      return begun
    }
    const lowest = this.#counters.reduce((one, other) => (other.count < one.count ? other : one))
    return Object.assign(lowest, { tenant, error: lowest.count, refused: 0, ms: 0 })
  }
}

/** Who sends next; all but the first kind have counters taken over. */
const STREAMS: Readonly<Record<string, (random: Random) => number>> = {
  'few tenants': (random) => random.below(SKETCH_TENANTS),
  'some more tenants than counters': (random) => random.below(SKETCH_TENANTS + 80),
  'a crowd': (random) => random.below(20_000),
  'a crowd and fifty large ones': (random) => (random.once(2) ? random.below(50) : random.below(20_000)),
  'few large ones and ever smaller ones': (random) =>
    Math.floor(20_000 * (random.below(10_000) / 10_000) ** 4),
}
const SENT = 12_000

function stage() {
  const memory = sketchMemory(new SharedArrayBuffer(SKETCH_BYTES), 0)
  return { sketch: new TenantSketch(memory), naive: new NaiveSketch(), read: () => readSketch(memory) }
}

function byTenant(counts: readonly TenantCount[]): readonly TenantCount[] {
  return counts.toSorted((one, other) => (one.tenant < other.tenant ? -1 : 1))
}

/** Counts with their errors, lowest first, and who has those above the lowest: what no choice between equals changes. */
function settled(counts: readonly TenantCount[]) {
  const all = counts.map(({ tenant, requests, error }) => ({ tenant, count: requests + error }))
  const lowest = Math.min(...all.map(({ count }) => count))
  return {
    lowest,
    counts: all.map(({ count }) => count).sort((one, other) => one - other),
    above: new Map(all.filter(({ count }) => count > lowest).map(({ tenant, count }) => [tenant, count])),
  }
}

describe('a sketch of tenants counts as Space-Saving has it', () => {
  for (const [name, next] of Object.entries(STREAMS)) {
    test(`${name}: tenant by tenant, where no two counts are equal`, () => {
      for (const seed of [1, 2]) {
        const random = new Random(seed)
        const { sketch, naive, read } = stage()
        for (let sent = 1; sent <= SENT; sent++) {
          const tenant = `tenant-${next(random)}`
          // So many at once that equal sums would be a wonder.
          const requests = 2 + random.below(2 ** 31)
          const refused = random.below(2)
          sketch.add(tenant, requests, refused, sent)
          naive.add(tenant, requests, refused, sent)
          if (sent % 3_000 === 0) assert.deepEqual(byTenant(read()), byTenant(naive.counts), `seed ${seed}`)
        }
      }
    })

    test(`${name}: whatever no choice between equals changes, where most are equal`, () => {
      for (const seed of [3, 4]) {
        const random = new Random(seed)
        const { sketch, naive, read } = stage()
        const had = new Map<string, number>()
        for (let sent = 1; sent <= SENT; sent++) {
          const tenant = `tenant-${next(random)}`
          // Two at once: with a single one a counter that changed hands has no name yet.
          sketch.add(tenant, 2, 0, 1)
          naive.add(tenant, 2, 0, 1)
          had.set(tenant, (had.get(tenant) ?? 0) + 2)
          if (sent % 3_000 !== 0) continue
          const counts = read()
          assert.deepEqual(settled(counts), settled(naive.counts), `seed ${seed}`)
          for (const { tenant: named, requests, error } of counts) {
            const all = had.get(named) ?? 0
            assert.ok(requests <= all && all <= requests + error, `${named}: ${requests}, ${error}, ${all}`)
          }
        }
      }
    })
  }
})
