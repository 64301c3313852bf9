import { writeFileSync } from 'node:fs'
import type { Bench } from '../bench.ts'
import { assertCounts, assertCountsNothing } from '../count.ts'
import { writeGatewayFile } from '../peer/gateway-file.ts'
import { type Peer, type PeerStart, startPeer } from '../peer/peer.ts'
import { type CaseReport, MIN_PAIRS } from '../report.ts'
import { costsTable, cpuRatio, mediansTable, runSeries, type Series } from '../series.ts'
import { makeToken, tokenLines } from '../token.ts'
import { tryPeer } from '../trial.ts'
import { UNCOUNTED_ENV } from '../uncounted/replaced.ts'
import { Collector, EXPORT_MS, PageReader, SAMPLED, Scraper } from '../watcher.ts'

const TOKENS = 5_000
const TRACED = `traced ${100 * SAMPLED}%`
const PROMISED = ['metrics', TRACED, 'page open']
const MOST_CPU = 1.05
/** Rounds for each of the throughput case's: single ones differ by a tenth, and a twentieth is to be told. */
const PATIENCE = 2

/** What watching costs: metrics scraped, traces, and the live page, against the same gateway with nothing counted. */
export async function observed(bench: Bench): Promise<CaseReport | null> {
  const { stand, options } = bench
  if (!options.peers.includes('gateway')) return null
  const tokenFile = stand.file('tokens-observed')
  const tokens = Array.from({ length: TOKENS }, (_, index) => makeToken('observed', index))
  writeFileSync(tokenFile, tokenLines(tokens))

  const collector = await Collector.start(stand)
  const tracing = `tracing: { endpoint: "${collector.url}", sample: ${100 * SAMPLED}% }`
  const without = await startGateway(bench, [], { env: UNCOUNTED_ENV })
  const metrics = await startGateway(bench, [], {})
  const traced = await startGateway(bench, [tracing], { afterworkMs: EXPORT_MS })
  const viewed = await startGateway(bench, [], {})
  for (const peer of [metrics, traced, viewed]) await assertCounts(peer)
  await assertCountsNothing(without)
  const reader = new PageReader(stand, viewed)
  const scraper = new Scraper(stand, metrics)

  const entrants = [
    { label: 'without', peer: without, every: 1 },
    { label: 'metrics', peer: metrics, every: 1 },
    { label: TRACED, peer: traced, every: 1 },
    { label: 'page open', peer: viewed, every: 1 },
  ]
  const rounds = PATIENCE * options.rounds
  const { series, faults } = await runSeries(bench, entrants, {
    name: 'observed',
    rounds,
    outcome: 'forwarded',
    loadOf: () => ({ tokenFile, distinct: null, seconds: options.seconds }),
  })
  await assertCountsNothing(without)
  const watched = [await collector.saw(traced), reader.saw(rounds * options.seconds), scraper.saw()]
  return {
    title: 'Watching',
    method:
      'The throughput case with gateways that differ in who watches them: metrics, as the product comes, scraped each ' +
      `second; ${100 * SAMPLED}% of the traces sent to a collector; the live page held open. Each ` +
      'against one whose counting is replaced by nothing as it starts, which no setting does. Traces have ' +
      `${EXPORT_MS} ms after a round for what they are still to send, which counts. Promise: the 95% interval of ` +
      `CPU/request of ${PROMISED.join(', ')} ends at ${MOST_CPU} or below, over ${MIN_PAIRS} pairs or more.`,
    tables: [
      mediansTable(series),
      costsTable(series),
      { head: ['watched by', 'saw'], rows: watched.map(({ name, words }) => [name, words]) },
    ],
    faults: [...faults, ...watched.flatMap((one) => one.faults), ...brokenPromises(series)],
  }
}

async function startGateway(
  { stand, upstream }: Bench,
  settings: readonly string[],
  start: Partial<PeerStart>,
): Promise<Peer> {
  const config = writeGatewayFile(stand, `observed-${stand.mark}`, { upstreamPort: upstream.port, settings })
  const { port } = upstream
  const common = { queryPort: port, ingestPort: port, workers: 1, cores: stand.cores.peer, config }
  const peer = await startPeer(stand, 'gateway', { ...common, ...start })
  await tryPeer(peer, upstream)
  return peer
}

function brokenPromises(series: Series): string[] {
  return PROMISED.flatMap((label) => {
    const { high, count } = cpuRatio(series, label, 'without')
    if (high === null || count < MIN_PAIRS || high <= MOST_CPU) return []
    return [`promise broken: CPU/request of ${label} may be ${high.toFixed(3)} of that without`]
  })
}
