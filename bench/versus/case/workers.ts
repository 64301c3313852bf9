import { writeFileSync } from 'node:fs'
import type { Bench } from '../bench.ts'
import { startPeer } from '../peer/peer.ts'
import type { CaseReport } from '../report.ts'
import { type Entrant, mediansTable, ratiosTable, runSeries } from '../series.ts'
import { makeToken, tokenLines } from '../token.ts'
import { tryPeer } from '../trial.ts'

const TOKENS = 5_000

/** One data thread and two, on two cores each way. */
export async function workers(bench: Bench): Promise<CaseReport | null> {
  const { stand, upstream, options } = bench
  if (!options.peers.includes('gateway')) return null
  const tokenFile = stand.file('tokens-workers')
  writeFileSync(
    tokenFile,
    tokenLines(Array.from({ length: TOKENS }, (_, index) => makeToken('workers', index))),
  )
  const entrants: Entrant[] = []
  for (const count of [2, 1]) {
    const start = {
      queryPort: upstream.port,
      ingestPort: upstream.port,
      workers: count,
      cores: stand.cores.peerPair,
    }
    const peer = await startPeer(stand, 'gateway', start)
    await tryPeer(peer, upstream)
    entrants.push({ label: count === 1 ? '1 worker' : `${count} workers`, peer, every: 1 })
  }
  const { series, faults } = await runSeries(bench, entrants, {
    name: 'workers',
    rounds: Math.max(3, Math.ceil(options.rounds / 3)),
    outcome: 'forwarded',
    loadOf: () => ({ tokenFile, distinct: null, seconds: options.seconds }),
  })
  const shared = stand.cores.usable.length < 3
  return {
    title: 'Workers',
    method: shared
      ? 'Both may use both cores, one of which the upstream and the load need too: what a second worker costs or ' +
        'gives where no core is free. How it scales takes a machine with four cores or more.'
      : 'Both may use the same two cores; upstream and load have the others.',
    tables: [mediansTable(series), ratiosTable(series)],
    faults,
  }
}
