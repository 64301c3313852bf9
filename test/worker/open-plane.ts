import type { Config, RouteConfig, UpstreamConfig } from '../../src/config/config.ts'
import { LOG_DEFAULTS, ownIssuer, TENANT_DEFAULTS } from '../../src/config/default.ts'
import { type Clock, machineMs, systemClock } from '../../src/lib/clock.ts'
import { UpstreamMemory } from '../../src/upstreams/upstream-memory.ts'
import { DataPlane } from '../../src/worker/data-plane.ts'
import { routeTo, upstreamOf } from '../support/config-part.ts'
import { liveUpstreams } from '../support/live-upstream.ts'
import { RawClient } from '../support/raw-client.ts'
import { SECRET } from '../support/token.ts'
import { until } from '../support/until.ts'

/** A config of two routes to one upstream, `/open/*` for everybody and `/orders/*` for who has a token. */
export function planeConfig(upstreamUrl: string, own: Partial<Config> = {}): Config {
  const route = (name: string, auth: RouteConfig['auth']): RouteConfig =>
    routeTo('orders', `/${name}/*`, auth, { name })
  return {
    name: 'Test Gateway',
    production: false,
    listen: {
      host: '127.0.0.1',
      port: 0,
      timeouts: { headMs: 10_000, bodyMs: 10_000, idleMs: 10_000 },
      maxConnections: 1_000,
    },
    admin: { host: '127.0.0.1', port: 0, token: null },
    workers: 1,
    log: { ...LOG_DEFAULTS, level: 'info' },
    tracing: null,
    trustedProxies: [],
    cors: { origins: '*', maxAgeS: 600 },
    shutdown: { delayMs: 0, timeoutMs: 5_000 },
    docs: false,
    identity: { issuers: [ownIssuer({ key: SECRET, algorithm: 'HS256', clockSkewS: 0 })], apiKeys: null },
    tenant: TENANT_DEFAULTS,
    store: { redis: null },
    upstreams: [upstreamConfig(upstreamUrl)],
    routes: [route('open', 'none'), route('orders', 'required')],
    ...own,
  }
}

export function upstreamConfig(url: string, own: Partial<UpstreamConfig> = {}): UpstreamConfig {
  const timeouts = { connectMs: 5_000, headMs: 10_000, idleMs: 10_000, totalMs: null }
  return upstreamOf('orders', url, { timeouts, ...own })
}

/** The keys of an access line that tests look at. */
export interface AccessRecord {
  readonly request_id: string
  readonly path: string
  readonly status_code: number
  readonly code?: string
  readonly aborted?: boolean
  readonly bytes_in: number
  readonly bytes_out: number
}

/** One thread's data plane in this process, on a free port. */
export class PlaneStage {
  readonly plane: DataPlane
  readonly lines: string[]
  /** Records of exchanges whose traces are kept. */
  readonly spans: string[]
  readonly #state: { drained: number }

  private constructor(plane: DataPlane, lines: string[], spans: string[], state: { drained: number }) {
    this.plane = plane
    this.lines = lines
    this.spans = spans
    this.#state = state
  }

  /** How often it said that nothing is left. */
  get drained(): number {
    return this.#state.drained
  }

  static async open(
    config: Config,
    clock: Clock = systemClock,
    draining: 'draining' | 'serving' = 'serving',
  ): Promise<PlaneStage> {
    const lines: string[] = []
    const spans: string[] = []
    const state = { drained: 0 }
    const plane = await DataPlane.open({
      birth: {
        config,
        upstreams: liveUpstreams(config),
        row: 0,
        version: '0.0.0-test',
        port: 0,
        memory: UpstreamMemory.create(config.workers, machineMs()),
        draining: draining === 'draining',
      },
      clock,
      random: Math.random,
      writeLine: (line) => void lines.push(line),
      writeSpans: (line) => void spans.push(line),
      drained: () => {
        state.drained++
      },
    })
    await plane.listen({ host: config.listen.host, port: 0 })
    return new PlaneStage(plane, lines, spans, state)
  }

  get port(): number {
    return this.plane.port
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.port)
  }

  /** The access line of the first finished exchange with that path, waited for. */
  async access(path: string): Promise<AccessRecord> {
    return until(`the access line of ${path}`, () =>
      this.lines.map((line) => JSON.parse(line) as AccessRecord).find((record) => record.path === path),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.plane.destroy()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
