import { randomBytes } from 'node:crypto'
import type { Config, LogLevel } from '../config/config.ts'
import { type Clock, machineMs } from '../lib/clock.ts'
import { PlaceCount } from '../limits/place-count.ts'
import type { ConnectStore } from '../limits/store-connection.ts'
import { MetricsMemory } from '../metrics/metrics-memory.ts'
import { MetricsReader, type MetricsView } from '../metrics/metrics-view.ts'
import { createLogRing } from '../observe/log-ring.ts'
import { readableLine } from '../observe/readable-line.ts'
import { UPSTREAM_SLOTS, UpstreamMemory } from '../upstreams/upstream-memory.ts'
import type { SharedMemory } from '../worker/messages.ts'
import type { UpstreamsView } from './admin/upstreams-resource.ts'
import { AdmissionDesk } from './admission-desk.ts'
import { AssertionKeys } from './assertion-keys.ts'
import type { StartDataThread } from './data-thread.ts'
import { errorCode } from './error-code.ts'
import { IdentityDesk } from './identity-desk.ts'
import type { FetchJson } from './keys/fetch-json.ts'
import { folderKeyStore } from './keys/key-store.ts'
import { LiveFigures } from './live/live-figures.ts'
import { LogFile } from './log-file.ts'
import { type LogOutput, openLogOutput } from './log-output.ts'
import { LogWriter } from './log-writer.ts'
import { createPlaneMemory } from './plane-memory.ts'
import type { Probe } from './probe-request.ts'
import type { PublicPort } from './public-port.ts'
import type { Lookup } from './resolver.ts'
import { Rollout } from './rollout.ts'
import { StartRefusal } from './start-refusal.ts'
import type { StartTimer } from './start-timer.ts'
import { ThreadSet } from './thread-set.ts'
import { SpanRelay } from './tracing/span-relay.ts'
import { UpstreamRegistry } from './upstream-registry.ts'

/** For the last lines, when their reader is slow. */
const LAST_LINES_MS = 250
/** For the last spans: with the lines', less than the watchdog waits. */
const LAST_SPANS_MS = 500

export interface AssemblyParts {
  readonly startThread: StartDataThread
  readonly startTimer: StartTimer
  readonly lookup: Lookup
  readonly probe: Probe
  /** For published keys. */
  readonly fetchJson: FetchJson
  /** To a store, by its URL. */
  readonly connectorOf: (url: string) => ConnectStore
  /** 0 … 1, 1 excluded. */
  readonly random: () => number
}

export interface AssemblyOptions extends AssemblyParts {
  readonly config: Config
  readonly port: PublicPort
  /** Version of the running product. */
  readonly version: string
  /** Where logs go: readable on a terminal, JSON elsewhere. */
  readonly output: { readonly fd: number; readonly isTty: boolean; readonly colors: boolean }
  readonly clock: Clock
  /** Absolute path of the folder for what outlasts the process; null: nothing does. */
  readonly stateDir: string | null
  readonly isDraining: () => boolean
}

/** Data threads with everything in control that they live from: memory, log, upstreams, and the config in force. */
export class Assembly {
  readonly log: LogWriter
  readonly threads: ThreadSet
  readonly registry: UpstreamRegistry
  readonly assertionKeys: AssertionKeys
  readonly spans: SpanRelay
  readonly memory: UpstreamMemory
  /** What the live page shows of traffic. */
  readonly figures: LiveFigures
  readonly identity: IdentityDesk
  /** What `memory` is a view of. */
  readonly sharedUpstreams: SharedArrayBuffer
  /** What data threads counted. */
  readonly metrics: MetricsView
  readonly #counted: MetricsMemory
  readonly admission: AdmissionDesk
  /** Where traffic can go now, for whoever shows it. */
  readonly upstreamsView: UpstreamsView
  readonly #tenantPlaces: PlaceCount
  readonly #streamPlaces: PlaceCount
  readonly #rollout: Rollout
  readonly #options: AssemblyOptions
  #config: Config

