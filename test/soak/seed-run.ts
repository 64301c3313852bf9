import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { pinned, planCores } from './core.ts'
import { GatewayProcess } from './gateway-process.ts'
import type { ClientMessage, ClientOrder, OriginMessage, OriginOrder } from './message.ts'
import { BASE_PATHS } from './origin-connection.ts'
import { type ResidentSample, type ResidentTrend, trendOf } from './resident.ts'

export interface SeedOrder {
  readonly seed: number
  readonly exchanges: number
  /** Clients at the same time. */
  readonly lanes: number
  /** An exchange without progress for so long hangs. */
  readonly boundMs: number
  /** Called a few times a second. */
  progress(settled: number, perSecond: number, residentBytes: number): void
}

export interface SeedResult {
  readonly seed: number
  readonly exchanges: number
  /** How many exchanges ended how; see judge.ts. */
  readonly counts: Readonly<Record<string, number>>
  /** Exchanges that came to the origin on a connection it had spoilt: see OriginLedger. */
  readonly victims: number
  /** Share of the exchanges, with upstreams that send no surplus, that met a connection used before. */
  readonly reuse: number
  /** Why the seed fails; empty if it does not. */
  readonly faults: readonly string[]
  /** Endings that may be, but not often: the first few, to be looked at. */
  readonly notes: readonly string[]
  readonly seconds: number
  readonly resident: ResidentTrend
}

const SECRET = 'soak-secret-0123456789abcdef0123456789abcdef'
const SAMPLE_MS = 250
const MAX_FAULTS = 20
const MAX_NOTES = 3
/**
 * Failures that nothing in an exchange's own plan explains, of all exchanges, beyond one for each that the origin knows
 * it spoilt. Those that met a socket it had closed it does not see, but it sees many that were repeated unseen.
 */
const MAX_COLLATERAL = 0.001
/** Early answers that did not get through, of all exchanges: a reset may overtake one now and then. */
const MAX_LOST = 0.001
/** A gateway that uses no connection twice cannot mix up, and a soak of it shows nothing. */
const MIN_REUSE = 0.5
/** Of all exchanges; the plan leaves about one in nine to faults. */
const MIN_EXACT = 0.8
/** Pools trim within seconds; after this, what is open beyond the pools has leaked. */
const REST_MS = 15_000
/** HTTP_CLIENT_MAX_KEEPALIVE_CONNECTIONS times three upstreams, and a few of the runtime's own. */
const MAX_LEFT_OPEN = 64

/** Runs one seed against a gateway of its own, from its start to its end. */
export async function runSeed(order: SeedOrder): Promise<SeedResult> {
  const cores = planCores()
  const faults: string[] = []
  const notes: string[] = []
  const samples: ResidentSample[] = []
  const blame = (text: string): void => {
    if (faults.length < MAX_FAULTS) faults.push(text)
  }
  const { seed, exchanges, lanes, boundMs } = order
  const began = performance.now()
  const originOrder: OriginOrder = { seed, exchanges }
  const origin = fork('origin.ts', originOrder, cores.load)
  const running: { client: ChildProcess | null; gateway: GatewayProcess | null } = {
    client: null,
    gateway: null,
  }
  const killAll = (): void => {
    origin.kill('SIGKILL')
    running.client?.kill('SIGKILL')
    running.gateway?.kill()
  }
  process.once('exit', killAll)
  try {
    const originPort = await listeningPort(origin)
    origin.on('message', (message: OriginMessage) => {
      if (message.kind === 'fault') blame(`origin: ${message.fault}: ${message.text}`)
    })
    const gateway = new GatewayProcess(environmentFor(originPort), cores.gateway)
    running.gateway = gateway
    await gateway.listening()
    const openBefore = gateway.descriptors
    const clientOrder: ClientOrder = { seed, exchanges, lanes, port: gateway.port, secret: SECRET, boundMs }
    const client = fork('client.ts', clientOrder, cores.load)
    running.client = client
    const load = followClient(client, blame, notes)
    const loadBegan = performance.now()
    while (!load.over && gateway.alive && origin.exitCode === null) {
      await Promise.race([load.ended, delay(SAMPLE_MS)])
      if (!gateway.alive) break
      gateway.readLog()
      const bytes = gateway.residentBytes
      samples.push({ settled: load.settled, bytes })
      order.progress(load.settled, load.settled / ((performance.now() - loadBegan) / 1000), bytes)
    }
    if (!load.done && gateway.alive) blame('the client ended before its exchanges did')
    if (origin.exitCode !== null) blame('the origin ended')
    const { victims, reuse } = await tallyOf(origin)
    if (reuse < MIN_REUSE) blame(`REUSE: only ${reuse.toFixed(2)} of the exchanges met a used connection`)
    await checkRest(gateway, openBefore, blame)
    const ending = await gateway.stop()
    if (ending !== null) blame(`DEATH: ${ending}`)
    for (const error of gateway.errors) blame(`logged: ${error}`)
    checkCounts(load.counts, exchanges, victims, blame)
    const resident = trendOf(samples, exchanges)
    if (resident.flat === false) {
      blame(
        `MEMORY: resident median ${resident.firstBytes} bytes in the first half, ${resident.secondBytes} in the second`,
      )
    }
    const seconds = (performance.now() - began) / 1000
    return { seed, exchanges, counts: load.counts, victims, reuse, faults, notes, seconds, resident }
  } finally {
    process.off('exit', killAll)
    killAll()
  }
}

