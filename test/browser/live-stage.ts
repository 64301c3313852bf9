import { setTimeout as pause } from 'node:timers/promises'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { Origin, response } from '../support/origin.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { bearer, SECRET, tenantToken } from '../support/token.ts'

const PAUSE_MS = 25

/** A gateway with an upstream, what it is started with, and somebody who keeps asking. */
export interface LiveStage extends AsyncDisposable {
  readonly gateway: Gateway
  readonly url: string
  readonly settings: Readonly<Record<string, string>>
  readonly files: Readonly<Record<string, string>>
}

function yaml(url: string, deadUrl: string): string {
  return `
name: Acme API
identity: { jwt: [{ name: own, secret: "\${GATEWAY_JWT_SECRET}", algorithms: [HS256] }] }
upstreams:
  orders: { endpoints: ["${url}"] }
  billing: { endpoints: ["${deadUrl}"], retry: { attempts: 0 } }
routes:
  - { name: orders, match: { path: "/orders/*" }, upstream: orders }
  - { name: search, match: { path: "/search/*", methods: [GET] }, upstream: orders, auth: none }
  - { name: billing, match: { path: "/billing/*" }, upstream: billing, auth: none }
`
}

export async function startLive(more: Readonly<Record<string, string>> = {}): Promise<LiveStage> {
  const origin = await Origin.start(async (_seen, reply) => {
    await reply.write(response('200 OK', [], 'ok'))
  })
  // Nobody listens on the port of tcpmux.
  const files = { 'nyro.yaml': yaml(origin.url, 'http://127.0.0.1:1') }
  const settings = { GATEWAY_CONFIG: 'nyro.yaml', GATEWAY_JWT_SECRET: SECRET, GATEWAY_WORKERS: '2', ...more }
  const gateway = await startGateway(settings, { files })
  return {
    gateway,
    url: `http://127.0.0.1:${gateway.adminPort}/`,
    settings,
    files,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await origin[Symbol.asyncDispose]()
    },
  }
}

/** Asks for one thing after the other, most of them fine, until told to stop; then resolves. */
export function keepAsking(port: number): () => Promise<void> {
  let isOver = false
  const tenants = ['acme', 'acme', 'acme', 'globex', 'initech']
  const work = async (): Promise<void> => {
    for (let turn = 0; !isOver; turn++) {
      const client = await RawClient.connect(port)
      const tenant = tenants[turn % tenants.length] ?? ''
      await client.ask(request('GET', `/orders/${turn}`, [bearer(tenantToken(tenant))]))
      await client.ask(request('GET', `/search/${turn}`))
      if (turn % 5 === 0) await client.ask(request('GET', `/billing/invoices/${turn}`))
      if (turn % 7 === 0) await client.ask(request('GET', `/nowhere/${turn}`))
      client.socket.destroy()
      await pause(PAUSE_MS)
    }
  }
  const done = work()
  return () => {
    isOver = true
    return done
  }
}
