/** Resident memory of the gateway, once the exchange of that number was settled. */
export interface ResidentSample {
  readonly settled: number
  readonly bytes: number
}

export interface ResidentTrend {
  /** Medians of the first and the second half, what came before warm-up left out. */
  readonly firstBytes: number
  readonly secondBytes: number
  readonly peakBytes: number
  /** Null: too few exchanges to tell. */
  readonly flat: boolean | null
}

/** A process of this kind needs so much of a run until its heap and its pools have their size. */
const WARM_UP = 0.15
const MIN_EXCHANGES = 200_000
const MAX_GROWTH = 0.1
/** What a heap breathes, however small it is. */
const MAX_GROWTH_BYTES = 8 * 2 ** 20

/** Whether memory stayed what it was: growth of the median from half to half by a tenth, or by 8 MiB, is none. */
export function trendOf(samples: readonly ResidentSample[], exchanges: number): ResidentTrend {
  const from = exchanges * WARM_UP
  const middle = (exchanges + from) / 2
  const first = samples.filter(({ settled }) => settled >= from && settled < middle)
  const second = samples.filter(({ settled }) => settled >= middle)
  const firstBytes = medianBytes(first)
  const secondBytes = medianBytes(second)
  const enough = exchanges >= MIN_EXCHANGES && first.length > 0 && second.length > 0
  const limit = firstBytes + Math.max(MAX_GROWTH_BYTES, firstBytes * MAX_GROWTH)
  return {
    firstBytes,
    secondBytes,
    peakBytes: samples.reduce((most, { bytes }) => Math.max(most, bytes), 0),
    flat: enough ? secondBytes <= limit : null,
  }
}

function medianBytes(samples: readonly ResidentSample[]): number {
  const sorted = samples.map(({ bytes }) => bytes).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
