import type { Columns, Failure } from './wire.ts'

const KEPT_SECONDS = 900
/** Of those with 5xx, and of the others. */
const KEPT_FAILURES = 100

const NAMES = [
  'second',
  'requests',
  'clientErrors',
  'serverErrors',
  'aborted',
  'p50',
  'p95',
  'p99',
] as const satisfies readonly (keyof Columns)[]

/** The figures with those of the newest seconds put in or over them. */
export function merged(known: Columns, news: Columns): Columns {
  const first = news.second[0] ?? Number.POSITIVE_INFINITY
  const kept = known.second.findIndex((second) => second >= first)
  const end = kept < 0 ? known.second.length : kept
  const result = { ...known }
  for (const name of NAMES) {
    const column: (number | null)[] = [...known[name].slice(0, end), ...news[name]].slice(-KEPT_SECONDS)
    Object.assign(result, { [name]: column })
  }
  return result
}

/** Newest first. */
export function withFailures(known: readonly Failure[], news: readonly Failure[]): readonly Failure[] {
  const last = known[0]?.number ?? 0
  const fresh = news.filter(({ number }) => number > last).toReversed()
  if (fresh.length === 0) return known
  const all = [...fresh, ...known]
  const servers = all.filter(({ status }) => status >= 500).slice(0, KEPT_FAILURES)
  const others = all.filter(({ status }) => status < 500).slice(0, KEPT_FAILURES)
  return [...servers, ...others].sort((one, other) => other.number - one.number)
}

/** Of the last seconds that are whole. */
export function recent(columns: Columns, seconds: number) {
  const sum = (column: readonly number[]): number =>
    column.slice(-seconds).reduce((total, one) => total + one, 0)
  const requests = sum(columns.requests)
  const worst = columns.p99.slice(-seconds).filter((one) => one !== null)
  const middle = columns.p50.slice(-seconds).filter((one) => one !== null)
  return {
    perSecond: requests / seconds,
    serverErrors: sum(columns.serverErrors),
    clientErrors: sum(columns.clientErrors),
    errorShare: requests === 0 ? 0 : sum(columns.serverErrors) / requests,
    p50: middle.length === 0 ? null : median(middle),
    p99: worst.length === 0 ? null : Math.max(...worst),
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

export function count(value: number): string {
  if (value >= 10_000) return Math.round(value).toLocaleString('en')
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString('en') : value.toFixed(1)
}

export function percent(share: number): string {
  if (share === 0) return '0 %'
  return share < 0.001 ? '< 0.1 %' : `${(share * 100).toFixed(1)} %`
}

export function duration(ms: number | null): string {
  if (ms === null) return '–'
  if (ms < 1) return `${ms.toFixed(2)} ms`
  if (ms < 100) return `${ms.toFixed(1)} ms`
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** As an axis has it: of round numbers. */
export function axisDuration(ms: number): string {
  return ms >= 10_000 ? `${ms / 1000} s` : `${ms} ms`
}

/** With the day where it is not today. */
export function clock(ms: number): string {
  const at = new Date(ms)
  const time = at.toLocaleTimeString('en-GB')
  if (at.toDateString() === new Date().toDateString()) return time
  return `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${time}`
}
