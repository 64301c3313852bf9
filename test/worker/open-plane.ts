import { randomBytes } from 'node:crypto'
import { createSigningKey } from '../../src/assertion/signing-key.ts'
import type { Config, RouteConfig, UpstreamConfig } from '../../src/config/config.ts'
import { LOG_DEFAULTS, ownIssuer, STORE_DEFAULTS, TENANT_DEFAULTS } from '../../src/config/default.ts'
import { AdmissionDesk } from '../../src/control/admission-desk.ts'
import { createPlaneMemory } from '../../src/control/plane-memory.ts'
import { startTimer } from '../../src/control/start-timer.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { MetricsMemory } from '../../src/metrics/metrics-memory.ts'
import { ThreadMetrics } from '../../src/metrics/thread-metrics.ts'
import { DataPlane } from '../../src/worker/data-plane.ts'
import { NOTHING_KNOWN, ThreadIdentity } from '../../src/worker/thread-identity.ts'
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
    store: STORE_DEFAULTS,
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
  /** Control's part of admission. */
  readonly desk: AdmissionDesk
  readonly lines: string[]
  /** Records of exchanges whose traces are kept. */
  readonly spans: string[]
  readonly #state: { drained: number }

  private constructor(
    parts: Pick<PlaneStage, 'plane' | 'lines' | 'spans' | 'desk'>,
    state: { drained: number },
  ) {
    const { plane, lines, spans, desk } = parts
    this.desk = desk
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
    const memory = createPlaneMemory(config, randomBytes)
    const upstreams = liveUpstreams(config)
    const desk: AdmissionDesk = new AdmissionDesk({
      ...{ memory: memory.upstreamPlaces, rows: config.workers, startTimer, nowMs: clock.monotonicMs },
      // Told in a turn of its own, as between threads.
      post: (_row, message) => setImmediate(() => plane.gate(message)),
    })
    desk.apply(upstreams)
    const plane: DataPlane = await DataPlane.open({
      birth: {
        config,
        upstreams,
        row: 0,
        version: '0.0.0-test',
        memory,
        signingKey: createSigningKey(),
        draining: draining === 'draining',
      },
      identity: new ThreadIdentity({ birth: NOTHING_KNOWN, clock, ask: null }),
      clock,
      random: Math.random,
      writeLine: (line) => void lines.push(line),
      gate: (message) => setImmediate(() => desk.said(0, message)),
      writeSpans: (line) => void spans.push(line),
      drained: () => {
        state.drained++
      },
      metrics: new ThreadMetrics(MetricsMemory.create(config.workers), 0),
    })
    await plane.listen({ host: config.listen.host, port: 0 })
    return new PlaneStage({ plane, lines, spans, desk }, state)
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
    this.desk.close()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
