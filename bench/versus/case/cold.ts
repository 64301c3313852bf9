import { writeFileSync } from 'node:fs'
import type { Bench } from '../bench.ts'
import { chosenPeers, startPeer } from '../peer/peer.ts'
import type { CaseReport } from '../report.ts'
import { type Entrant, mediansTable, ratiosTable, runSeries } from '../series.ts'
import { makeToken, tokenLines } from '../token.ts'
import { tryPeer } from '../trial.ts'

/** More than any peer gets through: a round in which they run out has seen some twice, and does not count. */
const TOKENS_PER_SECOND = 40_000

/** No token is ever seen twice, so that a cache of verified tokens is nothing but a cost. */
export async function cold(bench: Bench): Promise<CaseReport | null> {
  const { stand, upstream, options } = bench
  const names = chosenPeers(options.peers, ['gateway', 'haproxy'])
  if (names.length === 0) return null
  const tokenFile = stand.file('tokens-cold')
  const count = TOKENS_PER_SECOND * options.seconds
  const start = { queryPort: upstream.port, ingestPort: upstream.port, workers: 1, cores: stand.cores.peer }
  const entrants: Entrant[] = []
  for (const name of names) {
    const peer = await startPeer(stand, name, start)
    await tryPeer(peer, upstream)
    entrants.push({ label: name, peer, every: 1 })
  }
  const { series, faults } = await runSeries(bench, entrants, {
    name: 'cold',
    rounds: Math.max(3, Math.ceil(options.rounds / 3)),
    outcome: 'forwarded',
    loadOf: (round) => {
      const tokens = Array.from({ length: count }, (_, index) => makeToken(`cold-${round}`, index))
      writeFileSync(tokenFile, tokenLines(tokens))
      return { tokenFile, distinct: count, seconds: options.seconds }
    },
  })
  return {
    title: 'Cold tokens',
    method: `As above, but every token is used once: ${count.toLocaleString('en-US')} new ones laid ready for a round.`,
    tables: [mediansTable(series), ratiosTable(series)],
    faults,
  }
}
