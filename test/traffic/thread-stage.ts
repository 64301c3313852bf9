import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/config.ts'
import { type DataThread, startDataThread } from '../../src/control/data-thread.ts'
import { Supervisor } from '../../src/control/supervisor.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { until, within } from '../support/until.ts'

/** A gateway with real data threads in the test's own process, which can kill them. */
export class ThreadStage {
  readonly #supervisor: Supervisor
  readonly #threads: (DataThread | undefined)[]
  readonly #folder: string

  private constructor(supervisor: Supervisor, threads: (DataThread | undefined)[], folder: string) {
    this.#supervisor = supervisor
    this.#threads = threads
    this.#folder = folder
  }

  static async start(config: Config): Promise<ThreadStage> {
    const folder = mkdtempSync(join(tmpdir(), 'nyro-threads-'))
    const threads: (DataThread | undefined)[] = []
    const supervisor = new Supervisor({
      config,
      warnings: [],
      pid: process.pid,
      version: '0.0.0-test',
      nodeVersion: process.versions.node,
      output: { fd: openSync(join(folder, 'log'), 'w'), isTty: false, colors: false },
      clock: systemClock,
      stateDir: null,
      reload: null,
      parts: {
        startThread: (birth, listener) => {
          const thread = startDataThread(birth, listener)
          threads[birth.row] = thread
          return thread
        },
        // A watchdog would kill the tests.
        startWatchdog: () => ({ stop: () => {} }),
      },
    })
    await supervisor.start()
    const stage = new ThreadStage(supervisor, threads, folder)
    await until('it to listen', () => stage.lines('Gateway listening')[0])
    return stage
  }

  get port(): number {
    return Number(this.lines('Gateway listening')[0]?.['port'])
  }

  /** Lines of that event, as far as they are written. */
  lines(event: string): readonly Readonly<Record<string, unknown>>[] {
    return readFileSync(join(this.#folder, 'log'), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter((line) => line['event'] === event)
  }

  /** Kills a data thread at whatever it does, and waits until there is another. */
  async replace(row: number): Promise<void> {
    const before = this.lines('Data thread replaced').length
    this.#threads[row]?.kill()
    await until('the replacement', () => this.lines('Data thread replaced').length > before)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#supervisor.drain('test')
    await within('the end', this.#supervisor.ended)
    rmSync(this.#folder, { recursive: true })
  }
}
