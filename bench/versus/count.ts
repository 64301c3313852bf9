import { setTimeout as delay } from 'node:timers/promises'
import type { Peer } from './peer/peer.ts'
import { REPLACED, replacedLine } from './uncounted/replaced.ts'

const REQUESTS = /^nyro_requests_total\{.*\} (\d+)$/gm
/** Threads tell of a second when it is over. */
const PATIENCE_MS = 4_000

/** Exchanges that a gateway has counted in its metrics. */
export async function countedRequests({ adminPort }: Peer): Promise<number> {
  const page = await readAdmin(adminPort, '/metrics')
  let sum = 0
  for (const [, count] of page.matchAll(REQUESTS)) sum += Number(count)
  return sum
}

/** Throws unless both its metrics and its live page come to show what it was tried with. */
export async function assertCounts(peer: Peer): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while ((await countedRequests(peer)) === 0 || (await shownTenants(peer)) === 0) {
    if (performance.now() > deadline) throw new Error('a gateway does not count what it does')
    await delay(200)
  }
}

/** Throws if it kept a module that counts, or shows anything of its trial, which must be as long ago as counting takes. */
export async function assertCountsNothing(peer: Peer): Promise<void> {
  const said = peer.child.stderr.read()
  const kept = REPLACED.filter((name) => !said.includes(replacedLine(name)))
  if (kept.length > 0) throw new Error(`not replaced, so still counting: ${kept.join(', ')}`)
  const requests = await countedRequests(peer)
  const tenants = await shownTenants(peer)
  if (requests + tenants > 0) throw new Error(`the gateway without counts ${requests}, of ${tenants} tenants`)
}

async function shownTenants({ adminPort }: Peer): Promise<number> {
  const { tenants }: { tenants: readonly unknown[] } = JSON.parse(await readAdmin(adminPort, '/tenants'))
  return tenants.length
}

/** A page of a gateway's admin listener. */
export async function readAdmin(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  if (!response.ok) throw new Error(`${path} of the admin listener answers ${response.status}`)
  return response.text()
}
