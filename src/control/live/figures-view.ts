import type { FailureRecord } from '../../observe/second-tally.ts'

/** Columns of the page's figures, oldest second first; a percentile is null where nothing ended. */
export interface SecondColumns {
  /** Since the epoch. */
  readonly second: readonly number[]
  readonly requests: readonly number[]
  readonly clientErrors: readonly number[]
  readonly serverErrors: readonly number[]
  readonly aborted: readonly number[]
  /** Milliseconds. */
  readonly p50: readonly (number | null)[]
  readonly p95: readonly (number | null)[]
  readonly p99: readonly (number | null)[]
}

/** A tenant over the last minute. */
export interface TenantFigures {
  /** Null: all that are not named. */
  readonly tenant: string | null
  readonly requests: number
  /** Of all requests that stated a tenant, 0 … 1. */
  readonly share: number
  readonly refusals: number
  /** Mean, milliseconds. */
  readonly latencyMs: number
}

/** A failure with its place in the order of all of them, from 1. */
export interface NumberedFailure extends FailureRecord {
  readonly number: number
}

/** What the live page and the admin API show of traffic; reads cost the data threads nothing. */
export interface FiguresView {
  /** `count` seconds up to and including `last`, at most those that are kept, none from before the start. */
  seconds(last: number, count: number): SecondColumns
  /** By requests, most first. */
  tenants(): readonly TenantFigures[]
  /** Those kept whose number is above `number`, oldest first. */
  failuresAfter(number: number): readonly NumberedFailure[]
}
