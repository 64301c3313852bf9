import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/config.ts'
import { until, within } from './until.ts'

const PROCESS = new URL('./reload-process.ts', import.meta.url).pathname

/** As bin/nyro starts it, which says why. */
const YOUNG: readonly string[] = ['--max-semi-space-size=4']

export type LogRecord = Readonly<Record<string, unknown>>

/** A gateway process whose config a test rewrites. */
export class ReloadStage {
  readonly records: LogRecord[] = []
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #exited: Promise<unknown>

  private constructor(config: Config, measured: 'delay' | 'plain') {
    this.#folder = mkdtempSync(join(tmpdir(), 'nyro-reload-'))
    this.write(config)
    this.#child = spawn(process.execPath, [...YOUNG, PROCESS, this.#path, measured], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#exited = new Promise((resolve) => this.#child.once('exit', resolve))
    let rest = ''
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.records.push(JSON.parse(line))
    })
  }

  static async start(config: Config, measured: 'delay' | 'plain' = 'plain'): Promise<ReloadStage> {
    const stage = new ReloadStage(config, measured)
    await until('the gateway to listen', () => stage.find('Gateway listening'), 30_000)
    return stage
  }

  get port(): number {
    return Number(this.find('Gateway listening')?.['port'])
  }

  get adminPort(): number {
    return Number(this.find('Gateway listening')?.['admin_port'])
  }

  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  }

  find(event: string): LogRecord | null {
    return this.records.find((record) => record['event'] === event) ?? null
  }

  count(event: string): number {
    return this.records.filter((record) => record['event'] === event).length
  }

  /** In one step, as a deployment does. */
  write(config: Config): void {
    const text = JSON.stringify(config)
    writeFileSync(`${this.#path}~`, text)
    renameSync(`${this.#path}~`, this.#path)
  }

  /** Not JSON any more. */
  spoil(): void {
    writeFileSync(this.#path, '{ "name": ')
  }

  hangUp(): void {
    this.#child.kill('SIGHUP')
  }

  /** The status of `POST /config/reload`. */
  async reload(): Promise<number> {
    const url = `http://127.0.0.1:${this.adminPort}/config/reload`
    const response = await fetch(url, { method: 'POST' })
    await response.arrayBuffer()
    return response.status
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    await within('the gateway to end', this.#exited).catch(() => this.#child.kill('SIGKILL'))
    rmSync(this.#folder, { recursive: true })
  }

  get #path(): string {
    return join(this.#folder, 'config.json')
  }
}
