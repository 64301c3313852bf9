import { createHash } from 'node:crypto'

/** What decides while the store that replicas share fails: buckets of this process, nothing, or a refusal with 503. */
export type StoreErrorRule = 'local' | 'open' | 'closed'

/** One reading of both clocks. */
export interface LimitTime {
  /** Milliseconds of a monotonic clock that all threads share, fractions included. */
  nowMs: number
  /** Milliseconds since the epoch. */
  wallMs: number
}

/** One limit, compiled: arithmetic over a number that is kept for each key. That number is 0 for a key without a past. */
export interface Rule {
  readonly by: 'plan' | 'route' | 'quota'
  readonly onStoreError: StoreErrorRule
  /** `"pro";q=400;w=2`: an item of RateLimit-Policy. */
  readonly policyText: string
  /** `"pro"`: how RateLimit names it. */
  readonly nameText: string
  /** Tells its keys from those of other rules, and of this one with other numbers, in any store. */
  readonly identity: string
  readonly salt: number
  readonly otherSalt: number
  /** The number after one more request; -1: it is refused. */
  next(value: number, time: LimitTime): number
  /** The number without one request that was counted in it. */
  without(value: number): number
  /** Requests that would still be admitted at once. */
  left(value: number, time: LimitTime): number
  /** Milliseconds until everything is there again. */
  resetMs(value: number, time: LimitTime): number
  /** Milliseconds until a refused request would be admitted. */
  retryMs(value: number, time: LimitTime): number
}

/** What all rules have. */
export interface RuleNames {
  /** Of the plan or the route. */
  readonly name: string
  readonly by: Rule['by']
  readonly onStoreError: StoreErrorRule
}

/** The first two words of a digest: the same for the same text in every thread. */
export function saltsOf(identity: string): readonly [number, number] {
  const digest = createHash('sha256').update(identity).digest()
  return [digest.readInt32LE(0), digest.readInt32LE(4)]
}

/** A String of RFC 9651 section 3.3.3: visible ASCII; what else a name holds becomes `?`. */
export function structuredString(text: string): string {
  let inner = ''
  for (const character of text) {
    if (character === '"' || character === '\\') inner += `\\${character}`
    else inner += character >= ' ' && character <= '~' ? character : '?'
  }
  return `"${inner}"`
}
