import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { until } from './until.ts'

/** A Redis of its own on a loopback port, which keeps nothing. */
export class RedisServer {
  readonly port: number
  readonly #password: string | null
  readonly #folder: string
  #process: ChildProcess

  private constructor(port: number, password: string | null, folder: string, process: ChildProcess) {
    this.port = port
    this.#password = password
    this.#folder = folder
    this.#process = process
  }

  static async start({ password = null as string | null } = {}): Promise<RedisServer> {
    const port = await freePort()
    const folder = await mkdtemp(join(tmpdir(), 'nyro-redis-'))
    const server = new RedisServer(port, password, folder, launch(port, password, folder))
    await server.#answers()
    return server
  }

  get url(): string {
    const credentials = this.#password === null ? '' : `default:${this.#password}@`
    return `redis://${credentials}127.0.0.1:${this.port}`
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(name)
  }

  /** At once, as a crash does it. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exit
  }

  /** Again on the same port, empty. */
  async restart(): Promise<void> {
    await this.kill()
    this.#process = launch(this.port, this.#password, this.#folder)
    await this.#answers()
  }

  /** One command without arguments that hold spaces, on a connection of its own: the answer as it comes. */
  async ask(command: string): Promise<string> {
    const socket = connect(this.port, '127.0.0.1')
    socket.on('error', () => {})
    const login = this.#password === null ? '' : `AUTH ${this.#password}\r\n`
    socket.end(`${login}${command}\r\nQUIT\r\n`)
    let text = ''
    for await (const chunk of socket) text += String(chunk)
    return text
  }

  async #answers(): Promise<void> {
    await until('Redis to answer', async () => (await this.ask('PING').catch(() => '')).includes('PONG'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function launch(port: number, password: string | null, folder: string): ChildProcess {
  const login = password === null ? [] : ['--requirepass', password]
  return spawn(
    'redis-server',
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
      ...login,
    ],
    { stdio: 'ignore' },
  )
}
