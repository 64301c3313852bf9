import { readFileSync, writeSync } from 'node:fs'
import { availableParallelism, constants } from 'node:os'
import { isatty } from 'node:tty'
import { dispatch } from './cli/dispatch.ts'
import type { ProcessEdge, StopSignal } from './cli/process-edge.ts'
import { VERSION } from './lib/version.ts'

/** The process edge: the only file that touches `process`. Everything else is given what it may use. */
const edge: ProcessEdge = {
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  pid: process.pid,
  version: VERSION,
  nodeVersion: process.versions.node,
  cores: availableParallelism(),
  stdoutFd: 1,
  isTty: isatty(1),
  colors: isatty(1) && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb',
  print: (text) => write(1, text),
  complain: (text) => write(2, text),
  readInput: () => readFileSync(0, 'utf8'),
  readFile: (path) => readFileSync(path),
  onSignal: (listener) => {
    process.on('SIGTERM', listener)
    process.on('SIGINT', listener)
  },
  onReload: (listener) => {
    process.on('SIGHUP', listener)
  },
  onReopen: (listener) => {
    process.on('SIGUSR1', listener)
  },
  kill,
  exit,
}

function write(fd: number, text: string): void {
  let rest = Buffer.from(text)
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
  } catch {
    // The reader is gone, or takes nothing and must not be waited for: there is nobody to tell.
  }
}

function kill(signal: StopSignal | 'SIGKILL'): void {
  process.removeAllListeners('SIGTERM')
  process.removeAllListeners('SIGINT')
  process.kill(process.pid, signal)
  if (process.pid === 1) becomeExit(128 + constants.signals[signal])
}

function exit(code: number): never {
  if (process.pid === 1) becomeExit(code)
  process.exit(code)
}

/**
 * For PID 1 of a container: the kernel spares it every signal from within, so neither it nor a watchdog could end it
 * while `process.exit` waits for a stuck thread-pool job. Becoming another program ends every thread, whatever it does.
 */
function becomeExit(code: number): void {
  process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {})
}

function endByDefect(error: unknown): never {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  edge.complain(`nyro: a defect ended the process: ${text.replaceAll(/\s*\n\s*/g, ' | ')}\n`)
  exit(1)
}

process.on('uncaughtException', endByDefect)
await dispatch(edge).catch(endByDefect)