  /** Throws StartRefusal where the config has more upstreams than there are slots. */
  constructor(options: AssemblyOptions) {
    const { config, clock, startTimer } = options
    this.#options = options
    this.#config = config
    const shared: SharedMemory = {
      ...createPlaneMemory(config, randomBytes),
      logRings: Array.from({ length: config.workers }, createLogRing),
      metrics: MetricsMemory.create(config.workers),
      spanRings: Array.from({ length: config.workers }, createLogRing),
    }
    const { monotonicMs } = clock
    this.sharedUpstreams = shared.upstreams
    this.#counted = new MetricsMemory(shared.metrics, 'control')
    this.metrics = new MetricsReader(this.#counted)
    this.memory = new UpstreamMemory(shared.upstreams, null, { monotonicMs, machineMs })
    this.#tenantPlaces = new PlaceCount(shared.tenantPlaces, config.workers)
    this.#streamPlaces = new PlaceCount(shared.streamPlaces, config.workers)
    this.log = this.#makeLog(shared)
    this.figures = new LiveFigures(clock.wallMs)
    this.assertionKeys = new AssertionKeys({
      ...{ own: config.tenant.assertion?.key ?? null, startTimer },
      changed: (key) => this.threads.post({ kind: 'signing-key', key }),
    })
    this.admission = new AdmissionDesk({
      ...{ memory: shared.upstreamPlaces, rows: config.workers, startTimer, nowMs: monotonicMs },
      post: (row, message) => this.threads.postTo(row, { kind: 'gate', message }),
    })
    const { version } = options
    this.spans = new SpanRelay({
      ...{ rings: shared.spanRings, version, startTimer, log: this.log, openSink: null },
    })
    this.#rollout = new Rollout(() => this.threads, startTimer)
    this.identity = this.#makeIdentity()
    this.registry = this.#makeRegistry()
    if (!this.registry.prepare(config.upstreams)) throw new StartRefusal(TOO_MANY)
    this.registry.commit()
    this.admission.apply(this.registry.live)
    this.upstreamsView = {
      live: () => this.registry.live,
      openConnections: (slot) => this.memory.openConnections(slot),
      admission: (slot) => this.admission.stateOf(slot),
      describeEndpoint: (slot) => this.memory.describeEndpoint(slot),
    }
    this.threads = this.#makeThreads(shared)
  }

  /** In force. */
  get config(): Config {
    return this.#config
  }

  /** Resolves once all data threads listen. Rejects with StartRefusal. */
  async start(): Promise<void> {
    await this.identity.start(this.#config)
    await this.threads.start()
  }

  /** Puts another config in force, in all threads or, with the reason, in none. Never two at a time. */
  async swap(next: Config): Promise<string | null> {
    const { registry, log } = this
    if (!registry.prepare(next.upstreams)) return TOO_MANY
    const problem = await this.#rollout.prepare(next, () => registry.prepared)
    const isTooLate = this.#options.isDraining()
    if (problem === null && isTooLate) this.#rollout.drop()
    if (problem !== null || isTooLate) {
      registry.drop()
      return problem ?? 'the gateway is shutting down'
    }
    // First: an upstream may look for the key with the first assertion it gets.
    this.assertionKeys.useOwn(next.tenant.assertion?.key ?? null)
    this.identity.replace(next)
    this.#rollout.commit(registry.prepared)
    registry.commit()
    this.admission.apply(registry.live)
    this.#config = next
    log.level = next.log.level
    void this.spans.follow(next)
    return null
  }

  /** In all threads, those included that are born later; until a config is put in force. */
  setLogLevel(level: LogLevel): void {
    this.#config = { ...this.#config, log: { ...this.#config.log, level } }
    this.log.level = level
    this.threads.post({ kind: 'level', level })
  }

  /** Operators see the process until its threads are gone; the last lines come last. */
  async stop(closeAdmin: () => Promise<void>): Promise<void> {
    await this.threads.end()
    this.registry.close()
    this.assertionKeys.close()
    this.identity.close()
    this.admission.close()
    await this.spans.close(LAST_SPANS_MS)
    await closeAdmin()
    await this.log.close(LAST_LINES_MS)
  }

  #makeLog({ logRings }: SharedMemory): LogWriter {
    const { output, config, clock, startTimer } = this.#options
    return new LogWriter({
      output: openOutput(config.log, output.fd),
      rings: logRings,
      level: config.log.level,
      render: output.isTty && config.log.output === 'stdout' ? (line) => readableLine(line, output) : null,
      clock,
      startTimer,
    })
  }

  #makeRegistry(): UpstreamRegistry {
    const { lookup, probe, startTimer, random } = this.#options
    const { connections } = this.memory
    const threads = { ask: () => this.threads.ask(), answered: () => this.threads.answered }
    return new UpstreamRegistry({
      upstreamUse: {
        isIdle: (slot) =>
          connections.open(slot) === 0 && connections.wanted(slot) === 0 && this.admission.isIdle(slot),
        // Nothing in an idle slot tells of who had it: retries of the last seconds at most.
        reset: () => {},
        ...threads,
      },
      endpointUse: {
        isIdle: (slot) => this.memory.describeEndpoint(slot).inFlight === 0,
        reset: (slot) => this.memory.resetEndpoint(slot),
        ...threads,
      },
      setHealth: (slot, health) => this.memory.setHealth(slot, health),
      lookup,
      probe,
      startTimer,
      random,
      log: this.log,
      changed: ({ config, endpoints }) =>
        this.threads.post({ kind: 'endpoints', upstream: config.name, endpoints }),
    })
  }

