import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { pinned } from './core.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/nyro', import.meta.url))
const START_MS = 30_000
/** Longer than SHUTDOWN_TIMEOUT and the watchdog's second. */
const STOP_MS = 40_000
const MAX_LOG_BYTES = 64 * 1024 * 1024
/** Errors of the gateway itself; an access line at this level is only about an upstream. */
const OWN_ERROR = /"level":"(?:error|critical)","logger":"nyro\.(?!access)/

/** The gateway under soak, its log in a file that is read as it grows and never grows large. */
export class GatewayProcess {
  /** What it logged as errors of its own, and what it wrote to standard error. */
  readonly errors: string[] = []
  readonly #directory = mkdtempSync(join(tmpdir(), 'nyro-soak-'))
  readonly #log: number
  readonly #child: ChildProcess
  #offset = 0
  #rest = ''
  #port = 0

  constructor(environment: Readonly<Record<string, string>>, cores: string | null) {
    const path = join(this.#directory, 'log')
    const out = openSync(path, 'a')
    this.#log = openSync(path, 'r+')
    const { PATH = '', HOME = '' } = process.env
    const [command, args] = pinned(cores, LAUNCHER, ['start'])
    this.#child = spawn(command, args, {
      cwd: this.#directory,
      env: { PATH, HOME, ...environment },
      stdio: ['ignore', out, 'pipe'],
    })
    closeSync(out)
    this.#child.on('error', (error) => this.errors.push(String(error)))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => this.errors.push(text.trim()))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get port(): number {
    return this.#port
  }

  get alive(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'latin1')
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024
  }

  /** Open descriptors, or null where there is no way to tell. */
  get descriptors(): number | null {
    try {
      return readdirSync(`/proc/${this.pid}/fd`).length
    } catch {
      return null
    }
  }

  async listening(): Promise<void> {
    const deadline = performance.now() + START_MS
    while (this.#port === 0) {
      if (!this.alive || performance.now() > deadline) {
        throw new Error(
          `the gateway did not start: ${this.errors.join('\n') || this.#rest || 'it said nothing'}`,
        )
      }
      await delay(20)
      this.readLog()
    }
  }

  /** Takes in what has been logged since the last call. */
  readLog(): void {
    const { size } = fstatSync(this.#log)
    const buffer = Buffer.alloc(Math.max(0, size - this.#offset))
    readSync(this.#log, buffer, 0, buffer.length, this.#offset)
    this.#offset = size
    const lines = (this.#rest + buffer.toString('utf8')).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (OWN_ERROR.test(line)) this.errors.push(line.slice(0, 1_000))
      if (this.#port === 0 && line.includes('"Gateway listening"')) this.#port = JSON.parse(line).port
    }
    if (size < MAX_LOG_BYTES) return
    // It appends, so the next line goes to the new end, whatever that is.
    ftruncateSync(this.#log, 0)
    this.#offset = 0
  }

  /** Ends it as an operator would; resolves with how it ended, in words, or null if that was in order. */
  async stop(): Promise<string | null> {
    try {
      if (!this.alive) return this.#exit()
      const exit = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      const impatience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
      await exit
      clearTimeout(impatience)
      this.readLog()
      return this.#child.exitCode === 0 ? null : this.#exit()
    } finally {
      closeSync(this.#log)
      rmSync(this.#directory, { recursive: true, force: true })
    }
  }

  /** For the end of this process, which waits for nothing. */
  kill(): void {
    if (this.alive) this.#child.kill('SIGKILL')
  }

  #exit(): string {
    return `the gateway ended with ${this.#child.signalCode ?? this.#child.exitCode}`
  }
}
