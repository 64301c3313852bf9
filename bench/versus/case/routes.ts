import { writeFileSync } from 'node:fs'
import type { Bench } from '../bench.ts'
import { writeGatewayFile } from '../peer/gateway-file.ts'
import { type PeerStart, startPeer } from '../peer/peer.ts'
import type { CaseReport } from '../report.ts'
import { type Entrant, mediansTable, ratiosTable, runSeries } from '../series.ts'
import { makeToken, tokenLines } from '../token.ts'
import { tryPeer } from '../trial.ts'

const TOKENS = 5_000
const TABLES = [10, 100, 10_000] as const

/** The common job by a configuration file, with ever more routes, beside HAProxy with its two. */
export async function routes(bench: Bench): Promise<CaseReport | null> {
  const { stand, upstream, options } = bench
  if (!options.peers.includes('gateway')) return null
  const tokenFile = stand.file('tokens-routes')
  const tokens = Array.from({ length: TOKENS }, (_, index) => makeToken('routes', index))
  writeFileSync(tokenFile, tokenLines(tokens))
  const start: PeerStart = {
    queryPort: upstream.port,
    ingestPort: upstream.port,
    workers: 1,
    cores: stand.cores.peer,
  }
  const entrants: Entrant[] = []
  for (const count of TABLES) {
    const others = Array.from({ length: count - 1 }, (_, index) => routeText(index))
    const config = writeGatewayFile(stand, `routes-${count}`, { upstreamPort: upstream.port, routes: others })
    const peer = await startPeer(stand, 'gateway', { ...start, config })
    await tryPeer(peer, upstream)
    entrants.push({ label: `${count.toLocaleString('en-US')} routes`, peer, every: 1 })
  }
  if (options.peers.includes('haproxy')) {
    const peer = await startPeer(stand, 'haproxy', start)
    await tryPeer(peer, upstream)
    entrants.push({ label: 'haproxy', peer, every: 1 })
  }
  const { series, faults } = await runSeries(bench, entrants, {
    name: 'routes',
    rounds: options.rounds,
    outcome: 'forwarded',
    loadOf: () => ({ tokenFile, distinct: null, seconds: options.seconds }),
  })
  return {
    title: 'Routes',
    method:
      'The throughput case with the gateway set up by a YAML file of so many routes: literal, with parameters, by ' +
      'host and by header; the request takes the one for /api/v1/query/*.',
    tables: [mediansTable(series), ratiosTable(series)],
    faults,
  }
}

function routeText(index: number): string {
  const service = `/api/v1/service-${index}`
  const matches = [
    `{ path: "${service}/*" }`,
    `{ path: "${service}/items/:id" }`,
    `{ path: "${service}/*", hosts: [tenant-${index}.example.com] }`,
    `{ path: "${service}/*", headers: { X-Version: "${index}" } }`,
  ]
  return `{ name: service-${index}, match: ${matches[index % matches.length]}, upstream: query }`
}
