import type { ProcessEdge, StopSignal } from '../../src/cli/process-edge.ts'

/** Thrown where the real process would end. */
export class Exited extends Error {
  readonly code: number

  constructor(code: number) {
    super(`exited with ${code}`)
    this.code = code
  }
}

/** A process that only notes what is asked of it. */
export class FakeEdge implements ProcessEdge {
  argv: readonly string[] = []
  env: Readonly<Record<string, string | undefined>> = {}
  readonly cwd = '/work-dir'
  readonly pid = 4242
  readonly version = '1.2.3'
  readonly nodeVersion = '26.0.0'
  readonly cores = 2
  readonly stdoutFd = 1
  readonly isTty = false
  readonly colors = false
  /** Content by path, or the error reading it throws. */
  files: Readonly<Record<string, string | Error>> = {}
  input = ''
  printed = ''
  complained = ''
  readonly killed: string[] = []
  /** What SIGHUP comes to; null: it would end the process. */
  reload: (() => void) | null = null
  reopen: (() => void) | null = null
  #listener: ((signal: StopSignal) => void) | null = null

  print = (text: string): void => {
    this.printed += text
  }

  complain = (text: string): void => {
    this.complained += text
  }

  readInput = (): string => this.input

  readFile = (path: string): Uint8Array => {
    const content = this.files[path] ?? fileError('ENOENT')
    if (content instanceof Error) throw content
    return Buffer.from(content)
  }

  onSignal = (listener: (signal: StopSignal) => void): void => {
    this.#listener = listener
  }

  onReload = (listener: () => void): void => {
    this.reload = listener
  }

  onReopen = (listener: () => void): void => {
    this.reopen = listener
  }

  kill = (signal: string): void => {
    this.killed.push(signal)
  }

  exit = (code: number): never => {
    throw new Exited(code)
  }

  signal(signal: StopSignal): void {
    if (this.#listener === null) throw new Error('nobody listens for signals')
    this.#listener(signal)
  }
}

export function fileError(code: string): Error {
  return Object.assign(new Error(`${code}: text of the runtime`), { code })
}

/** What `run` ended the process with; null if it returned. */
export async function exitCodeOf(run: () => void | Promise<void>): Promise<number | null> {
  try {
    await run()
    return null
  } catch (error) {
    if (error instanceof Exited) return error.code
    throw error
  }
}
