import { intervalOf, median } from './statistic.ts'

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** What a case found. */
export interface CaseReport {
  readonly title: string
  /** What was done, in a sentence or two. */
  readonly method: string
  readonly tables: readonly Table[]
  /** Broken promises: wrong answers, rounds that did not count, limits exceeded. A run with any fails. */
  readonly faults: readonly string[]
}

/** Fewer interleaved pairs than this claim nothing: nginx against itself varies by 7% from round to round. */
export const MIN_PAIRS = 30

export const RATIO_HEAD = ['pair', 'measure', 'ratio', '95% interval', 'pairs', 'claim'] as const

/**
 * Ratios taken pair by pair within rounds, so that drift of the machine cancels. Rounds in which either side does not
 * count (null) are left out.
 */
export function pairRatios(ours: readonly (number | null)[], theirs: readonly (number | null)[]): number[] {
  const ratios: number[] = []
  for (const [round, mine] of ours.entries()) {
    const other = theirs[round] ?? null
    if (mine !== null && other !== null && other > 0) ratios.push(mine / other)
  }
  return ratios
}

/** A row of those ratios; null if there is no pair. */
export function ratioRow(
  pair: string,
  measure: string,
  ours: readonly (number | null)[],
  theirs: readonly (number | null)[],
): string[] | null {
  const ratios = pairRatios(ours, theirs)
  if (ratios.length === 0) return null
  const { median: middle, low, high, count } = intervalOf(ratios)
  const interval = low === null || high === null ? 'too few pairs' : `${low.toFixed(2)} to ${high.toFixed(2)}`
  return [pair, measure, middle.toFixed(2), interval, String(count), claim(low, high, count)]
}

export function markdown(table: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(table.head), line(table.head.map(() => '---')), ...table.rows.map(line)].join('\n')
}

/** The same, with columns aligned for a terminal. */
export function plain(table: Table): string {
  const rows = [table.head, ...table.rows]
  const widths = table.head.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows
    .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n')
}

export function medianOf<Item>(items: readonly Item[], pick: (item: Item) => number): number {
  return median(items.map(pick))
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

function claim(low: number | null, high: number | null, count: number): string {
  if (low === null || high === null || count < MIN_PAIRS) return `none (under ${MIN_PAIRS} pairs)`
  if (low > 1) return 'higher'
  if (high < 1) return 'lower'
  return 'none'
}