  #makeIdentity(): IdentityDesk {
    const { fetchJson, connectorOf, stateDir, clock, startTimer, random } = this.#options
    const store = stateDir === null ? null : folderKeyStore(stateDir)
    return new IdentityDesk({
      keyWorld: { fetchJson, store, clock, startTimer, random, log: this.log },
      threads: () => this.threads,
      connectorOf,
    })
  }

  /** Waiters of other threads come last: they take the places that are given back here. */
  #reclaim(row: number): void {
    this.memory.reclaim(row)
    this.#counted.reclaim(row)
    this.identity.died(row)
    this.#tenantPlaces.reclaim(row)
    this.#streamPlaces.reclaim(row)
    this.admission.reclaim(row)
  }

  #makeThreads(memory: SharedMemory): ThreadSet {
    const { port, version, startThread, clock, startTimer, isDraining, config } = this.#options
    return new ThreadSet({
      ...{ rows: config.workers, port },
      birth: (row) => ({
        config: this.#config,
        upstreams: this.registry.live,
        row,
        version,
        memory,
        signingKey: this.assertionKeys.current,
        identity: this.identity.birth(row),
        draining: isDraining(),
      }),
      reclaim: (row) => this.#reclaim(row),
      identity: (row, message) => this.identity.said(row, message),
      gate: (row, message) => this.admission.said(row, message),
      follower: this.#rollout,
      takeSecond: (second) => this.figures.take(second),
      startThread,
      log: this.log,
      spans: this.spans,
      clock,
      startTimer,
    })
  }
}

function openOutput({ output }: Config['log'], fd: number): LogOutput {
  if (output === 'stdout') return openLogOutput(fd)
  try {
    return new LogFile(output.file)
  } catch (error) {
    throw new StartRefusal(`cannot write the log file ${output.file} (log.output): ${errorCode(error)}`)
  }
}

/** A reload needs room for both configs, and for what is closing still. */
const TOO_MANY = `too many upstreams at once: there can be ${UPSTREAM_SLOTS}, those included that leave with this config`
