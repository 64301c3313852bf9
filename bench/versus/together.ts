import type { Bench } from './bench.ts'
import type { Load } from './load/wrk.ts'
import type { Peer } from './peer/peer.ts'
import { CpuMeter } from './process-tree.ts'
import type { Measurement } from './round.ts'
import { measureOrFault, wordsOf } from './series.ts'
import type { Upstream } from './stand.ts'

/**
 * Compilers and pools warm up outside the count. When control still made the spans, V8's compiling threads took 0.96 µs a
 * request of a gateway that traced after three rounds of 2 s, 0.4 to 0.5 after ten: code that runs some hundred times a
 * second is long in being compiled.
 */
const WARM_UPS = 10

export interface TogetherPlan {
  readonly name: string
  readonly rounds: number
  readonly load: Load
  /** Their labels are those of the series. */
  readonly pair: readonly { readonly label: string; readonly peer: Peer; readonly upstream: Upstream }[]
}

/**
 * Runs peers under load at the same time and adds a round's measurements to the series. The scheduler interleaves them
 * by the millisecond: their ratio varies by 2% from round to round (30 rounds of 2 s, a gateway against itself), that
 * of rounds in turn by 12%. It reads work larger than it is: 1.0 µs more of hashing a request as 1.3 and 1.6 (seven
 * processes each); by turns of a tenth of a second it was 1.6. A round counts for all or for none; tells of those that
 * did not.
 */
export async function runTogether(
  { stand, say }: Bench,
  series: ReadonlyMap<string, (Measurement | null)[]>,
  { name, rounds, load, pair }: TogetherPlan,
): Promise<string[]> {
  const faults: string[] = []
  // What is done a while after an exchange, as spans are sent, is work of a later round, and none is left out.
  const metered = pair.map((one) => ({ ...one, meter: new CpuMeter(one.peer.child.pid) }))
  for (let round = -WARM_UPS; round < rounds; round++) {
    const measured = await Promise.all(
      metered.map(({ peer, upstream, meter }) =>
        measureOrFault({ stand, upstream }, peer, load, 'forwarded', meter),
      ),
    )
    if (round < 0) continue
    const words: string[] = []
    const counts = measured.every((one) => typeof one !== 'string')
    for (const [index, one] of measured.entries()) {
      const label = pair[index]?.label ?? ''
      series.get(label)?.push(counts && typeof one !== 'string' ? one : null)
      words.push(`${label} ${wordsOf(one)}`)
      if (typeof one === 'string') faults.push(`${name}, round ${round + 1}, ${label}: ${one}`)
    }
    say(`${name} ${round + 1}/${rounds}  ${words.join(' · ')}`)
  }
  // A neighbour's spike may spoil a round; more than one in ten is a fault of ours.
  return faults.length > Math.ceil(rounds / 10) ? faults : []
}
