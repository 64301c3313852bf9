import type { Config, LogLevel } from '../config/config.ts'
import type { Loaded } from '../config/loaded.ts'
import type { Clock } from '../lib/clock.ts'
import { processUsage } from '../lib/process-usage.ts'
import { NAME } from '../lib/version.ts'
import { MOST_ROWS } from '../limits/operation-log.ts'
import { redisConnector } from '../limits/redis-connection.ts'
import type {
  AdminFolder,
  AdminResource,
  AdminResources,
  AdminStatus,
  Product,
} from './admin/admin-answer.ts'
import { AdminServer } from './admin/admin-server.ts'
import { configResource } from './admin/config-resource.ts'
import { explainResource } from './admin/explain-resource.ts'
import { JWKS_PATH, jwksResource } from './admin/jwks-resource.ts'
import { keysResource } from './admin/keys-resource.ts'
import { metricsResource } from './admin/metrics-resource.ts'
import { reloadResource } from './admin/reload-resource.ts'
import { revocationsResource } from './admin/revocations-resource.ts'
import { routesResource } from './admin/routes-resource.ts'
import { upstreamsResource } from './admin/upstreams-resource.ts'
import { Assembly, type AssemblyParts } from './assembly.ts'
import { ConfigWatch } from './config-watch.ts'
import { startDataThread } from './data-thread.ts'
import { jsonFetcher } from './keys/fetch-json.ts'
import { LivePage } from './live/live-page.ts'
import type { MetricsSource } from './metrics-page.ts'
import { probeEndpoint } from './probe-request.ts'
import { PublicPort, portsAreShareable } from './public-port.ts'
import { type ConfigChange, type ReloadCause, Reloader, type ReloadOutcome } from './reload.ts'
import { ReloadTally } from './reload-tally.ts'
import { systemLookup } from './resolver.ts'
import { startTimer } from './start-timer.ts'
import type { ThreadSet } from './thread-set.ts'
import { type StartWatchdog, startWatchdog } from './watchdog.ts'

/** How far past the shutdown timeout the process is killed from outside; the orderly end takes less. */
const WATCHDOG_MARGIN_MS = 1_000

export interface SupervisorOptions {
  readonly config: Config
  /** Doubtful settings, a line each. */
  readonly warnings: readonly string[]
  readonly pid: number
  /** Version of the running product. */
  readonly version: string
  /** Version of the runtime, without a `v`. */
  readonly nodeVersion: string
  /** Where logs go: readable on a terminal, JSON elsewhere. */
  readonly output: { readonly fd: number; readonly isTty: boolean; readonly colors: boolean }
  readonly clock: Clock
  /** Absolute path of the folder for what outlasts the process; null: nothing does. */
  readonly stateDir: string | null
  /** Null: the config stays as it is. */
  readonly reload: ReloadOptions | null
  /** For tests. */
  readonly parts?: Partial<SupervisorParts>
}

export interface ReloadOptions {
  /** The config as it is written now. */
  readonly load: () => Promise<Loaded>
  readonly differ: (before: Config, after: Config) => readonly ConfigChange[]
  /** Those that were read for `config`; a change of one of them is a change of the config. */
  readonly files: readonly string[]
  /** By the wall clock, before the first of them was read. */
  readonly sinceMs: number
}

/** Also where the settings ask for any that is free. */
export interface ListeningPorts {
  readonly port: number
  readonly adminPort: number
}

export interface SupervisorParts extends AssemblyParts {
  readonly startWatchdog: StartWatchdog
}

const PARTS: SupervisorParts = {
  startThread: startDataThread,
  startWatchdog,
  startTimer,
  lookup: systemLookup,
  probe: probeEndpoint,
  fetchJson: jsonFetcher(startTimer),
  connectorOf: redisConnector,
  random: Math.random,
}

