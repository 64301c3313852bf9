/**
 * Upper bounds of the latency buckets, seconds: three steps to a decade, from what the gateway itself takes to the
 * longest that a client waits.
 */
export const BUCKET_BOUNDS_S: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]

/** With the one that has no upper bound. */
export const BUCKETS: number = BUCKET_BOUNDS_S.length + 1

const BOUNDS_MS = Float64Array.from(BUCKET_BOUNDS_S, (seconds) => seconds * 1_000)

/** Where most requests are: from there the walk to a bucket is short either way. */
const MIDDLE = BUCKET_BOUNDS_S.indexOf(0.001)

/** The bucket of a time; a bound belongs to the bucket below it, as Prometheus has it. */
export function bucketOf(ms: number): number {
  let at = MIDDLE
  if (ms > (BOUNDS_MS[at] as number)) {
    while (at < BOUNDS_MS.length && ms > (BOUNDS_MS[at] as number)) at++
    return at
  }
  while (at > 0 && ms <= (BOUNDS_MS[at - 1] as number)) at--
  return at
}
