import { randomFillSync } from 'node:crypto'
import net from 'node:net'
import type { Config, LogLevel } from '../config/config.ts'
import { packageAssets } from '../docs/assets.ts'
import { docsAnswers } from '../docs/pages.ts'
import { ServerConnection } from '../http1/server-connection.ts'
import { Wire } from '../http1/wire.ts'
import { loadVerificationKey } from '../jwt/key.ts'
import { soleIssuer } from '../jwt/live-issuer.ts'
import { TokenVerifier } from '../jwt/verify.ts'
import type { Clock } from '../lib/clock.ts'
import { IdSource } from '../lib/id-source.ts'
import { ACCESS_LEVELS, accessLevel, accessLine } from '../observe/access-line.ts'
import { isLogged, type LogFields, logLine } from '../observe/log-line.ts'
import { jwtPolicy } from '../policies/jwt.ts'
import { tenantPolicy } from '../policies/tenant.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { Pipeline } from '../proxy/pipeline.ts'
import { ResponseDate } from '../proxy/response-date.ts'
import { ConnectionCount } from '../upstreams/connection-count.ts'
import { Upstream } from '../upstreams/upstream.ts'
import { compile } from './compile.ts'
import type { Address, ThreadBirth } from './messages.ts'
import { trustedPeers } from './trusted-peers.ts'
import { upstreamUrl } from './upstream-url.ts'

const IDLE_CLOSE_DELAY_MS = 1_000

export interface DataPlaneParts {
  readonly birth: Omit<ThreadBirth, 'memory'> & { readonly connections: SharedArrayBuffer }
  readonly clock: Clock
  /** Takes a finished log line. */
  readonly writeLine: (line: string) => void
  /** No exchange and no tunnel is left, after `close`. */
  readonly drained: () => void
}

/** One thread's whole data plane: listener, connections, pipeline, upstreams. */
export class DataPlane {
  readonly #config: Config
  readonly #clock: Clock
  readonly #writeLine: (line: string) => void
  readonly #drained: () => void
  readonly #wire: Wire
  readonly #pipeline: Pipeline
  readonly #server: net.Server
  readonly #clients = new Set<ServerConnection>()
  readonly #upstreams = new Map<string, Upstream>()
  readonly #maxClients: number
  /** Levels of access lines that are written. */
  readonly #accessLevels: ReadonlySet<LogLevel>
  #closing = false

