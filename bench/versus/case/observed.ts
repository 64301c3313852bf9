import { writeFileSync } from 'node:fs'
import type { Bench } from '../bench.ts'
import { assertCounts, assertCountsNothing } from '../count.ts'
import { writeGatewayFile } from '../peer/gateway-file.ts'
import { type Peer, type PeerStart, startPeer } from '../peer/peer.ts'
import { type CaseReport, MIN_PAIRS, RATIO_HEAD } from '../report.ts'
import type { Measurement } from '../round.ts'
import { cpuRatio, cpuRow, mediansTable, type Series } from '../series.ts'
import { type Stand, startUpstream, type Upstream } from '../stand.ts'
import { runTogether } from '../together.ts'
import { makeToken, tokenLines } from '../token.ts'
import { tryPeer } from '../trial.ts'
import { UNCOUNTED_ENV } from '../uncounted/replaced.ts'
import { Collector, PageReader, SAMPLED, Scraper, type Watched } from '../watcher.ts'

const TOKENS = 5_000
const WITHOUT = 'without'
const MOST_CPU = 1.05
/** Rounds for each of the throughput case's. */
const PATIENCE = 2
/** New processes for so many parts of the rounds: what V8 makes of a program differs by a hundredth or two each time. */
const PARTS = 6

/** Holds a watcher to a gateway; what it is asked for in the end is what it saw. */
interface Watch {
  readonly label: string
  /** Once for each part of the rounds, before its gateways start. */
  readonly open: (stand: Stand) => Promise<OpenWatch>
}

interface OpenWatch {
  readonly settings: readonly string[]
  readonly begin: (peer: Peer) => (seconds: number) => Promise<Watched>
}

const WATCHES: readonly Watch[] = [
  {
    label: 'metrics',
    open: async (stand) => ({
      settings: [],
      begin(peer) {
        const scraper = new Scraper(stand, peer)
        return async () => scraper.saw()
      },
    }),
  },
  {
    label: `traced ${100 * SAMPLED}%`,
    async open(stand) {
      const collector = await Collector.start(stand)
      return {
        settings: [`tracing: { endpoint: "${collector.url}", sample: ${100 * SAMPLED}% }`],
        begin: (peer) => () => collector.saw(peer),
      }
    },
  },
  {
    label: 'page open',
    open: async (stand) => ({
      settings: [],
      begin(peer) {
        const reader = new PageReader(stand, peer)
        return async (seconds) => reader.saw(seconds)
      },
    }),
  },
]

/** What watching costs: metrics scraped, traces, and the live page, against the same gateway with nothing counted. */
export async function observed(bench: Bench): Promise<CaseReport | null> {
  const { stand, options, upstream } = bench
  if (!options.peers.includes('gateway')) return null
  const tokenFile = stand.file('tokens-observed')
  const tokens = Array.from({ length: TOKENS }, (_, index) => makeToken('observed', index))
  writeFileSync(tokenFile, tokenLines(tokens))
  const upstreams = [upstream, await startUpstream(stand)] as const

  const tables = []
  const faults: string[] = []
  const ratios: string[][] = []
  const seen: string[][] = []
  for (const watch of WATCHES) {
    const { series, watched, spoiled } = await measure(bench, watch, upstreams, tokenFile)
    tables.push(mediansTable(series))
    const ratio = cpuRow(series, watch.label, WITHOUT)
    if (ratio !== null) ratios.push(ratio)
    for (const { name, words } of watched) seen.push([name, words])
    faults.push(...spoiled, ...watched.flatMap((one) => one.faults), ...brokenPromise(series, watch.label))
  }
  return {
    title: 'Watching',
    method:
      'The throughput case with gateways that differ in who watches them: metrics, as the product comes, scraped each ' +
      `second; ${100 * SAMPLED}% of the traces sent to a collector; the live page held open. Each against one whose ` +
      'counting is replaced by nothing as it starts, which no setting does. The two of a pair run at the same time, on ' +
      'the same core, half of the connections each: what the machine does to one it does to the other, and the requests ' +
      `per second are those of half a core. ${PARTS} times during the rounds both are started anew and warmed up. CPU is ` +
      `read from round to round, so that what is sent or shown later counts too. Promise: the 95% interval of ` +
      `CPU/request ends at ${MOST_CPU} or below, over ${MIN_PAIRS} pairs or more.`,
    tables: [...tables, { head: RATIO_HEAD, rows: ratios }, { head: ['watched by', 'saw'], rows: seen }],
    faults,
  }
}

async function measure(
  bench: Bench,
  watch: Watch,
  upstreams: readonly [Upstream, Upstream],
  tokenFile: string,
): Promise<{ series: Series; watched: Watched[]; spoiled: string[] }> {
  const { stand, options } = bench
  const rounds = Math.ceil((PATIENCE * options.rounds) / PARTS)
  const series = new Map<string, (Measurement | null)[]>([
    [WITHOUT, []],
    [watch.label, []],
  ])
  const watched: Watched[] = []
  const spoiled: string[] = []
  for (let part = 0; part < PARTS; part++) {
    const { mark } = stand
    const { settings, begin } = await watch.open(stand)
    const [first, second] = part % 2 === 0 ? upstreams : [upstreams[1], upstreams[0]]
    const without = await startGateway(bench, first, [], UNCOUNTED_ENV)
    const peer = await startGateway(bench, second, settings)
    await assertCounts(peer)
    await assertCountsNothing(without)
    const saw = begin(peer)
    const faults = await runTogether(bench, series, {
      name: `${watch.label}, part ${part + 1}/${PARTS}`,
      rounds,
      load: { tokenFile, distinct: null, seconds: options.seconds },
      pair: [
        { label: WITHOUT, peer: without, upstream: first },
        { label: watch.label, peer, upstream: second },
      ],
    })
    spoiled.push(...faults)
    await assertCountsNothing(without)
    watched.push(await saw(rounds * options.seconds))
    await stand.stopSince(mark)
  }
  return { series, watched, spoiled }
}

async function startGateway(
  { stand }: Bench,
  upstream: Upstream,
  settings: readonly string[],
  env: PeerStart['env'] = {},
): Promise<Peer> {
  const { port } = upstream
  const config = writeGatewayFile(stand, `observed-${stand.mark}`, { upstreamPort: port, settings })
  const common = { queryPort: port, ingestPort: port, workers: 1, cores: stand.cores.peer, config }
  const peer = await startPeer(stand, 'gateway', { ...common, env })
  await tryPeer(peer, upstream)
  return peer
}

function brokenPromise(series: Series, label: string): string[] {
  const { high, count } = cpuRatio(series, label, WITHOUT)
  if (high === null || count < MIN_PAIRS || high <= MOST_CPU) return []
  return [`promise broken: CPU/request of ${label} may be ${high.toFixed(3)} of that without`]
}
