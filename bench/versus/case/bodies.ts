import type { Bench } from '../bench.ts'
import { type BodyMeasurement, moveBodies, startBodyOrigin } from '../load/body.ts'
import type { BodyWork } from '../load/body-client.ts'
import { chosenPeers, type Peer, startPeer } from '../peer/peer.ts'
import { type CaseReport, mebibytes, medianOf, RATIO_HEAD, ratioRow } from '../report.ts'
import { turned } from '../series.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30

interface Shape {
  readonly label: string
  readonly rounds: number
  readonly work: Omit<BodyWork, 'port' | 'token'>
}

/** Bodies of a mebibyte and of a gibibyte, each way. */
export async function bodies(bench: Bench): Promise<CaseReport | null> {
  const { stand, upstream, options, say } = bench
  const names = chosenPeers(options.peers, ['gateway', 'haproxy', 'nginx'])
  if (names.length === 0) return null
  const ingestPort = await startBodyOrigin(stand)
  const start = { queryPort: upstream.port, ingestPort, workers: 1, cores: stand.cores.peer }
  const peers: Peer[] = []
  for (const name of names) peers.push(await startPeer(stand, name, start))

  const head = ['', 'bodies', 'MB/s', 'CPU s/GB', 'peak RSS MiB', 'load core busy', 'rounds']
  const rows: string[][] = []
  const ratios: string[][] = []
  const faults: string[] = []
  for (const { label, rounds, work } of shapes(bench)) {
    const measured = new Map<Peer, (BodyMeasurement | null)[]>(peers.map((peer) => [peer, []]))
    for (let round = 0; round < rounds; round++) {
      const words: string[] = []
      for (const peer of turned(peers, round)) {
        const one = await moveBodies(stand, peer, work)
        for (const fault of one.faults) faults.push(`${label} through ${peer.name}: ${fault}`)
        measured.get(peer)?.push(one.faults.length === 0 ? one : null)
        words.push(
          `${peer.name} ${(one.bytesPerSecond / 1e6).toFixed(0)} MB/s ${one.cpuSecondsPerGigabyte.toFixed(2)} s/GB`,
        )
      }
      say(`bodies, ${label} ${round + 1}/${rounds}  ${words.join(' · ')}`)
    }
    for (const [peer, all] of measured) {
      const counted = all.filter((one) => one !== null)
      if (counted.length > 0) rows.push(row(peer, label, counted))
    }
    ratios.push(...ratioRows(label, peers, measured))
  }
  return {
    title: 'Bodies',
    method:
      'Sized bodies through a verified route, every byte compared where it arrives. 1 MiB: 16 connections; 1 GiB: one. ' +
      'Where the load core is busy throughout, it sets the speed, and the CPU per gigabyte is what tells the peers apart.',
    tables: [
      { head, rows },
      { head: RATIO_HEAD, rows: ratios },
    ],
    faults,
  }
}

function shapes({ options }: Bench): Shape[] {
  const large = options.quick ? GIB / 8 : GIB
  const largeLabel = options.quick ? '128 MiB' : '1 GiB'
  const all: Shape[] = []
  for (const direction of ['up', 'down'] as const) {
    all.push({
      label: `1 MiB ${direction}`,
      rounds: options.quick ? 2 : 6,
      work: { direction, bytes: MIB, connections: 16, seconds: options.quick ? 1 : 2, stallMs: 0 },
    })
    all.push({
      label: `${largeLabel} ${direction}`,
      rounds: options.quick ? 2 : 6,
      work: { direction, bytes: large, connections: 1, seconds: 0, stallMs: 0 },
    })
  }
  return all
}

function row(peer: Peer, label: string, counted: readonly BodyMeasurement[]): string[] {
  return [
    peer.name,
    label,
    (medianOf(counted, (one) => one.bytesPerSecond) / 1e6).toFixed(0),
    medianOf(counted, (one) => one.cpuSecondsPerGigabyte).toFixed(2),
    mebibytes(Math.max(...counted.map((one) => one.residentPeak))),
    `${(100 * medianOf(counted, (one) => one.loadBusy)).toFixed(0)}%`,
    String(counted.length),
  ]
}

function ratioRows(
  label: string,
  peers: readonly Peer[],
  measured: ReadonlyMap<Peer, readonly (BodyMeasurement | null)[]>,
): string[][] {
  const [first, ...others] = peers
  if (first === undefined) return []
  const cost = (peer: Peer): (number | null)[] =>
    (measured.get(peer) ?? []).map((one) => one?.cpuSecondsPerGigabyte ?? null)
  return others.flatMap((other) => {
    const ratio = ratioRow(`${first.name} / ${other.name}`, `CPU/GB, ${label}`, cost(first), cost(other))
    return ratio === null ? [] : [ratio]
  })
}
