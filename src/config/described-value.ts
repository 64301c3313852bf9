/** Milliseconds as a config says them: `60s`, `5m`, `1500ms`. */
export function describeDuration(ms: number): string {
  const [unit, size] = durations.find(([, size, least]) => ms >= least && ms % size === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}

/** Unit, its milliseconds, and from where on it is used: a minute is `60s`, as people write it. */
const durations: readonly (readonly [string, number, number])[] = [
  ['h', 3_600_000, 3_600_000],
  ['m', 60_000, 120_000],
  ['s', 1_000, 0],
]

/** Bytes as a config says them: `64KiB`. */
export function describeSize(bytes: number): string {
  const [unit, size] = sizes.find(([, size]) => bytes !== 0 && bytes % size === 0) ?? ['B', 1]
  return `${bytes / size}${unit}`
}

const sizes: readonly (readonly [string, number])[] = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
]

/** Requests in a time as a config says them: `10/s`. */
export function describeRate({
  count,
  periodMs,
}: {
  readonly count: number
  readonly periodMs: number
}): string {
  const unit = RATE_UNITS.get(periodMs) ?? describeDuration(periodMs)
  return `${count}/${unit}`
}

const RATE_UNITS: ReadonlyMap<number, string> = new Map([
  [1_000, 's'],
  [60_000, 'm'],
  [3_600_000, 'h'],
  [86_400_000, 'day'],
])

/** A member of `Config` as the operator writes it. */
export interface WrittenMember {
  readonly name: string
  /** Of a value that is there. */
  describe(value: number): string
  /** Of null. */
  readonly absent: string
}

const plain = { describe: String, absent: 'none' }

/** Undoes what loading does to units: `headMs: 60000` was `head: 60s`. Told by the names, which carry the units. */
export function writtenMember(name: string): WrittenMember {
  if (name.endsWith('Ms')) return { name: name.slice(0, -2), describe: describeDuration, absent: 'off' }
  if (name.endsWith('Bytes')) return { name: name.slice(0, -5), describe: describeSize, absent: 'off' }
  if (SECONDS.has(name)) {
    return {
      name: name.slice(0, -1),
      describe: (seconds) => describeDuration(seconds * 1_000),
      absent: 'off',
    }
  }
  if (SHARES.has(name)) return { name, describe: describeShare, absent: 'none' }
  return { name, ...plain }
}

const SECONDS: ReadonlySet<string> = new Set(['maxAgeS', 'clockSkewS', 'maxLifetimeS', 'ttlS'])

/** Of a retry and a breaker: 0 … 1 in `Config`. */
const SHARES: ReadonlySet<string> = new Set(['budget', 'failures', 'sample', 'sampleSuccesses'])

function describeShare(share: number): string {
  return `${Number((share * 100).toFixed(6))}%`
}