function environmentFor(originPort: number): Record<string, string> {
  const url = `http://127.0.0.1:${originPort}`
  return {
    GATEWAY_HOST: '127.0.0.1',
    GATEWAY_PORT: '0',
    GATEWAY_ADMIN_PORT: '0',
    GATEWAY_WORKERS: '1',
    GATEWAY_JWT_SECRET: SECRET,
    GATEWAY_QUERY_SERVICE_URL: url + BASE_PATHS.query,
    GATEWAY_INGEST_SERVICE_URL: url + BASE_PATHS.ingest,
    GATEWAY_AUTH_SERVICE_URL: url + BASE_PATHS.auth,
  }
}

function fork(file: string, order: ClientOrder | OriginOrder, cores: string | null): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const [command, args] = pinned(cores, process.execPath, [path, JSON.stringify(order)])
  return spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

async function listeningPort(origin: ChildProcess): Promise<number> {
  const [message]: OriginMessage[] = await once(origin, 'message')
  if (message?.kind !== 'listening') throw new Error('the origin did not start')
  return message.port
}

async function tallyOf(origin: ChildProcess): Promise<{ victims: number; reuse: number }> {
  if (origin.exitCode !== null) return { victims: 0, reuse: 0 }
  origin.send({})
  for (;;) {
    const [message]: OriginMessage[] = await once(origin, 'message')
    if (message?.kind === 'tally') return message
  }
}

interface Load {
  settled: number
  counts: Readonly<Record<string, number>>
  /** All exchanges are settled. */
  done: boolean
  over: boolean
  readonly ended: Promise<unknown>
}

function followClient(client: ChildProcess, blame: (text: string) => void, notes: string[]): Load {
  const load: Load = { settled: 0, counts: {}, done: false, over: false, ended: once(client, 'exit') }
  client.on('message', (message: ClientMessage) => {
    switch (message.kind) {
      case 'progress':
        load.settled = message.settled
        load.counts = message.counts
        return
      case 'fault':
        blame(`client: ${message.text}`)
        return
      case 'note':
        if (notes.length < MAX_NOTES) notes.push(message.text)
        return
      case 'done':
        load.done = true
    }
  })
  client.once('exit', () => {
    load.over = true
  })
  return load
}

/** The gateway must still answer, and let go of what it held for clients and upstream exchanges that are gone. */
async function checkRest(
  gateway: GatewayProcess,
  openBefore: number | null,
  blame: (text: string) => void,
): Promise<void> {
  if (!gateway.alive) return
  if (!(await answers(gateway.port))) blame('DEATH: it does not answer any more')
  if (openBefore === null) return
  const deadline = performance.now() + REST_MS
  let open = gateway.descriptors ?? 0
  while (open > openBefore + MAX_LEFT_OPEN && performance.now() < deadline) {
    await delay(100)
    open = gateway.descriptors ?? 0
  }
  if (open > openBefore + MAX_LEFT_OPEN)
    blame(`LEAK: ${open} descriptors at rest, ${openBefore} at the start`)
}

function checkCounts(
  counts: Readonly<Record<string, number>>,
  exchanges: number,
  victims: number,
  blame: (text: string) => void,
): void {
  const { exact = 0, collateral = 0, lost = 0 } = counts
  if (lost > exchanges * MAX_LOST) blame(`LOST: ${lost} early answers did not get through`)
  if (collateral > victims + exchanges * MAX_COLLATERAL) {
    blame(`COLLATERAL: ${collateral} exchanges failed without a cause of their own, ${victims} were spoilt`)
  }
  if (exact < exchanges * MIN_EXACT) blame(`only ${exact} of ${exchanges} exchanges were exact`)
}

async function answers(port: number): Promise<boolean> {
  try {
    const call = get({ host: '127.0.0.1', port, path: '/health/live', agent: false, timeout: 5_000 })
    call.on('timeout', () => call.destroy(new Error('no answer')))
    const [response] = await once(call, 'response')
    response.resume()
    return response.statusCode === 200
  } catch {
    return false
  }
}
