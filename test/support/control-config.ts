import type { Config } from '../../src/config/config.ts'
import { LOG_DEFAULTS, STORE_DEFAULTS, TENANT_DEFAULTS } from '../../src/config/default.ts'
import { upstreamOf } from './config-part.ts'

export interface ControlSettings {
  /** `refuses` and `dies` make the fixture thread do so at its start. */
  readonly name?: string
  readonly port?: number
  readonly adminPort?: number
  readonly workers?: number
  readonly delayMs?: number
  readonly timeoutMs?: number
  readonly upstreamUrl?: string
  readonly routes?: Config['routes']
}

/** What control needs of a Config; free ports on loopback, two data threads. */
export function controlConfig(settings: ControlSettings = {}): Config {
  return {
    name: settings.name ?? 'test',
    production: false,
    listen: {
      host: '127.0.0.1',
      port: settings.port ?? 0,
      timeouts: { headMs: 10_000, bodyMs: 60_000, idleMs: 75_000 },
      maxConnections: 100,
    },
    admin: { host: '127.0.0.1', port: settings.adminPort ?? 0, token: null },
    workers: settings.workers ?? 2,
    log: { ...LOG_DEFAULTS, level: 'info' },
    tracing: null,
    trustedProxies: [],
    cors: { origins: '*', maxAgeS: 600 },
    shutdown: { delayMs: settings.delayMs ?? 0, timeoutMs: settings.timeoutMs ?? 5_000 },
    docs: false,
    identity: { issuers: [], apiKeys: null },
    store: STORE_DEFAULTS,
    tenant: TENANT_DEFAULTS,
    upstreams: [
      upstreamOf('ingest', settings.upstreamUrl ?? 'http://127.0.0.1:9', {
        timeouts: { connectMs: 1_000, headMs: 1_000, idleMs: 1_000, totalMs: null },
      }),
    ],
    routes: settings.routes ?? [],
  }
}
