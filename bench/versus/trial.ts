import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { settle } from './log-file.ts'
import type { Peer } from './peer/peer.ts'
import type { Upstream } from './stand.ts'
import { makeForgery, makeToken } from './token.ts'

/** Asks a peer the two questions that tell whether it does the job at all, before anything is timed. */
export async function tryPeer(peer: Peer, upstream: Upstream): Promise<void> {
  const { text, tenant } = makeToken('trial', 1)
  const path = `/api/v1/query/search?q=trial&tenant=${tenant}`
  upstream.seen.empty()
  const good = await ask(peer.port, path, text)
  if (good.status !== 200 || !good.body.startsWith('{"answer"') || good.body.length !== 87) {
    throw new Error(`${peer.name} answers ${good.status} ${good.body.slice(0, 200)} to a good token`)
  }
  await settle([upstream.seen], () => upstream.seen.size > 0)
  if (!peer.doesTheJob) return
  const seen = upstream.seen.read().trim()
  if (seen !== `${tenant} ${tenant} id`) throw new Error(`${peer.name} stated ${seen} for tenant ${tenant}`)
  const bad = await ask(peer.port, path, makeForgery('trial', 1).text)
  if (bad.status !== 401) throw new Error(`${peer.name} answers ${bad.status} to a forged token`)
}

async function ask(port: number, path: string, token: string): Promise<{ status: number; body: string }> {
  const call = request({
    host: '127.0.0.1',
    port,
    path,
    headers: { authorization: `Bearer ${token}` },
    agent: false,
  })
  call.end()
  const [response]: IncomingMessage[] = await once(call, 'response')
  if (response === undefined) throw new Error('no response')
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode ?? 0, body }
}
