import { writeFileSync } from 'node:fs'
import type { Bench } from '../bench.ts'
import { chosenPeers, PEER_NAMES, startPeer } from '../peer/peer.ts'
import type { CaseReport } from '../report.ts'
import { type Entrant, mediansTable, ratiosTable, runSeries } from '../series.ts'
import { makeToken, tokenLines } from '../token.ts'
import { tryPeer } from '../trial.ts'

const TOKENS = 5_000
/** The two Node peers are three times off: a fifth of the rounds is enough to say so. */
const SLOW_EVERY = 5

/** The bar: the same common job, side by side, 5,000 tokens in turn. */
export async function throughput(bench: Bench): Promise<CaseReport | null> {
  const { stand, upstream, options } = bench
  const tokenFile = stand.file('tokens-cycled')
  writeFileSync(
    tokenFile,
    tokenLines(Array.from({ length: TOKENS }, (_, index) => makeToken('cycled', index))),
  )
  const start = {
    queryPort: upstream.port,
    ingestPort: upstream.port,
    workers: 1,
    cores: stand.cores.peer,
  }
  const entrants: Entrant[] = []
  for (const name of chosenPeers(options.peers, PEER_NAMES)) {
    const peer = await startPeer(stand, name, start)
    await tryPeer(peer, upstream)
    const every = name === 'fastify' || name === 'node-undici' ? SLOW_EVERY : 1
    entrants.push({ label: name, peer, every })
  }
  const load = { tokenFile, distinct: null, seconds: options.seconds }
  const { series, faults } = await runSeries(bench, entrants, {
    name: 'throughput',
    rounds: options.rounds,
    outcome: 'forwarded',
    loadOf: () => load,
  })
  return {
    title: 'Throughput',
    method:
      `${TOKENS.toLocaleString('en-US')} tokens in turn over 64 kept-alive connections, 87-byte answers. All but ` +
      'nginx verify the token, check its claims, replace X-Company-ID, give a request id and write an access line; ' +
      'nginx only relays.',
    tables: [mediansTable(series), ratiosTable(series)],
    faults,
  }
}
