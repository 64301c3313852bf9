import type { Bench } from './bench.ts'
import type { Load } from './load/wrk.ts'
import type { Peer } from './peer/peer.ts'
import type { CpuMeter } from './process-tree.ts'
import { mebibytes, medianOf, pairRatios, RATIO_HEAD, ratioRow, type Table, whole } from './report.ts'
import { type Measurement, measureRound, type Outcome } from './round.ts'
import { type Interval, intervalOf } from './statistic.ts'

export interface Entrant {
  readonly label: string
  readonly peer: Peer
  /** Takes part in every n-th round: 1 for all. */
  readonly every: number
}

export interface SeriesPlan {
  readonly name: string
  readonly rounds: number
  readonly outcome: Outcome
  /** Called once a round, and with -1 for the warm-up; every entrant of the round gets the same load. */
  loadOf(round: number): Load
}

/** One list per label, one place per round; null where the entrant sat out or the round did not count. */
export type Series = ReadonlyMap<string, readonly (Measurement | null)[]>

/** Runs all entrants round by round, in an order that turns, so that nobody is always first. */
export async function runSeries(
  bench: Bench,
  entrants: readonly Entrant[],
  plan: SeriesPlan,
): Promise<{ series: Series; faults: string[] }> {
  const series = new Map<string, (Measurement | null)[]>()
  for (const { label } of entrants) series.set(label, new Array(plan.rounds).fill(null))
  const faults: string[] = []
  let discarded = 0
  // Compilers and pools warm up outside the count.
  const warmUp = plan.loadOf(-1)
  for (const { peer } of entrants) await measureOrFault(bench, peer, warmUp, plan.outcome)
  for (let round = 0; round < plan.rounds; round++) {
    const load = plan.loadOf(round)
    const words: string[] = []
    for (const { label, peer } of turned(entrants, round).filter(({ every }) => round % every === 0)) {
      const measured = await measureOrFault(bench, peer, load, plan.outcome)
      words.push(`${label} ${wordsOf(measured)}`)
      if (typeof measured !== 'string') {
        series.get(label)?.splice(round, 1, measured)
        continue
      }
      discarded++
      faults.push(`${plan.name}, round ${round + 1}, ${label}: ${measured}`)
    }
    bench.say(`${plan.name} ${round + 1}/${plan.rounds}  ${words.join(' · ')}`)
  }
  // A neighbour's spike may spoil a round; more than one in ten is a fault of ours.
  const most = Math.floor((plan.rounds * entrants.length) / 10)
  return { series, faults: discarded > most ? faults : [] }
}

/** What was measured, or why the round does not count. */
export async function measureOrFault(
  { stand, upstream }: Pick<Bench, 'stand' | 'upstream'>,
  peer: Peer,
  load: Load,
  outcome: Outcome,
  meter?: CpuMeter,
): Promise<Measurement | string> {
  try {
    const measured = await measureRound(stand, upstream, peer, load, outcome, meter)
    return measured.faults.length === 0 ? measured : measured.faults.join('; ')
  } catch (error) {
    // What it used is no later round's.
    meter?.lap()
    return error instanceof Error ? error.message : String(error)
  }
}

/** For a progress line. */
export function wordsOf(measured: Measurement | string): string {
  if (typeof measured === 'string') return `(does not count: ${measured})`
  return `${whole(measured.requestsPerSecond)}/s ${cpuUs(measured).toFixed(1)} µs`
}

export function mediansTable(series: Series): Table {
  const rows: string[][] = []
  for (const [label, measured] of series) {
    const counted = measured.filter((measurement) => measurement !== null)
    if (counted.length === 0) continue
    rows.push([
      label,
      whole(medianOf(counted, (one) => one.requestsPerSecond)),
      medianOf(counted, cpuUs).toFixed(1),
      medianOf(counted, (one) => one.userUs).toFixed(1),
      medianOf(counted, (one) => one.systemUs).toFixed(1),
      (medianOf(counted, (one) => one.p50Us) / 1000).toFixed(2),
      (medianOf(counted, (one) => one.p99Us) / 1000).toFixed(2),
      mebibytes(medianOf(counted, (one) => one.residentBytes)),
      `${(100 * medianOf(counted, (one) => one.loadBusy)).toFixed(0)}%`,
      `${(100 * medianOf(counted, (one) => one.stolen)).toFixed(0)}%`,
      String(counted.length),
    ])
  }
  const head = ['', 'requests/s', 'CPU µs/request', 'user', 'system', 'p50 ms', 'p99 ms', 'RSS MiB']
  return { head: [...head, 'load core busy', 'stolen', 'rounds'], rows }
}

/** The first entrant against each of the others: how it stands among them. */
export function ratiosTable(series: Series): Table {
  const [first = '', ...others] = series.keys()
  const rows = others.flatMap((other) => [
    rowOf(series, first, other, 'requests/s', (one) => one.requestsPerSecond),
    cpuRow(series, first, other),
  ])
  return { head: RATIO_HEAD, rows: rows.filter((row) => row !== null) }
}

/** CPU per request of one entrant against another's, within rounds. */
export function cpuRatio(series: Series, ours: string, theirs: string): Interval {
  return intervalOf(pairRatios(columnOf(series, ours, cpuUs), columnOf(series, theirs, cpuUs)))
}

/** That ratio as a row; its head is RATIO_HEAD. Null: no pair counted. */
export function cpuRow(series: Series, ours: string, theirs: string): string[] | null {
  return rowOf(series, ours, theirs, 'CPU/request', cpuUs)
}

function rowOf(
  series: Series,
  ours: string,
  theirs: string,
  measure: string,
  pick: (one: Measurement) => number,
): string[] | null {
  const pair = `${ours} / ${theirs}`
  return ratioRow(pair, measure, columnOf(series, ours, pick), columnOf(series, theirs, pick))
}

function columnOf(series: Series, label: string, pick: (one: Measurement) => number): (number | null)[] {
  return (series.get(label) ?? []).map((one) => (one === null ? null : pick(one)))
}

export function cpuUs(measurement: Measurement): number {
  return measurement.userUs + measurement.systemUs
}

/** The list begun at another place every round. */
export function turned<Item>(items: readonly Item[], round: number): readonly Item[] {
  const by = round % items.length
  return [...items.slice(by), ...items.slice(0, by)]
}