  constructor(parts: DataPlaneParts) {
    const { birth, clock } = parts
    this.#config = birth.config
    this.#clock = clock
    this.#writeLine = parts.writeLine
    this.#drained = parts.drained
    this.#wire = new Wire(clock.monotonicMs)
    const { log } = birth.config
    this.#accessLevels = new Set(
      log.access ? ACCESS_LEVELS.filter((level) => isLogged(level, log.level)) : [],
    )
    this.#maxClients = Math.ceil(birth.config.listen.maxConnections / birth.config.workers)
    this.#openUpstreams(birth)
    this.#pipeline = this.#makePipeline()
    this.#pipeline.draining = birth.draining
    this.#wire.wheel.everyTick(() => this.#tick())
    this.#server = net.createServer(
      { pauseOnConnect: true, allowHalfOpen: true, noDelay: true },
      (accepted) => this.#accept(accepted),
    )
  }

  /** Shares the port with the other threads where the platform can. Rejects with Node's error. */
  listen(options: net.ListenOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(options, () => {
        this.#server.off('error', reject)
        // Out of descriptors: the kernel keeps the connection in its queue and Node tries again.
        this.#server.on('error', (error) => this.#log('error', 'Accepting failed', { reason: error.message }))
        resolve()
      })
    })
  }

  /** The port listened on. */
  get port(): number {
    const address = this.#server.address()
    return address !== null && typeof address === 'object' ? address.port : 0
  }

  setAddresses(host: string, addresses: readonly Address[] | 'unknown'): void {
    for (const upstream of this.#upstreams.values()) {
      if (upstream.options.host === host) upstream.setAddresses(addresses)
    }
  }

  drain(): void {
    this.#pipeline.draining = true
  }

  /** Takes no more connections; a second later the idle ones are closed (node: closing them at once loses requests under way). */
  close(): void {
    if (this.#closing) return
    this.drain()
    this.#server.close()
    const timer = setTimeout(() => {
      this.#closing = true
      this.#wire.wheel.keepTurning()
      this.#tick()
    }, IDLE_CLOSE_DELAY_MS)
    timer.unref()
  }

  destroy(): void {
    this.#server.close()
    for (const client of this.#clients) client.abort('close')
    for (const upstream of this.#upstreams.values()) upstream.destroy()
    this.#wire.wheel.stop()
  }

  #openUpstreams(birth: DataPlaneParts['birth']): void {
    const { upstreams, workers } = birth.config
    const count = new ConnectionCount(birth.connections, upstreams.length, workers, birth.row)
    for (const [index, { name, endpoints, connections, timeouts }] of upstreams.entries()) {
      const { host, port, tls, target } = upstreamUrl(endpoints[0]?.url ?? '')
      const family = net.isIP(host)
      const addresses =
        family === 0 ? (birth.addresses[host] ?? null) : [{ address: host, family: family as 4 | 6 }]
      const options = {
        ...{ name, host, port, tls, target, timeouts },
        maxConnections: connections.max,
        idleShare: Math.max(1, Math.floor(connections.idle / workers)),
        idleTimeoutMs: connections.idleTimeoutMs,
        onSurplus: () =>
          this.#log('warning', 'Upstream sent bytes that belong to no response', { upstream: name, target }),
      }
      this.#upstreams.set(name, new Upstream(options, addresses, index, count, this.#wire))
    }
  }

  #makePipeline(): Pipeline {
    const config = this.#config
    const { monotonicMs, wallMs } = this.#clock
    const router = compile(config, {
      upstreams: this.#upstreams,
      identity: this.#identityPolicy(),
      tenant: tenantPolicy(config.tenant.header),
      docs: docsAnswers(config, packageAssets),
      isReady: () => !this.#pipeline.draining,
    })
    const { wheel } = this.#wire
    const ids = new IdSource(randomFillSync)
    return new Pipeline(
      router,
      {
        nowMs: () => {
          const nowMs = monotonicMs()
          wheel.touch(nowMs)
          return nowMs
        },
        newId: () => ids.next(),
        date: new ResponseDate(wallMs),
        trusts: trustedPeers(config.trustedProxies),
        record: (exchange, nowMs) => this.#record(exchange, nowMs),
        trace: isLogged('debug', config.log.level)
          ? (exchange, event, fields) =>
              this.#log('debug', event, { request_id: exchange.requestId, ...fields })
          : null,
        defect: (exchange, error) => this.#defect(exchange, error),
      },
      (client) => this.#clients.delete(client),
    )
  }

  #identityPolicy(): ReturnType<typeof jwtPolicy> | null {
    const { jwt } = this.#config.identity
    if (jwt === null) return null
    const { wallMs } = this.#clock
    const verifier = new TokenVerifier({
      issuers: [soleIssuer(loadVerificationKey(jwt.algorithm, jwt.key), jwt.clockSkewS)],
      nowS: () => wallMs() / 1_000,
    })
    return jwtPolicy(verifier)
  }

  #accept(accepted: net.Socket): void {
    // Without an address it has been reset already; nobody could be named for what it sends.
    const address = accepted.remoteAddress
    if (address === undefined || this.#clients.size >= this.#maxClients) {
      accepted.destroy()
      return
    }
    const { headMs, bodyMs, idleMs } = this.#config.listen.timeouts
    this.#clients.add(
      new ServerConnection(accepted, address, this.#pipeline, { headMs, bodyMs, idleMs }, this.#wire),
    )
  }

  #tick(): void {
    const { nowMs } = this.#wire.wheel
    for (const upstream of this.#upstreams.values()) upstream.sweep(nowMs)
    if (!this.#closing) return
    let unsent = 0
    for (const client of this.#clients) {
      if (client.idle) client.close()
      if (client.unsent) unsent++
    }
    if (this.#pipeline.active === 0 && unsent === 0) this.#drained()
  }

  #record(exchange: Exchange, nowMs: number): void {
    const level = accessLevel(exchange)
    if (!this.#accessLevels.has(level)) return
    this.#writeLine(accessLine(exchange, level, this.#clock.wallMs(), nowMs - exchange.startMs))
  }

  #defect(exchange: Exchange, error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#log('error', 'Unhandled error', { request_id: exchange.requestId, error: reason })
  }

  #log(level: LogLevel, event: string, fields: LogFields): void {
    if (isLogged(level, this.#config.log.level)) {
      this.#writeLine(logLine(this.#clock.wallMs(), level, 'nyro.gateway', event, fields))
    }
  }
}
