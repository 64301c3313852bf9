import type { Rule } from './rule.ts'

/** What became of one request. From a limiter that decides synchronously it is valid until the next one it decides. */
export interface Decision {
  readonly admitted: boolean
  /** The rule that refused, or the one with the fewest left; null where none was asked. */
  readonly rule: Rule | null
  /** What refused; of an admitted one, what `rule` belongs to. `store`: nobody could decide, and the rule says refuse. */
  readonly by: 'plan' | 'route' | 'quota' | 'store'
  /** Requests that would still be admitted at once. */
  readonly left: number
  /** Whole seconds until everything is there again. */
  readonly resetS: number
  /** Whole seconds, from 1, until another try may be admitted; 0 where this one was. */
  readonly retryAfterS: number
}

/** Decides over limits. */
export interface Limiter {
  /**
   * Counts one request by all rules, or by none if one of them refuses: a refused request costs nothing. `keys` are
   * whose bucket it is, one for each rule; both arrays belong to the caller again when this returns.
   */
  take(rules: readonly Rule[], keys: readonly string[]): Decision | Promise<Decision>
}
