import type { Bench } from '../bench.ts'
import { moveBodies, startBodyOrigin } from '../load/body.ts'
import { chosenPeers, startPeer } from '../peer/peer.ts'
import { type CaseReport, mebibytes } from '../report.ts'
import { tryPeer } from '../trial.ts'

const MAX_GROWTH_BYTES = 32 * 2 ** 20
const STALL_MS = 3_000

/** A gibibyte whose reader stops in the middle: what the gateway holds then is two socket buffers, not the body. */
export async function stall(bench: Bench): Promise<CaseReport | null> {
  const { stand, upstream, options, say } = bench
  const bytes = options.quick ? 2 ** 27 : 2 ** 30
  const rows: string[][] = []
  const faults: string[] = []
  const ingestPort = await startBodyOrigin(stand)
  const start = { queryPort: upstream.port, ingestPort, workers: 1, cores: stand.cores.peer }
  for (const name of chosenPeers(options.peers, ['gateway', 'haproxy', 'nginx'])) {
    for (const direction of ['up', 'down'] as const) {
      const mark = stand.mark
      const peer = await startPeer(stand, name, start)
      await tryPeer(peer, upstream)
      const one = await moveBodies(stand, peer, {
        direction,
        bytes,
        connections: 1,
        seconds: 0,
        stallMs: STALL_MS,
      })
      const growth = one.residentPeak - one.residentBefore
      const label = `${mebibytes(bytes)} MiB ${direction}`
      rows.push([name, label, mebibytes(one.residentBefore), mebibytes(one.residentPeak), mebibytes(growth)])
      faults.push(...one.faults.map((fault) => `${label} through ${name}: ${fault}`))
      if (name === 'gateway' && growth >= MAX_GROWTH_BYTES) {
        faults.push(`${label}: resident memory grew by ${mebibytes(growth)} MiB`)
      }
      say(`stall, ${name}, ${label}: grew by ${mebibytes(growth)} MiB`)
      await stand.stopSince(mark)
    }
  }
  return {
    title: 'Stalled peer',
    method:
      'One body through a peer just started, whose reader (the upstream on the way up, the client on the way down) stops for three seconds after ' +
      'the first mebibyte and then takes the rest. Resident memory sampled every 20 ms, against what it was before.',
    tables: [{ head: ['', 'body', 'RSS before, MiB', 'peak, MiB', 'growth, MiB'], rows }],
    faults,
  }
}
