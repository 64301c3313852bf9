import { setTimeout as pause } from 'node:timers/promises'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { Origin, type Reply, response, type Seen } from '../support/origin.ts'
import { SECRET, tenantToken } from '../support/token.ts'

/** Clients that ask at once, each one thing after the other. */
const CLIENTS = 12

interface Target {
  readonly path: string
  /** Null: without a token. */
  readonly tenant: string | null
}

/** A gateway as an operator may find it at work: several tenants, and some of its upstreams in trouble. */
export interface BusyStage extends AsyncDisposable {
  readonly gateway: Gateway
  readonly url: string
}

function yaml(orders: readonly string[], catalog: readonly string[], billing: string): string {
  return `
name: Acme API
identity: { jwt: [{ name: own, secret: "\${GATEWAY_JWT_SECRET}", algorithms: [HS256] }] }
tenant:
  defaultPlan: standard
  plans:
    standard: { rate: 400/s, weight: 1 }
    trial: { rate: 2/s, burst: 2 }
    gold: { rate: 1000/s, weight: 5 }
  plan: { initech: trial, acme: gold }
tracing: { endpoint: "http://127.0.0.1:1/v1/traces", sample: 0% }
upstreams:
  orders:
    endpoints: ${JSON.stringify(orders)}
    admission: { concurrency: 4, queue: 20 }
  catalog:
    endpoints: ${JSON.stringify(catalog)}
    health: { path: /health, interval: 1s }
    retry: { attempts: 1 }
  billing: { endpoints: ["${billing}"], retry: { attempts: 0 } }
  settlement: { endpoints: ["https://settlement.payments.invalid:8443"] }
routes:
  - { name: orders, match: { path: "/orders/*" }, upstream: orders }
  - { name: catalog, match: { path: "/catalog/*", methods: [GET] }, upstream: catalog, auth: none }
  - { name: billing, match: { path: "/billing/*" }, upstream: billing }
  - { name: settlement, match: { path: "/settlement/*", methods: [POST] }, upstream: settlement }
`
}

export async function startBusy(): Promise<BusyStage> {
  const origins = await Promise.all(
    Array.from({ length: 6 }, () => Origin.start((seen, reply) => answer(seen, reply))),
  )
  const [one, two, three, four, five, billing] = origins.map(({ url }) => url) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  // Nobody listens on the port of tcpmux.
  const config = yaml([one, two, three], [four, five, 'http://127.0.0.1:1'], billing)
  const gateway = await startGateway(
    { GATEWAY_CONFIG: 'nyro.yaml', GATEWAY_JWT_SECRET: SECRET, GATEWAY_WORKERS: '2' },
    { files: { 'nyro.yaml': config } },
  )
  const ended = new AbortController()
  const clients = Array.from({ length: CLIENTS }, (_, client) =>
    keepAsking(gateway.port, client, ended.signal),
  )
  return {
    gateway,
    url: `http://127.0.0.1:${gateway.adminPort}/`,
    async [Symbol.asyncDispose]() {
      ended.abort()
      await Promise.all(clients)
      await gateway[Symbol.asyncDispose]()
      for (const origin of origins) await origin[Symbol.asyncDispose]()
    },
  }
}

async function answer({ target }: Seen, reply: Reply): Promise<void> {
  if (target === '/health') return reply.write(response('200 OK', [], 'ok'))
  await pause(8 + 24 * Math.random() ** 3 + (Math.random() < 0.02 ? 160 : 0))
  const isBad = target.startsWith('/billing') && Math.random() < 0.1
  await reply.write(isBad ? response('502 Bad Gateway', [], '') : response('200 OK', [], 'ok'))
}

async function keepAsking(port: number, client: number, ended: AbortSignal): Promise<void> {
  for (let turn = client; !ended.aborted; turn++) {
    const { path, tenant } = targetOf(turn)
    const headers = tenant === null ? {} : { Authorization: `Bearer ${tenantToken(tenant)}` }
    await fetch(`http://127.0.0.1:${port}${path}`, { headers, signal: ended })
      .then((got) => got.arrayBuffer())
      .catch(() => {})
    await pause(30 + 25 * Math.sin(Date.now() / 9_000))
  }
}

function targetOf(turn: number): Target {
  if (turn % 97 === 0) return { path: `/orders/${turn}`, tenant: null }
  if (turn % 61 === 0) return { path: `/nowhere/${turn}`, tenant: null }
  if (turn % 17 === 0) return { path: `/billing/invoices/${turn}`, tenant: 'globex' }
  if (turn % 29 === 0) return { path: `/orders/${turn}/lines`, tenant: 'initech' }
  if (turn % 3 === 0) return { path: `/catalog/search/${turn}`, tenant: null }
  return { path: `/orders/${turn}`, tenant: ['acme', 'acme', 'globex', 'umbrella'][turn % 4] ?? 'acme' }
}
