import { writeFileSync } from 'node:fs'
import type { Bench } from '../bench.ts'
import { chosenPeers, startPeer } from '../peer/peer.ts'
import type { CaseReport } from '../report.ts'
import { type Entrant, mediansTable, ratiosTable, runSeries } from '../series.ts'
import { makeForgery, tokenLines } from '../token.ts'
import { tryPeer } from '../trial.ts'

const TOKENS = 5_000

/** Well-formed tokens signed with another key: the most work a refusal can cost. */
export async function refusals(bench: Bench): Promise<CaseReport | null> {
  const { stand, upstream, options } = bench
  const names = chosenPeers(options.peers, ['gateway', 'haproxy'])
  if (names.length === 0) return null
  const tokenFile = stand.file('tokens-forged')
  writeFileSync(
    tokenFile,
    tokenLines(Array.from({ length: TOKENS }, (_, index) => makeForgery('forged', index))),
  )
  const start = { queryPort: upstream.port, ingestPort: upstream.port, workers: 1, cores: stand.cores.peer }
  const entrants: Entrant[] = []
  for (const name of names) {
    const peer = await startPeer(stand, name, start)
    await tryPeer(peer, upstream)
    entrants.push({ label: name, peer, every: 1 })
  }
  const { series, faults } = await runSeries(bench, entrants, {
    name: 'refusals',
    rounds: Math.max(3, Math.ceil(options.rounds / 3)),
    outcome: 'refused',
    loadOf: () => ({ tokenFile, distinct: null, seconds: options.seconds }),
  })
  return {
    title: 'Refusals',
    method: `${TOKENS.toLocaleString('en-US')} forged tokens in turn: every answer must be 401, and nothing may reach the upstream.`,
    tables: [mediansTable(series), ratiosTable(series)],
    faults,
  }
}
