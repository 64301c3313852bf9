import type { Config, LogLevel } from '../config/config.ts'
import { type Clock, machineMs } from '../lib/clock.ts'
import { NAME } from '../lib/version.ts'
import { createLogRing } from '../observe/log-ring.ts'
import { readableLine } from '../observe/readable-line.ts'
import { UpstreamMemory } from '../upstreams/upstream-memory.ts'
import type { SharedMemory, ThreadBirth } from '../worker/messages.ts'
import type { AdminStatus } from './admin/admin-answer.ts'
import { AdminServer } from './admin/admin-server.ts'
import { type StartDataThread, startDataThread } from './data-thread.ts'
import { openLogOutput } from './log-output.ts'
import { LogWriter } from './log-writer.ts'
import { claimPublicPort, portsAreShareable } from './public-port.ts'
import { type Lookup, namesOf, Resolver, systemLookup } from './resolver.ts'
import { type StartTimer, startTimer } from './start-timer.ts'
import { ThreadSet } from './thread-set.ts'
import { type StartWatchdog, startWatchdog } from './watchdog.ts'

/** How far past the shutdown timeout the process is killed from outside; the orderly end takes less. */
const WATCHDOG_MARGIN_MS = 1_000
/** For the last lines, when their reader is slow. */
const LAST_LINES_MS = 250

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
  /** For tests. */
  readonly parts?: Partial<SupervisorParts>
}

export interface SupervisorParts {
  readonly startThread: StartDataThread
  readonly startWatchdog: StartWatchdog
  readonly startTimer: StartTimer
  readonly lookup: Lookup
}

const PARTS: SupervisorParts = {
  startThread: startDataThread,
  startWatchdog,
  startTimer,
  lookup: systemLookup,
}

/** What a started gateway consists of, data threads apart from the rest of control. */
interface Running {
  readonly port: number
  readonly log: LogWriter
  readonly resolver: Resolver
  readonly threads: ThreadSet
  admin: AdminServer | null
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
  #running: Running | null = null
  /** A signal that came while starting. */
  #earlySignal: string | null = null

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#parts = { ...PARTS, ...options.parts }
    this.ended = this.#ended.promise
  }

  /** Resolves once all data threads listen. Rejects with StartRefusal, and then nothing is left running. */
  async start(): Promise<void> {
    const { config } = this.#options
    const workers = config.workers > 1 && !(await portsAreShareable()) ? 1 : config.workers
    const port = await claimPublicPort(config.listen.host, config.listen.port)
    const running = this.#assemble({ ...config, workers }, port)
    this.#logWarnings(running.log, workers)
    try {
      running.admin = await this.#openAdmin(running.threads)
      running.resolver.start()
      await running.threads.start()
    } catch (refusal) {
      await stop(running)
      throw refusal
    }
    this.#running = running
    this.#state = 'ready'
    this.#announce(running, workers)
    if (this.#earlySignal !== null) this.drain(this.#earlySignal)
  }

  /**
   * Stops in order: unready at once, listeners closed after the configured delay, done when nothing is left to do or
   * the timeout is reached; then `ended`. `signal` is what asked for it. Again is the same as once.
   */
  drain(signal: string): void {
    if (this.#running === null) {
      this.#earlySignal = signal
      return
    }
    if (this.#state !== 'ready') return
    this.#state = 'draining'
    const { log, threads } = this.#running
    const { delayMs, timeoutMs } = this.#options.config.shutdown
    threads.post({ kind: 'drain' })
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
    if (this.#running === null || this.#state === 'ending') return
    this.#state = 'ending'
    this.#running.log.log(level, event, {})
    await stop(this.#running)
    this.#ended.resolve(0)
  }

  #assemble(config: Config, port: number): Running {
    const { clock, output, version } = this.#options
    const { startThread, startTimer, lookup } = this.#parts
    const { workers, upstreams } = config
    const memory: SharedMemory = {
      connections: UpstreamMemory.create(workers, machineMs()),
      logRings: Array.from({ length: workers }, createLogRing),
    }
    const log = new LogWriter({
      output: openLogOutput(output.fd),
      rings: memory.logRings,
      level: config.log.level,
      render: output.isTty ? (line) => readableLine(line, output) : null,
      clock,
      startTimer,
    })
    const resolver = new Resolver({
      hosts: namesOf(upstreams.flatMap(({ endpoints }) => endpoints.map(({ url }) => url))),
      lookup,
      startTimer,
      log,
      changed: (host, addresses) => threads.post({ kind: 'addresses', host, addresses }),
    })
    const upstreamMemory = new UpstreamMemory(memory.connections, null, {
      monotonicMs: clock.monotonicMs,
      machineMs,
    })
    const threads = new ThreadSet({
      rows: workers,
      birth: (row): ThreadBirth => ({
        config,
        row,
        version,
        port,
        memory,
        addresses: resolver.known(),
        draining: this.#state === 'draining',
      }),
      reclaim: (row) => upstreamMemory.reclaim(row),
      startThread,
      log,
      clock,
      startTimer,
    })
    log.start()
    return { port, log, resolver, threads, admin: null }
  }

  #openAdmin(threads: ThreadSet): Promise<AdminServer> {
    const { config, version, nodeVersion } = this.#options
    return AdminServer.listen({
      admin: config.admin,
      product: { name: NAME, version, node: nodeVersion },
      status: () => this.#status(threads.listening),
    })
  }

  #status(threads: number): AdminStatus {
    if (this.#state === 'draining' || this.#state === 'ending') return { status: 'draining', threads }
    return { status: this.#state === 'ready' && threads > 0 ? 'ready' : 'starting', threads }
  }

  #logWarnings(log: LogWriter, workers: number): void {
    for (const warning of this.#options.warnings) log.log('warning', 'Doubtful setting', { warning })
    const configured = this.#options.config.workers
    if (workers === configured) return
    log.log('warning', 'One data thread only: this system does not share ports', { configured })
  }

  #announce({ log, port, admin }: Running, workers: number): void {
    const { config, version, pid } = this.#options
    log.log('info', 'Gateway listening', {
      host: config.listen.host,
      port,
      admin_host: config.admin.host,
      admin_port: admin?.port ?? null,
      workers,
      version,
      pid,
    })
  }
}

/** Operators see the process until its threads are gone; the last lines come last. */
async function stop({ threads, resolver, admin, log }: Running): Promise<void> {
  await threads.end()
  resolver.close()
  await admin?.close()
  await log.close(LAST_LINES_MS)
}
