import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Child } from '../child.ts'
import { pin } from '../process-tree.ts'
import { freePort, HERE, ROOT, type Stand } from '../stand.ts'
import { SECRET } from '../token.ts'

export const PEER_NAMES = ['gateway', 'haproxy', 'nginx', 'fastify', 'node-undici'] as const
export type PeerName = (typeof PEER_NAMES)[number]

export interface PeerStart {
  readonly queryPort: number
  /** Where `/api/v1/ingest/` goes; the same as `queryPort` where a case sends no bodies. */
  readonly ingestPort: number
  /** Gateway only. */
  readonly workers: number
  /** Gateway only: a configuration file instead of the environment's routes. */
  readonly config?: string
  /** Added to its environment; of the gateway and HAProxy only. */
  readonly env?: Readonly<Record<string, string>>
  /** taskset's list, or null. */
  readonly cores: string | null
}

export interface Peer {
  readonly name: PeerName
  readonly child: Child
  readonly port: number
  /** Gateway only, else 0. */
  readonly adminPort: number
  /** Verifies tokens, states tenant and request id, writes access lines; nginx, the plain proxy, does none of it. */
  readonly doesTheJob: boolean
}

/** Starts a peer by its committed configuration and waits until it listens. */
export async function startPeer(stand: Stand, name: PeerName, start: PeerStart): Promise<Peer> {
  const { child, port, adminPort = 0 } = await starters[name](stand, start)
  if (start.cores !== null) pin(child.pid, start.cores)
  return { name, child, port, adminPort, doesTheJob: name !== 'nginx' }
}

/** Of the peers a case is made for, those that were asked for. */
export function chosenPeers(wanted: readonly PeerName[], of: readonly PeerName[]): PeerName[] {
  return of.filter((name) => wanted.includes(name))
}

export function gatewayEnvironment(start: PeerStart, port: number): Record<string, string> {
  const query = `http://127.0.0.1:${start.queryPort}`
  const ingest = `http://127.0.0.1:${start.ingestPort}`
  return {
    GATEWAY_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    GATEWAY_ADMIN_PORT: '0',
    GATEWAY_JWT_SECRET: SECRET,
    GATEWAY_WORKERS: String(start.workers),
    GATEWAY_QUERY_SERVICE_URL: query,
    GATEWAY_INGEST_SERVICE_URL: ingest,
    GATEWAY_AUTH_SERVICE_URL: query,
  }
}

type Starter = (stand: Stand, start: PeerStart) => Promise<{ child: Child; port: number; adminPort?: number }>

const starters: Record<PeerName, Starter> = {
  async gateway(stand, start) {
    const set = start.config === undefined ? gatewayEnvironment(start, 0) : { GATEWAY_CONFIG: start.config }
    const child = stand.start({
      name: 'gateway',
      command: join(ROOT, 'bin/nyro'),
      args: ['start'],
      env: { ...set, ...start.env },
      cores: start.cores,
    })
    return { child, ...(await announcedPorts(child)) }
  },

  async haproxy(stand, start) {
    const port = await freePort()
    const child = stand.start({
      name: 'haproxy',
      command: 'haproxy',
      args: ['-db', '-f', join(HERE, 'config/haproxy.cfg')],
      env: {
        PEER_PORT: String(port),
        QUERY_PORT: String(start.queryPort),
        INGEST_PORT: String(start.ingestPort),
        JWT_SECRET: SECRET,
        ...start.env,
      },
      cores: start.cores,
    })
    await child.ready(port)
    return { child, port }
  },

  async nginx(stand, start) {
    const port = await freePort()
    const directory = stand.subdirectory('nginx')
    const { queryPort, ingestPort } = start
    const config = stand.fill('nginx-proxy.conf', { directory, port, queryPort, ingestPort })
    const child = stand.start({
      name: 'nginx',
      command: 'nginx',
      args: ['-c', config],
      env: {},
      cores: start.cores,
    })
    await child.ready(port)
    return { child, port }
  },

  fastify: (stand, start) => startNode(stand, start, 'fastify', 'fastify-proxy.ts'),
  'node-undici': (stand, start) => startNode(stand, start, 'node-undici', 'node-undici.ts'),
}

async function startNode(
  stand: Stand,
  start: PeerStart,
  name: string,
  file: string,
): Promise<{ child: Child; port: number }> {
  const port = await freePort()
  const child = stand.start({
    name,
    command: process.execPath,
    args: [join(HERE, 'peer', file)],
    env: { PEER_PORT: String(port), QUERY_PORT: String(start.queryPort), JWT_SECRET: SECRET },
    cores: start.cores,
  })
  await child.ready(port)
  return { child, port }
}

/** The ports the gateway took, from the log line that says so. */
export async function announcedPorts(child: Child): Promise<{ port: number; adminPort: number }> {
  const deadline = performance.now() + 15_000
  while (performance.now() < deadline && child.alive) {
    for (const line of child.stdout.read().split('\n')) {
      if (!line.includes('"Gateway listening"')) continue
      const { port, admin_port: adminPort }: { port?: unknown; admin_port?: unknown } = JSON.parse(line)
      if (typeof port === 'number' && typeof adminPort === 'number') return { port, adminPort }
    }
    await delay(20)
  }
  throw new Error(`the gateway did not say that it listens: ${child.lastWords}`)
}
