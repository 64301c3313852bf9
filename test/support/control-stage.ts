import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type StartDataThread, startThreadAt } from '../../src/control/data-thread.ts'
import { type ReloadOptions, Supervisor, type SupervisorParts } from '../../src/control/supervisor.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type ControlSettings, controlConfig } from './control-config.ts'
import { until, within } from './until.ts'

const ENTRY = new URL('./control-thread.ts', import.meta.url)
/** So that a thread runs out of memory before the machine does. */
const HEAP_MIB = 32

export const startControlThread: StartDataThread = (birth, listener) =>
  startThreadAt(ENTRY, birth, listener, { maxOldGenerationSizeMb: HEAP_MIB })

export type LogRecord = Readonly<Record<string, unknown>>

/** A supervisor with real threads of `control-thread.ts`, in the test's own process; its log goes to a file. */
export class ControlStage {
  readonly supervisor: Supervisor
  /** Watchdogs it asked for: pid and delay. None is started: it would kill the tests. */
  readonly watchdogs: [number, number][] = []
  readonly #path: string

  constructor(
    t: TestContext,
    settings: ControlSettings = {},
    parts: Partial<SupervisorParts> = {},
    reload: ReloadOptions | null = null,
  ) {
    const folder = mkdtempSync(join(tmpdir(), 'nyro-'))
    this.#path = join(folder, 'log')
    this.supervisor = new Supervisor({
      config: controlConfig({ timeoutMs: 1_000, ...settings }),
      warnings: ['a doubtful one'],
      pid: process.pid,
      version: '1.2.3',
      nodeVersion: process.versions.node,
      output: { fd: openSync(this.#path, 'w'), isTty: false, colors: false },
      clock: systemClock,
      stateDir: null,
      reload,
      parts: {
        startThread: startControlThread,
        startWatchdog: (pid, delayMs) => {
          this.watchdogs.push([pid, delayMs])
          return { stop: () => {} }
        },
        ...parts,
      },
    })
    t.after(async () => {
      if (this.events('Gateway listening').length > 0) {
        this.supervisor.drain('test')
        await within('the end', this.supervisor.ended)
      }
      rmSync(folder, { recursive: true })
    })
  }

  records(): readonly LogRecord[] {
    const lines = readFileSync(this.#path, 'latin1').split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line))
  }

  events(event: string): readonly LogRecord[] {
    return this.records().filter((record) => record['event'] === event)
  }

  /** Waits for a line of that event, the `count`th one. */
  async event(event: string, count = 1): Promise<LogRecord> {
    return until(event, () => this.events(event)[count - 1])
  }

  get port(): number {
    return Number(this.events('Gateway listening')[0]?.['port'])
  }

  get adminPort(): number {
    return Number(this.events('Gateway listening')[0]?.['admin_port'])
  }

  async admin(path: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}${path}`)
    await response.arrayBuffer()
    return response.status
  }

  /** A connection to one of the data threads. */
  connect(): Promise<ThreadConnection> {
    const socket = connect(this.port, '127.0.0.1')
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.once('connect', () => resolve(new ThreadConnection(socket)))
    })
  }

  /** What a thread answers to one command over a connection of its own; tried again while nobody listens. */
  async ask(command: string): Promise<string> {
    return until(`an answer to ${command}`, async () => {
      const connection = await this.connect().catch(() => null)
      const answer = (await connection?.ask(command)) ?? null
      connection?.end()
      return answer
    })
  }
}

export class ThreadConnection {
  readonly #socket: Socket
  readonly closed: Promise<void>
  #answer: (line: string | null) => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8').on('error', () => {})
    socket.on('data', (line: string) => this.#answer(line))
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#answer(null)
        resolve()
      })
    })
  }

  /** The thread's answer, without its row; null if the connection ended before. */
  async ask(command: string): Promise<string | null> {
    const line = await this.line(command)
    return line === null ? null : line.slice(line.indexOf(' ') + 1).trimEnd()
  }

  /** One command at a time. */
  line(command: string): Promise<string | null> {
    return new Promise((resolve) => {
      this.#answer = resolve
      this.#socket.write(`${command}\n`)
    })
  }

  end(): void {
    this.#socket.end()
  }
}
