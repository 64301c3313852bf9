import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { until, within } from './until.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/nyro', import.meta.url))

/** Starting shares the machine with other tests. */
const START_MS = 30_000

export interface StartOptions {
  /** Written into the working directory first, by name. */
  readonly files?: Readonly<Record<string, string>>
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A line of the gateway's log; access lines have a status_code. */
export interface LogLine {
  readonly timestamp?: string
  readonly level?: string
  readonly logger?: string
  readonly event?: string
  readonly request_id?: string
  readonly trace_id?: string
  readonly slow?: boolean
  readonly count?: number
  readonly method?: string
  readonly path?: string
  readonly status_code?: number
  readonly duration?: number
  readonly company_id?: string | null
  readonly subject?: string | null
  readonly client_ip?: string
  readonly route?: string | null
  readonly upstream?: string | null
  readonly target?: string | null
  readonly code?: string | null
  readonly bytes_in?: number
  readonly bytes_out?: number
  readonly aborted?: boolean
  readonly port?: number
  readonly admin_port?: number
  /** A line that is not JSON. */
  readonly unparsed?: string
}

/** A running `nyro start`, in a directory of its own and with no environment but what the test gave. */
export class Gateway {
  readonly pid: number
  readonly directory: string
  /** Lines of standard output, parsed, as far as they came. */
  readonly lines: LogLine[] = []
  /** Standard output and error as text. */
  output = ''
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  #gone = false

  constructor(settings: Readonly<Record<string, string>>, { files = {} }: StartOptions = {}) {
    this.directory = mkdtempSync(join(tmpdir(), 'nyro-test-'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.directory, name), text)
    const { PATH = '', HOME = '' } = process.env
    const own = {
      GATEWAY_HOST: '127.0.0.1',
      GATEWAY_PORT: '0',
      GATEWAY_ADMIN_PORT: '0',
      GATEWAY_WORKERS: '1',
    }
    this.#child = spawn(LAUNCHER, ['start'], {
      cwd: this.directory,
      env: { PATH, HOME, ...own, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.pid = this.#child.pid ?? -1
    this.exited = new Promise((resolve) => {
      const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#gone = true
        rmSync(this.directory, { recursive: true, force: true })
        resolve({ code, signal })
      }
      this.#child.once('close', finish)
      this.#child.once('error', (error) => {
        this.output += String(error)
        finish(null, null)
      })
    })
    let rest = ''
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
      const whole = (rest + text).split('\n')
      rest = whole.pop() ?? ''
      for (const line of whole) this.lines.push(parseLine(line))
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
    })
  }

  get running(): boolean {
    return !this.#gone
  }

  get port(): number {
    return this.#listening.port ?? 0
  }

  get adminPort(): number {
    return this.#listening.admin_port ?? 0
  }

  /** Resident memory of the whole process, bytes. */
  get residentBytes(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024
  }

  /** Open file descriptors of the process. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  /** Stops reading standard output, as a stuck log collector does. */
  holdOutput(): void {
    this.#child.stdout?.pause()
  }

  releaseOutput(): void {
    this.#child.stdout?.resume()
  }

  /** The first line that `matches`, of those that came or will come. */
  async line(what: string, matches: (line: LogLine) => boolean, deadlineMs = 10_000): Promise<LogLine> {
    return until(
      `the log line: ${what}`,
      () => this.lines.find(matches) ?? (this.#gone ? this.#died() : null),
      deadlineMs,
    )
  }

  /** The access line of a request, by the request id its client chose. */
  async access(requestId: string): Promise<LogLine> {
    return this.line(
      `of ${requestId}`,
      (line) => line.request_id === requestId && line.status_code !== undefined,
    )
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** SIGTERM, and SIGKILL when that does not end it in time. */
  async stop(boundMs = 10_000): Promise<Exit> {
    if (this.#gone) return this.exited
    this.signal('SIGTERM')
    try {
      return await within('the gateway to stop', this.exited, boundMs)
    } catch (error) {
      this.signal('SIGKILL')
      await this.exited
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#gone) return
    this.signal('SIGKILL')
    await this.exited
  }

  get #listening(): LogLine {
    const line = this.lines.find(isListening)
    if (line === undefined) throw new Error('the gateway is not listening')
    return line
  }

  #died(): never {
    throw new Error(`the gateway ended:\n${this.output}`)
  }
}

/** Starts a gateway and waits until it listens. `settings` are environment variables, prefix included. */
export async function startGateway(
  settings: Readonly<Record<string, string>>,
  options: StartOptions = {},
): Promise<Gateway> {
  const gateway = new Gateway(settings, options)
  try {
    await gateway.line('Gateway listening', isListening, START_MS)
    return gateway
  } catch (error) {
    await gateway[Symbol.asyncDispose]()
    throw new Error(`the gateway did not start: ${error}\n${gateway.output}`)
  }
}

/** Starts a gateway that is expected to end by itself. */
export async function runGateway(
  settings: Readonly<Record<string, string>>,
  options: StartOptions = {},
): Promise<Exit & { readonly output: string }> {
  const gateway = new Gateway(settings, options)
  try {
    const exit = await within('the gateway to end by itself', gateway.exited, START_MS)
    return { ...exit, output: gateway.output }
  } finally {
    await gateway[Symbol.asyncDispose]()
  }
}

function isListening(line: LogLine): boolean {
  return line.event === 'Gateway listening'
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return { unparsed: line }
  }
}
