import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { configDifference } from '../../src/config/difference.ts'
import { type DataThread, startDataThread } from '../../src/control/data-thread.ts'
import { Supervisor } from '../../src/control/supervisor.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { planeConfig } from '../worker/open-plane.ts'
import type { LogLine } from './gateway.ts'
import type { Field } from './message.ts'
import { echo, Origin, type Script } from './origin.ts'
import { askOnce, RawClient, type RawResponse, request } from './raw-client.ts'
import { until, within } from './until.ts'

/** An orderly end would wait a second for idle connections. */
const AT_ONCE = { delayMs: 0, timeoutMs: 50 } as const

export interface StageOptions {
  readonly script?: Script
  /** Kept when the stage ends; null: none. */
  readonly stateDir?: string | null
}

/** A whole gateway in the test's process, control and two data threads, before one upstream. */
export class IdentityStage {
  readonly origin: Origin
  readonly supervisor: Supervisor
  readonly #threads = new Map<number, DataThread>()
  readonly #state: { config: Config }
  readonly #log: string

  private constructor(origin: Origin, config: Config, log: string, stateDir: string | null) {
    const state = { config }
    this.origin = origin
    this.#state = state
    this.#log = log
    this.supervisor = new Supervisor({
      config,
      warnings: [],
      pid: process.pid,
      version: '0.0.0-test',
      nodeVersion: process.versions.node,
      output: { fd: openSync(log, 'w'), isTty: false, colors: false },
      clock: systemClock,
      stateDir,
      reload: {
        load: async () => ({ config: state.config, warnings: [], files: [] }),
        differ: configDifference,
        files: [],
        sinceMs: Number.POSITIVE_INFINITY,
      },
      parts: {
        startWatchdog: () => ({ stop: () => {} }),
        startThread: (birth, listener) => {
          const thread = startDataThread(birth, listener)
          this.#threads.set(birth.row, thread)
          return thread
        },
      },
    })
  }

  /** `own`: what the config says beside one upstream, given the upstream's URL. */
  static async open(
    t: TestContext,
    own: (url: string) => Partial<Config>,
    { script = echo, stateDir = null }: StageOptions = {},
  ): Promise<IdentityStage> {
    const folder = mkdtempSync(join(tmpdir(), 'nyro-identity-'))
    const origin = await Origin.start(script)
    const config = planeConfig(origin.url, { workers: 2, shutdown: AT_ONCE, ...own(origin.url) })
    const stage = new IdentityStage(origin, config, join(folder, 'log'), stateDir)
    t.after(async () => {
      await stage.stop()
      await origin[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    })
    await stage.supervisor.start()
    await until('the gateway to listen', () => stage.port > 0)
    return stage
  }

  get lines(): readonly LogLine[] {
    return readFileSync(this.#log, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine)
  }

  get logText(): string {
    return readFileSync(this.#log, 'utf8')
  }

  get port(): number {
    return this.#listening?.port ?? 0
  }

  get #listening(): LogLine | undefined {
    return this.lines.find(({ event }) => event === 'Gateway listening')
  }

  count(event: string): number {
    return this.lines.filter((line) => line.event === event).length
  }

  async event(event: string, count = 1): Promise<void> {
    await until(`${event}, ${count} times`, () => this.count(event) >= count)
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.port)
  }

  /** On a connection of its own, so by any of the threads. */
  ask(target: string, fields: readonly Field[] = [], method = 'GET'): Promise<RawResponse> {
    return askOnce(this.port, request(method, target, fields), method)
  }

  /** `<status>`, and the code of a refusal. */
  async verdict(target: string, fields: readonly Field[] = []): Promise<string> {
    const response = await this.ask(target, fields)
    return response.status === 200 ? '200' : `${response.status} ${response.json<{ code: string }>().code}`
  }

  async admin(
    method: string,
    path: string,
    body: object | null = null,
  ): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`http://127.0.0.1:${this.#listening?.admin_port}${path}`, {
      method,
      ...(body === null
        ? {}
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
    return { status: response.status, body: await response.json() }
  }

  /** Puts the config in force with these members changed. */
  async reload(changed: Partial<Config>): Promise<void> {
    this.#state.config = { ...this.#state.config, ...changed }
    const outcome = await this.supervisor.reload('signal')
    if (outcome.kind !== 'applied') throw new Error(`not reloaded: ${JSON.stringify(outcome)}`)
  }

  /** As a crash ends it; another one takes its row. */
  killThread(row: number): void {
    this.#threads.get(row)?.kill()
  }

  async stop(): Promise<void> {
    if (this.#listening === undefined) return
    this.supervisor.drain('test')
    await within('the gateway to end', this.supervisor.ended)
  }
}
