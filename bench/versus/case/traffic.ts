import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { Bench } from '../bench.ts'
import { readAdmin } from '../count.ts'
import { writeGatewayFile } from '../peer/gateway-file.ts'
import { type Peer, type PeerName, type PeerStart, startPeer } from '../peer/peer.ts'
import type { CaseReport } from '../report.ts'
import { type Entrant, mediansTable, ratiosTable, runSeries } from '../series.ts'
import { makeToken, tokenLines } from '../token.ts'
import { tryPeer } from '../trial.ts'

const TOKENS = 5_000
/** Far above what 64 connections can ask for: everything is counted, and nothing refused or made to wait. */
const PLAN = 'tenant: { defaultPlan: common, plans: { common: { rate: 1000000/s, concurrency: 1000 } } }'
const ADMISSION = 'admission: { concurrency: 100 }'

/** What a plan and admission cost where they refuse nobody, beside HAProxy that counts the same. */
export async function traffic(bench: Bench): Promise<CaseReport | null> {
  const { stand, upstream, options } = bench
  if (!options.peers.includes('gateway')) return null
  const tokenFile = stand.file('tokens-traffic')
  const tokens = Array.from({ length: TOKENS }, (_, index) => makeToken('traffic', index))
  writeFileSync(tokenFile, tokenLines(tokens))
  const { port } = upstream
  const start: PeerStart = { queryPort: port, ingestPort: port, workers: 1, cores: stand.cores.peer }
  const enter = async (label: string, name: PeerName, more: Partial<PeerStart>): Promise<Entrant> => {
    const peer = await startPeer(stand, name, { ...start, ...more })
    await tryPeer(peer, upstream)
    return { label, peer, every: 1 }
  }

  const planned = { upstreamPort: port, settings: [PLAN], upstream: [ADMISSION] }
  const config = writeGatewayFile(stand, 'traffic-with', planned)
  const counting = await enter('with', 'gateway', { config })
  await assertPlanned(counting.peer)
  const bare = writeGatewayFile(stand, 'traffic-without', { upstreamPort: port })
  const entrants = [counting, await enter('without', 'gateway', { config: bare })]
  if (options.peers.includes('haproxy')) {
    const socket = stand.file('plan.sock')
    entrants.push(await enter('haproxy', 'haproxy', { env: { PLAN_SOCKET: socket } }))
    await assertTabled(socket)
  }
  const { series, faults } = await runSeries(bench, entrants, {
    name: 'traffic',
    rounds: options.rounds,
    outcome: 'forwarded',
    loadOf: () => ({ tokenFile, distinct: null, seconds: options.seconds }),
  })
  return {
    title: 'Traffic',
    method:
      'The throughput case with a plan on the tenant (a rate and a concurrency) and admission to the upstream, none ' +
      'of which ever refuses or makes wait: every answer is a 200. HAProxy counts every tenant in a stick-table, ' +
      'by rate and by concurrency, and holds its connections to the upstream to a number; unlike the gateway it does ' +
      'not tell clients what is left (RateLimit fields).',
    tables: [mediansTable(series), ratiosTable(series)],
    faults,
  }
}

/** Throws unless it is told of its rate and the upstream has its places. */
async function assertPlanned({ port, adminPort }: Peer): Promise<void> {
  const headers = { Authorization: `Bearer ${makeToken('trial', 1).text}` }
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query/search`, { headers })
  await answer.body?.cancel()
  if (!answer.headers.has('RateLimit')) throw new Error('the gateway has no plan for the tenant')
  const page = await readAdmin(adminPort, '/metrics')
  if (!page.includes('nyro_admission_places{upstream="query"} 100'))
    throw new Error('no admission to the upstream')
}

/** Throws unless the stick-table knows the tenant of the trial. */
async function assertTabled(path: string): Promise<void> {
  const socket = connect(path)
  socket.end('show table plan\n')
  const table = Buffer.concat(await socket.toArray()).toString('latin1')
  if (!table.includes('key=acme-1 ')) throw new Error(`HAProxy does not count tenants: ${table}`)
}
