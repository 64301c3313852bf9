import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bench } from '../bench.ts'
import type { Child } from '../child.ts'
import { chosenPeers, type PeerName, startPeer } from '../peer/peer.ts'
import { residentBytesOf } from '../process-tree.ts'
import { type CaseReport, mebibytes, whole } from '../report.ts'
import { HERE } from '../stand.ts'
import { makeToken } from '../token.ts'
import { tryPeer } from '../trial.ts'

const CONNECTIONS = 10_000
/** What all of them may add to a gateway without connections. */
const MAX_GATEWAY_BYTES = 100 * 2 ** 20
/** Pools trim and collectors rest within this. */
const REST_MS = 2_000

/** Clients that have done an exchange and keep their connection: what each costs, and all of them. */
export async function idle(bench: Bench): Promise<CaseReport | null> {
  const { stand, upstream, options, say } = bench
  const rows: string[][] = []
  const faults: string[] = []
  for (const name of chosenPeers(options.peers, ['gateway', 'haproxy', 'nginx'])) {
    const start = { queryPort: upstream.port, ingestPort: upstream.port, workers: 1, cores: stand.cores.peer }
    const peer = await startPeer(stand, name, start)
    await tryPeer(peer, upstream)
    const before = residentBytesOf(peer.child.pid)
    const count = connectionsFor(name)
    const client = stand.start({
      name: 'idle-client',
      command: process.execPath,
      args: [join(HERE, 'load/idle-client.ts'), String(peer.port), String(count), makeToken('idle', 1).text],
      env: {},
      cores: stand.cores.load,
    })
    const failure = await idleOrFailure(client)
    await delay(REST_MS)
    const after = residentBytesOf(peer.child.pid)
    const late =
      failure ??
      client.stdout
        .read()
        .split('\n')
        .find((line) => line.startsWith('FAILED')) ??
      null
    await client.stop()
    if (late !== null) {
      faults.push(`idle connections to ${name}: ${late}`)
      say(`idle, ${name}: ${late}`)
      continue
    }
    const each = Math.round((after - before) / count)
    rows.push([name, whole(count), mebibytes(before), mebibytes(after), whole(each)])
    if (name === 'gateway' && after - before >= MAX_GATEWAY_BYTES) {
      faults.push(`${whole(count)} idle connections take ${mebibytes(after - before)} MiB together`)
    }
    say(`idle, ${name}: ${whole(count)} connections, ${mebibytes(after)} MiB, ${whole(each)} bytes each`)
  }
  return {
    title: 'Idle connections',
    method: 'Every connection has done one verified exchange and waits for its next request.',
    tables: [{ head: ['', 'connections', 'RSS before, MiB', 'RSS with them, MiB', 'bytes each'], rows }],
    faults,
  }
}

/** HAProxy sets two descriptors aside for every client it lets in. */
function connectionsFor(name: PeerName): number {
  if (name !== 'haproxy') return CONNECTIONS
  const limit = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
  return Math.min(CONNECTIONS, Math.floor((Number(limit ?? 4096) - 500) / 2))
}

async function idleOrFailure(client: Child): Promise<string | null> {
  const deadline = performance.now() + 60_000
  while (performance.now() < deadline && client.alive) {
    const line = client.stdout.read().split('\n', 1)[0] ?? ''
    if (line === 'READY') return null
    if (line.startsWith('FAILED')) return line
    await delay(50)
  }
  return `it did not get there: ${client.lastWords}`
}
