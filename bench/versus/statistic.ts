export interface Interval {
  readonly median: number
  /** Null where there are too few values for 95%. */
  readonly low: number | null
  readonly high: number | null
  readonly count: number
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) return Number.NaN
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)] as number
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/**
 * The median and its 95% interval by the sign test: the order statistics between which the true median lies with at
 * least that probability, whatever the distribution. No draw of random numbers, so the same rounds give the same
 * interval; exact for few values too, where a bootstrap is too narrow. Six values are the least that carry one.
 */
export function intervalOf(values: readonly number[]): Interval {
  const sorted = [...values].sort((a, b) => a - b)
  const count = sorted.length
  const rank = signTestRank(count)
  if (rank === 0) return { median: median(sorted), low: null, high: null, count }
  return {
    median: median(sorted),
    low: sorted[rank - 1] as number,
    high: sorted[count - rank] as number,
    count,
  }
}

/** The largest rank k with P(Binomial(count, 1/2) < k) ≤ 2.5%; 0 if there is none. */
function signTestRank(count: number): number {
  let probability = 0.5 ** count
  let below = probability
  let rank = 0
  while (below <= 0.025) {
    rank++
    probability *= (count - rank + 1) / rank
    below += probability
  }
  return rank
}