/** The control thread's whole life: what it starts, keeps running, and ends in order. */
export class Supervisor {
  /**
   * The exit code, when everything is over; the process is to exit then. The watchdog stays armed until it has: a
   * stuck job of the thread pool holds up the exit itself.
   */
  readonly ended: Promise<number>
  readonly #ended = Promise.withResolvers<number>()
  readonly #options: SupervisorOptions
  readonly #parts: SupervisorParts
  #state: 'starting' | 'ready' | 'draining' | 'ending' = 'starting'
  #assembly: Assembly | null = null
  #admin: AdminServer | null = null
  #page: LivePage | null = null
  #reloader: Reloader | null = null
  #watch: ConfigWatch | null = null
  readonly #reloads: ReloadTally
  /** A signal that came while starting. */
  #earlySignal: string | null = null

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#parts = { ...PARTS, ...options.parts }
    this.#reloads = new ReloadTally(options.clock.wallMs)
    this.ended = this.#ended.promise
  }

  /** Resolves once all data threads listen. Rejects with StartRefusal, and then nothing is left running. */
  async start(): Promise<ListeningPorts> {
    const { config } = this.#options
    const shareable = config.workers > 1 && !(await portsAreShareable()) ? 1 : config.workers
    const workers = Math.min(shareable, MOST_ROWS)
    const port = await PublicPort.claim(config.listen.host, config.listen.port)
    const effective = { ...config, workers }
    const assembly = this.#assemble(effective, port)
    assembly.log.start()
    // Before any thread makes a span; whoever starts waits for no SDK.
    void assembly.spans.follow(effective)
    this.#logWarnings(assembly, workers)
    this.#prepareReload(assembly, effective)
    try {
      this.#admin = await this.#openAdmin(assembly)
      await assembly.start()
    } catch (refusal) {
      await this.#stop(assembly)
      throw refusal
    }
    this.#assembly = assembly
    this.#state = 'ready'
    const ports = { port: port.port, adminPort: this.#admin.port }
    this.#announce(assembly, ports)
    this.#watchFiles()
    this.#reloader?.open()
    if (this.#earlySignal !== null) this.drain(this.#earlySignal)
    return ports
  }

  /**
   * Loads the config again and puts it in force if it is good; the outcome is logged too. While starting: as soon as
   * all data threads listen. Without a way to load it, it stays as it is.
   */
  async reload(cause: ReloadCause): Promise<ReloadOutcome> {
    if (this.#reloader === null) return { kind: 'unchanged' }
    const outcome = await this.#reloader.request(cause)
    this.#page?.note(cause, outcome)
    return outcome
  }

  /** Goes on in the file that has the log file's name now: it was rotated. Without one: nothing. */
  reopenLog(): void {
    this.#assembly?.log.reopen()
  }

  /**
   * Stops in order: unready at once, listeners closed after the configured delay, done when nothing is left to do or
   * the timeout is reached; then `ended`. `signal` is what asked for it. Again is the same as once.
   */
  drain(signal: string): void {
    const assembly = this.#assembly
    if (assembly === null) {
      this.#earlySignal = signal
      return
    }
    if (this.#state !== 'ready') return
    this.#state = 'draining'
    this.#reloader?.close()
    this.#watch?.close()
    const { log, threads, config } = assembly
    const { delayMs, timeoutMs } = config.shutdown
    threads.post({ kind: 'drain' })
    this.#page?.events.tell()
    this.#parts.startWatchdog(this.#options.pid, timeoutMs + WATCHDOG_MARGIN_MS)
    log.log('info', 'Draining', { signal, delay_s: delayMs / 1000, timeout_s: timeoutMs / 1000 })
    const cancelTimeout = this.#parts.startTimer(timeoutMs, () => {
      cancelClose()
      void this.#end('warning', 'Shutdown timeout reached, what was left is cut')
    })
    const cancelClose = this.#parts.startTimer(delayMs, () => void this.#close(threads, cancelTimeout))
  }

  async #close(threads: ThreadSet, cancelTimeout: () => void): Promise<void> {
    await threads.close()
    cancelTimeout()
    await this.#end('info', 'Drained')
  }

  async #end(level: LogLevel, event: string): Promise<void> {
    if (this.#assembly === null || this.#state === 'ending') return
    this.#state = 'ending'
    this.#assembly.log.log(level, event, {})
    await this.#stop(this.#assembly)
    this.#ended.resolve(0)
  }

  async #stop(assembly: Assembly): Promise<void> {
    this.#watch?.close()
    await assembly.stop(async () => {
      this.#page?.events.close()
      await this.#admin?.close()
    })
  }

  #assemble(config: Config, port: PublicPort): Assembly {
    const { version, output, clock, stateDir } = this.#options
    const isDraining = (): boolean => this.#state === 'draining'
    try {
      return new Assembly({
        ...{ config, port, version, output, clock, stateDir, isDraining },
        ...this.#parts,
      })
    } catch (refusal) {
      port.release()
      throw refusal
    }
  }

  #prepareReload(assembly: Assembly, first: Config): void {
    const { reload, clock } = this.#options
    if (reload === null) return
    const watch = new ConfigWatch({
      startTimer: this.#parts.startTimer,
      changed: () => void this.reload('file'),
    })
    this.#watch = watch
    this.#reloader = new Reloader({
      load: reload.load,
      differ: reload.differ,
      written: this.#options.config,
      inForce: first,
      swap: (next) => assembly.swap(next),
      files: reload.files,
      watch: (files, sinceMs) => void watch.follow(files, sinceMs),
      wallMs: clock.wallMs,
      log: assembly.log,
      concluded: (outcome) => this.#reloads.concluded(outcome),
    })
  }

  #watchFiles(): void {
    const { reload } = this.#options
    if (reload !== null) void this.#watch?.follow(reload.files, reload.sinceMs)
  }

  #openAdmin(assembly: Assembly): Promise<AdminServer> {
    const { config, version, nodeVersion, clock } = this.#options
    const product: Product = { name: NAME, version, node: nodeVersion }
    const status = (): AdminStatus => this.#status(assembly.threads.listening)
    const page = new LivePage({
      ...{ assembly, product, status, wallMs: clock.wallMs, startTimer: this.#parts.startTimer },
      drain: () => this.drain('admin'),
    })
    this.#page = page
    return AdminServer.listen({
      admin: config.admin,
      product,
      status,
      resources: this.#resources(assembly, page),
      events: page.events,
      page: page.files,
    })
  }

  #resources(assembly: Assembly, page: LivePage): AdminResources {
    const { registry, identity, upstreamsView } = assembly
    const explained = {
      config: () => assembly.config,
      live: () => registry.live,
      memory: assembly.sharedUpstreams,
      identity: () => identity.known(),
    }
    const resources = new Map<string, AdminResource | AdminFolder>([
      ...page.resources(),
      ['/metrics', metricsResource(this.#metricsSource(assembly))],
      ['/upstreams', upstreamsResource(upstreamsView)],
      ['/config', configResource(() => assembly.config)],
      ['/routes', routesResource(() => assembly.config)],
      ['/explain', explainResource(explained)],
      [JWKS_PATH, jwksResource(() => assembly.assertionKeys.published)],
      ['/keys', keysResource(() => identity.keys.figures(), this.#options.clock.wallMs)],
      ['/revocations', revocationsResource(identity, this.#options.clock, this.#parts.startTimer)],
    ])
    if (this.#options.reload === null) return resources
    return resources.set(
      '/config/reload',
      reloadResource(() => this.reload('admin')),
    )
  }

  #metricsSource(assembly: Assembly): MetricsSource {
    const { version, nodeVersion } = this.#options
    const { threads, log, spans, metrics, identity, upstreamsView } = assembly
    return {
      ...upstreamsView,
      ...{ view: metrics, version, nodeVersion, usage: processUsage, reloads: this.#reloads },
      configuredThreads: assembly.config.workers,
      listeningThreads: () => threads.listening,
      deaths: () => threads.deaths,
      isDraining: () => this.#state === 'draining' || this.#state === 'ending',
      droppedLines: () => log.dropped,
      droppedTraces: () => spans.dropped,
      issuers: () => identity.keys.figures(),
      wallMs: this.#options.clock.wallMs,
    }
  }

  #status(threads: number): AdminStatus {
    if (this.#state === 'draining' || this.#state === 'ending') return { status: 'draining', threads }
    return { status: this.#state === 'ready' && threads > 0 ? 'ready' : 'starting', threads }
  }

  #logWarnings({ log }: Assembly, workers: number): void {
    for (const warning of this.#options.warnings) log.log('warning', 'Doubtful setting', { warning })
    const configured = this.#options.config.workers
    if (workers === configured) return
    if (workers === 1) {
      log.log('warning', 'One data thread only: this system does not share ports', { configured })
    } else log.log('warning', 'Fewer data threads: there can be no more', { configured, workers })
  }

  #announce({ log, config }: Assembly, { port, adminPort }: ListeningPorts): void {
    const { version, pid } = this.#options
    log.log('info', 'Gateway listening', {
      host: config.listen.host,
      port,
      admin_host: config.admin.host,
      admin_port: adminPort,
      workers: config.workers,
      version,
      pid,
    })
  }
}
