import { randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import net from 'node:net'
import type { GateMessage, SchedulerMessage } from '../admission/admission-message.ts'
import type { SigningKey } from '../assertion/signing-key.ts'
import { askedClaims } from '../config/asked-claim.ts'
import type { Config, ListenConfig, LogLevel } from '../config/config.ts'
import { ServerConnection } from '../http1/server-connection.ts'
import { Wire } from '../http1/wire.ts'
import { type Clock, machineMs } from '../lib/clock.ts'
import { IdSource } from '../lib/id-source.ts'
import { pooledFill } from '../lib/random-pool.ts'
import type { ThreadMetrics } from '../metrics/thread-metrics.ts'
import { AccessLog } from '../observe/access-log.ts'
import { isLogged } from '../observe/log-line.ts'
import type { ThreadSecond } from '../observe/second-tally.ts'
import { Tracer } from '../observe/tracing/tracer.ts'
import type { Exchange } from '../proxy/exchange.ts'
import type { Trace } from '../proxy/forward-site.ts'
import { Pipeline } from '../proxy/pipeline.ts'
import { ResponseDate } from '../proxy/response-date.ts'
import type { RevocationsAppliedMessage, RevocationsMessage } from '../revocation/revocation-ledger.ts'
import type { LiveUpstream } from '../upstreams/live-upstream.ts'
import { UpstreamMemory } from '../upstreams/upstream-memory.ts'
import { UpstreamSet } from '../upstreams/upstream-set.ts'
import { EndedExchanges } from './ended-exchanges.ts'
import type { PlaneMemory, RolloutMessage, ThreadBirth } from './messages.ts'
import { OpenStreams } from './open-streams.ts'
import { type Preparation, Preparer } from './preparation.ts'
import { SecondReport } from './second-report.ts'
import { ThreadAssertion } from './thread-assertion.ts'
import type { ThreadIdentity } from './thread-identity.ts'
import { ThreadLog } from './thread-log.ts'
import type { RolloutPlane } from './thread-rollout.ts'
import { type LimitFigures, ThreadTraffic } from './thread-traffic.ts'
import { trustedPeers } from './trusted-peers.ts'

const IDLE_CLOSE_DELAY_MS = 1_000

export interface DataPlaneParts {
  readonly birth: Omit<ThreadBirth, 'memory' | 'identity'> & { readonly memory: PlaneMemory }
  readonly identity: ThreadIdentity
  readonly clock: Clock
  /** 0 … 1, 1 excluded. */
  readonly random: () => number
  /** Takes a finished log line. */
  readonly writeLine: (line: string) => void
  /** Tells control of exchanges that wait to be let into an upstream. */
  readonly gate: (message: GateMessage) => void
  /** Takes the spans of an exchange, one line: observe/tracing/exchange-spans.ts. */
  readonly writeSpans: (line: string) => void
  /** No exchange and no tunnel is left, after `close`. */
  readonly drained: () => void
  /** Takes what ended within a second; null: nobody wants to know. */
  readonly second?: ((second: ThreadSecond) => void) | null
  /** Where exchanges are counted; null: nowhere. */
  readonly metrics: ThreadMetrics | null
}

/** What is there before the first config is in force. */
interface Ground {
  readonly wire: Wire
  readonly log: ThreadLog
  readonly upstreams: UpstreamSet
  readonly traffic: ThreadTraffic
  readonly preparer: Preparer
  readonly phase: { isReady: boolean }
  readonly assertion: ThreadAssertion
}

/** One thread's whole data plane: listener, connections, pipeline, upstreams. */
export class DataPlane implements RolloutPlane {
  readonly #clock: Clock
  readonly #parts: DataPlaneParts
  readonly #drained: () => void
  readonly #metrics: ThreadMetrics | null
  readonly #ground: Ground
  readonly #pipeline: Pipeline
  readonly #server: net.Server
  readonly #clients = new Set<ServerConnection>()
  readonly #seconds: SecondReport
  readonly #identity: ThreadIdentity
  readonly #streams: OpenStreams
  readonly #ended: EndedExchanges
  /** Random bytes of ids. */
  readonly #fill = pooledFill(randomFillSync)
  /** Data threads, which share what a config allows the process. */
  readonly #threads: number
  /** Of every connection; connections read them when they begin to wait. */
  readonly #limits: { -readonly [K in keyof ListenConfig['timeouts']]: number }
  #maxClients = 0
  #access: AccessLog
  /** As configured, joined: whether a reload changes it. */
  #trusted = ''
  #closing = false

  /** A plane with the config it is born with in force; rejects, with a line for the operator, if that cannot be. */
  static async open(parts: DataPlaneParts): Promise<DataPlane> {
    const { birth } = parts
    const ground = groundOf(parts)
    const { routes } = birth.config
    const bare = { ...birth.config, routes: [] }
    const ahead = { using: routes, claims: askedClaims(routes) }
    const preparation = await ground.preparer.begin(bare, birth.upstreams, ahead)
    preparation.add(JSON.stringify(routes))
    preparation.finish()
    return new DataPlane(parts, ground, preparation)
  }

  private constructor(parts: DataPlaneParts, ground: Ground, preparation: Preparation) {
    const { birth, clock } = parts
    this.#clock = clock
    this.#parts = parts
    this.#access = new AccessLog(birth.config.log, parts.random)
    this.#drained = parts.drained
    this.#seconds = new SecondReport(clock.wallMs, parts.second ?? (() => {}))
    this.#metrics = parts.metrics
    this.#ground = ground
    const { revocations } = parts.identity
    this.#identity = parts.identity
    this.#streams = new OpenStreams({ revocations, nowS: () => clock.wallMs() / 1_000 })
    this.#threads = birth.config.workers
    this.#limits = { ...birth.config.listen.timeouts }
    this.#ended = new EndedExchanges(ground.wire, (exchange) => this.#tell(exchange))
    ground.upstreams.apply(birth.upstreams)
    this.#pipeline = this.#makePipeline(preparation)
    this.#pipeline.streams = ground.traffic.streams
    this.#pipeline.draining = birth.draining
    this.#heed(preparation.config)
    ground.wire.wheel.everyTick(() => this.#tick())
    this.#server = net.createServer(
      { pauseOnConnect: true, allowHalfOpen: true, noDelay: true },
      (accepted) => this.#accept(accepted),
    )
  }

  /** Shares the port with the other threads where the platform can. Rejects with Node's error; it can be tried again. */
  async listen(options: net.ListenOptions): Promise<void> {
    // Not as `listen`'s callback, which a listening that failed would leave behind.
    const listening = once(this.#server, 'listening')
    this.#server.listen(options)
    await listening
    // Out of descriptors: the kernel keeps the connection in its queue and Node tries again.
    this.#server.on('error', (error) =>
      this.#ground.log.log('error', 'Accepting failed', { reason: error.message }),
    )
  }

  /** The port listened on. */
  get port(): number {
    const address = this.#server.address()
    return address !== null && typeof address === 'object' ? address.port : 0
  }

  /** Open connections of clients, and exchanges under way. */
  get load(): { readonly clients: number; readonly active: number } {
    return { clients: this.#clients.size, active: this.#pipeline.active }
  }

  get limits(): LimitFigures {
    return this.#ground.traffic.limits
  }

  get upstreams(): UpstreamSet {
    return this.#ground.upstreams
  }

  setEndpoints(upstream: string, endpoints: LiveUpstream['endpoints']): void {
    this.#ground.upstreams.setEndpoints(upstream, endpoints)
  }

  setSigningKey(key: SigningKey): void {
    this.#ground.assertion.replaceKey(key)
  }

  /** What control says of exchanges that wait. */
  gate(message: SchedulerMessage): void {
    this.#ground.traffic.said(message)
  }

  prepare(message: RolloutMessage & { readonly kind: 'prepare' }): Promise<Preparation> {
    return this.#ground.preparer.begin(message.config, message.upstreams, message)
  }

  /** In force, for open streams too, once it returns. */
  revoke(message: RevocationsMessage): RevocationsAppliedMessage {
    const applied = this.#identity.revoke(message)
    this.#streams.sweep()
    return applied
  }

  /** Exchanges under way, tunnels included, keep the routes they began with. */
  putInForce(preparation: Preparation, upstreams: readonly LiveUpstream[]): void {
    this.#ground.upstreams.apply(upstreams)
    this.#pipeline.snapshot = preparation.take()
    this.#heed(preparation.config)
  }

  /** From now on, until a config is put in force. */
  setLogLevel(level: LogLevel): void {
    this.#ground.log.level = level
    this.#pipeline.trace = isLogged('debug', level) ? this.#trace : null
    this.#access.level = level
  }

  drain(): void {
    this.#pipeline.draining = true
    this.#ground.phase.isReady = false
  }

  /** Takes no more connections; a second later the idle ones are closed (node: closing them at once loses requests under way). */
  close(): void {
    if (this.#closing) return
    this.drain()
    this.#server.close()
    const timer = setTimeout(() => {
      this.#closing = true
      this.#ground.wire.wheel.keepTurning()
      this.#tick()
    }, IDLE_CLOSE_DELAY_MS)
    timer.unref()
  }

  destroy(): void {
    this.#server.close()
    for (const client of this.#clients) client.abort('close')
    this.#ended.tellAll()
    this.#ground.upstreams.destroy()
    this.#ground.traffic.stop()
    this.#ground.wire.wheel.stop()
  }

  #makePipeline(preparation: Preparation): Pipeline {
    const { monotonicMs, wallMs } = this.#clock
    const { wheel } = this.#ground.wire
    const ids = new IdSource(this.#fill)
    return new Pipeline(
      preparation.take(),
      {
        nowMs: () => {
          const nowMs = monotonicMs()
          wheel.touch(nowMs)
          return nowMs
        },
        newId: () => ids.next(),
        date: new ResponseDate(wallMs),
        opened: (stream, exchange, streams) => this.#streams.opened(stream, exchange, streams),
        ended: (exchange) => this.#ended.add(exchange),
        defect: (exchange, error) => this.#defect(exchange, error),
      },
      (client) => this.#clients.delete(client),
    )
  }

  /** Takes up what a config says besides its routes and upstreams. */
  #heed(config: Config): void {
    const { log, listen, trustedProxies } = config
    this.#access = new AccessLog(log, this.#parts.random)
    this.setLogLevel(log.level)
    this.#pipeline.tracer = this.#makeTracer(config)
    Object.assign(this.#limits, listen.timeouts)
    this.#maxClients = Math.ceil(listen.maxConnections / this.#threads)
    const trusted = trustedProxies.join(' ')
    if (trusted === this.#trusted) return
    this.#trusted = trusted
    this.#pipeline.trusts = trustedPeers(trustedProxies)
    // What a connection remembers of its peer is what was believed of it.
    for (const client of this.#clients) client.memo = null
  }

  readonly #trace: Trace = (exchange, event, fields) =>
    this.#ground.log.log(
      'debug',
      event,
      this.#access.permitted({ request_id: exchange.requestId, ...fields }),
    )

  #makeTracer({ tracing, log }: Config): Tracer | null {
    if (tracing === null) return null
    const { random, writeSpans } = this.#parts
    return new Tracer({
      ...{ share: tracing.sample, random, fill: this.#fill, wallMs: this.#clock.wallMs },
      redacted: new Set(log.fields.redact),
      write: writeSpans,
    })
  }

  #accept(accepted: net.Socket): void {
    // Without an address it has been reset already; nobody could be named for what it sends.
    const address = accepted.remoteAddress
    if (address === undefined || this.#clients.size >= this.#maxClients) {
      accepted.destroy()
      this.#metrics?.turnedAway()
      return
    }
    this.#metrics?.accepted()
    this.#clients.add(
      new ServerConnection(accepted, address, this.#pipeline, this.#limits, this.#ground.wire),
    )
  }

  #tick(): void {
    const { wire, upstreams, traffic } = this.#ground
    upstreams.sweep(wire.wheel.nowMs)
    this.#seconds.tick()
    this.#streams.tick(wire.wheel.nowMs)
    traffic.sweep(wire.wheel.nowMs)
    if (!this.#closing) return
    let unsent = 0
    for (const client of this.#clients) {
      if (client.idle) client.close()
      if (client.unsent) unsent++
    }
    if (this.#pipeline.active === 0 && unsent === 0) this.#drained()
  }

  #tell(exchange: Exchange): void {
    const { startMs, endedMs } = exchange
    const durationMs = endedMs - startMs
    this.#seconds.add(exchange, durationMs)
    this.#metrics?.record(exchange)
    const line = this.#access.line(exchange, this.#clock.wallMs(), durationMs)
    if (line !== null) this.#parts.writeLine(line)
  }

  #defect(exchange: Exchange, error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#ground.log.log('error', 'Unhandled error', { request_id: exchange.requestId, error: reason })
  }
}

function groundOf(parts: DataPlaneParts): Ground {
  const { birth, identity, clock, random, writeLine, gate, metrics } = parts
  const { monotonicMs, wallMs } = clock
  const wire = new Wire(monotonicMs)
  const log = new ThreadLog(birth.config.log.level, wallMs, writeLine)
  const memory = new UpstreamMemory(birth.memory.upstreams, birth.row, { monotonicMs, machineMs })
  const upstreams = new UpstreamSet({
    memory,
    wire,
    threads: birth.config.workers,
    random,
    onSurplus: (upstream, target) =>
      log.log('warning', 'Upstream sent bytes that belong to no response', { upstream, target }),
  })
  const traffic = new ThreadTraffic({
    ...{ memory: birth.memory, row: birth.row, threads: birth.config.workers },
    ...{ clock, random, log, gate, sharedMs: (ms) => memory.sharedMs(ms) },
  })
  const phase = { isReady: !birth.draining }
  const assertion = new ThreadAssertion(birth.signingKey, clock)
  const isReady = (): boolean => phase.isReady
  const preparer = new Preparer({
    ...{ clock, wire, upstreams, identity, assertion },
    ...{ log, traffic, isReady, metrics },
  })
  return { wire, log, upstreams, traffic, preparer, phase, assertion }
}
