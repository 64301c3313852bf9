import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { LogFile } from './log-file.ts'

export interface ChildStart {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Added to this process's own environment. */
  readonly env: Readonly<Record<string, string>>
  /** Null: wherever the scheduler likes. */
  readonly cores: string | null
  /** Where its two output files go. */
  readonly directory: string
}

/** A program of the stand: pinned from birth, its output in files, so that no pipe of ours slows it down. */
export class Child {
  readonly name: string
  readonly stdout: LogFile
  readonly stderr: LogFile
  readonly #process: ChildProcess

  constructor(start: ChildStart) {
    this.name = start.name
    this.stdout = new LogFile(join(start.directory, `${start.name}.out`))
    this.stderr = new LogFile(join(start.directory, `${start.name}.err`))
    const out = openSync(this.stdout.path, 'a')
    const err = openSync(this.stderr.path, 'a')
    const [command, args] = pinned(start)
    this.#process = spawn(command, args, {
      // Not the checkout, whose .env is none of the bench's.
      cwd: start.directory,
      env: { ...process.env, ...start.env },
      stdio: ['ignore', out, err],
    })
    this.#process.on('error', () => {})
    closeSync(out)
    closeSync(err)
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  get alive(): boolean {
    return (
      this.#process.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
    )
  }

  /** What it last said, for messages. */
  get lastWords(): string {
    return this.stderr.tail() || this.stdout.tail() || 'it said nothing'
  }

  async ready(port: number): Promise<void> {
    const deadline = performance.now() + 15_000
    while (performance.now() < deadline) {
      if (!this.alive) break
      if (await listens(port)) return
      await delay(20)
    }
    throw new Error(`${this.name} did not listen on ${port}: ${this.lastWords}`)
  }

  async stop(): Promise<void> {
    if (!this.alive) return
    const exit = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), 5_000)
    await exit
    clearTimeout(impatience)
  }

  /** For the end of this process, which waits for nothing. */
  kill(): void {
    if (this.alive) this.#process.kill('SIGKILL')
  }
}

/** Runs a program to its end; resolves with its standard output. */
export async function run(start: ChildStart, timeoutMs: number): Promise<string> {
  const [command, args] = pinned(start)
  const child = spawn(command, args, {
    env: { ...process.env, ...start.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const [code, signal] = await once(child, 'close')
  if (code === 0) return out
  throw new Error(`${start.name} ended with ${signal ?? code}: ${(err || out).trim().slice(-600)}`)
}

function pinned(start: ChildStart): [string, string[]] {
  if (start.cores === null) return [start.command, [...start.args]]
  return ['taskset', ['-c', start.cores, start.command, ...start.args]]
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
