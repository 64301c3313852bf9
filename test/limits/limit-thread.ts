/** A thread that asks a shared limiter as fast as it can and counts what it was given, in shared memory. */
import { workerData } from 'node:worker_threads'
import { PlaceCount } from '../../src/limits/place-count.ts'
import { SharedLimiter } from '../../src/limits/shared-limiter.ts'
import { rateRule } from './limit-parts.ts'

/** Cells of `counts`: what the threads take and give, and whether they go on. */
export const ADMITTED = 0
export const OFFERED = 1
export const STOP = 2
export const MOST_HELD = 3
export const CELLS = 4

export interface LimitThreadBirth {
  readonly memory: SharedArrayBuffer
  readonly places: { readonly table: SharedArrayBuffer; readonly rows: SharedArrayBuffer }
  readonly counts: SharedArrayBuffer
  /** Milliseconds, as float64: the clock that the test turns. */
  readonly clock: SharedArrayBuffer
  readonly row: number
  readonly work: 'rate' | 'many keys' | 'places'
  readonly rate: readonly [count: number, periodMs: number, burst: number]
}

function run(birth: LimitThreadBirth): void {
  const counts = new Int32Array(birth.counts)
  const clock = new Float64Array(birth.clock)
  const limiter = new SharedLimiter(birth.memory, { monotonicMs: () => clock[0] as number, wallMs: () => 0 })
  const places = new PlaceCount(birth.places, birth.row)
  const rules = [rateRule(...birth.rate)]
  const keys = ['acme']
  for (let round = 0; Atomics.load(counts, STOP) === 0; round++) {
    Atomics.add(counts, OFFERED, 1)
    if (birth.work === 'places') {
      const place = places.tryTake('acme', 3)
      if (place < 0) continue
      const taken = places.taken('acme')
      if (taken > Atomics.load(counts, MOST_HELD)) Atomics.store(counts, MOST_HELD, taken)
      Atomics.add(counts, ADMITTED, 1)
      places.give(place)
      continue
    }
    if (birth.work === 'many keys') keys[0] = `tenant-${round % 400}`
    if (limiter.take(rules, keys).admitted) Atomics.add(counts, ADMITTED, 1)
  }
}

if (workerData !== null && 'clock' in (workerData as object)) run(workerData as LimitThreadBirth)
