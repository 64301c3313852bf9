import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, run } from '../versus/child.ts'
import { announcedPorts } from '../versus/peer/peer.ts'
import { plain, type Table } from '../versus/report.ts'
import { freePort, ROOT, Stand } from '../versus/stand.ts'
import { makeToken, SECRET } from '../versus/token.ts'
import type { CrowdResult } from './crowd.ts'

/**
 * The noisy neighbour: an upstream worth 400 requests a second; tenant A asks from 256 connections without a pause,
 * tenants B, C and D twenty times a second each. What B, C and D get, alone and beside A. `--seconds N` (10).
 */
const HERE = fileURLToPath(new URL('.', import.meta.url))
const at = process.argv.indexOf('--seconds')
const SECONDS = at < 0 ? 10 : Number(process.argv[at + 1])

const PEERS = ['gateway with admission', 'gateway without', 'haproxy maxconn 16'] as const
type PeerName = (typeof PEERS)[number]

async function main(): Promise<void> {
  const stand = new Stand()
  try {
    const rows: string[][] = []
    for (const peer of PEERS) rows.push(...(await measure(stand, peer)))
    const table: Table = {
      head: ['peer', 'B, C, D', 'sent', 'lost', 'p50 ms', 'p99 ms', 'p99 / alone', 'A answered/s'],
      rows,
    }
    process.stdout.write(`\n${plain(table)}\n`)
  } finally {
    await stand.close()
  }
}

async function measure(stand: Stand, peer: PeerName): Promise<string[][]> {
  const mark = stand.mark
  const queryPort = await freePort()
  const service = node(stand, 'service', 'worth.ts', { PORT: String(queryPort) })
  await service.ready(queryPort)
  const port = await startPeer(stand, peer, queryPort)
  const alone = await steadyCrowds(stand, port)
  const flooding = crowd(stand, port, { tenant: 0, kind: 'flood', count: 256, seconds: SECONDS + 2 })
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  const beside = await steadyCrowds(stand, port)
  const flood = await flooding
  await stand.stopSince(mark)
  const aloneMs = quantile(alone.latenciesMs, 0.99)
  process.stdout.write(`${peer}: done\n`)
  return [
    row(peer, 'alone', alone, aloneMs, '-'),
    row(peer, 'beside A', beside, aloneMs, (flood.answered / (SECONDS + 2)).toFixed(0)),
  ]
}

async function startPeer(stand: Stand, peer: PeerName, queryPort: number): Promise<number> {
  const QUERY_PORT = String(queryPort)
  if (peer === 'haproxy maxconn 16') {
    const port = await freePort()
    const env = { PEER_PORT: String(port), QUERY_PORT }
    const args = ['-db', '-f', join(HERE, 'haproxy.cfg')]
    const child = stand.start({ name: 'haproxy', command: 'haproxy', args, env, cores: null })
    await child.ready(port)
    return port
  }
  const child = stand.start({
    name: 'gateway',
    command: join(ROOT, 'bin/nyro'),
    args: ['start'],
    env: { GATEWAY_CONFIG: configFor(stand, peer), JWT_SECRET: SECRET, QUERY_PORT },
    cores: null,
  })
  return (await announcedPorts(child)).port
}

/** The committed configuration; without its admission for the peer that is to show what that is for. */
function configFor(stand: Stand, peer: PeerName): string {
  const committed = join(HERE, 'nyro.yaml')
  if (peer === 'gateway with admission') return committed
  const text = readFileSync(committed, 'utf8').replace(/^ +admission:.*\n/m, '')
  const path = stand.file('without.yaml')
  writeFileSync(path, text)
  return path
}

async function steadyCrowds(stand: Stand, port: number): Promise<CrowdResult> {
  const results = await Promise.all(
    [1, 2, 3].map((tenant) => crowd(stand, port, { tenant, kind: 'steady', count: 20, seconds: SECONDS })),
  )
  return {
    answered: results.reduce((sum, { answered }) => sum + answered, 0),
    lost: results.reduce((sum, { lost }) => sum + lost, 0),
    latenciesMs: results.flatMap(({ latenciesMs }) => latenciesMs),
  }
}

interface CrowdStart {
  readonly tenant: number
  readonly kind: 'flood' | 'steady'
  readonly count: number
  readonly seconds: number
}

async function crowd(stand: Stand, port: number, start: CrowdStart): Promise<CrowdResult> {
  const { tenant, ...rest } = start
  const output = await run(
    {
      name: 'crowd',
      command: process.execPath,
      args: [join(HERE, 'crowd.ts')],
      env: { CROWD: JSON.stringify({ port, token: makeToken('fairness', tenant).text, ...rest }) },
      cores: null,
      directory: stand.directory,
    },
    (start.seconds + 60) * 1_000,
  )
  return JSON.parse(output) as CrowdResult
}

function node(stand: Stand, name: string, file: string, env: Record<string, string>): Child {
  return stand.start({ name, command: process.execPath, args: [join(HERE, file)], env, cores: null })
}

function row(peer: string, when: string, result: CrowdResult, aloneMs: number, flood: string): string[] {
  const p99 = quantile(result.latenciesMs, 0.99)
  return [
    peer,
    when,
    String(result.answered + result.lost),
    String(result.lost),
    quantile(result.latenciesMs, 0.5).toFixed(1),
    p99.toFixed(1),
    (p99 / aloneMs).toFixed(2),
    flood,
  ]
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

await main()
