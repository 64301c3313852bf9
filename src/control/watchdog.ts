import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'

export interface Watchdog {
  /** Calls it off. Needs not be called by a process that ends: the watchdog ends with it. */
  stop(): void
}

/** A parameter of whoever starts one: a test's own process must outlive its watchdog. */
export type StartWatchdog = (pid: number, delayMs: number) => Watchdog

/**
 * `$1` is killed after `$2` seconds unless standard input ends before: the kernel closes it when the process is gone,
 * however it went. A background list would read /dev/null, hence descriptor 3.
 */
const SHELL_SCRIPT = `
exec 3<&0
sleep "$2" &
timer=$!
{ read -r _ <&3; kill "$timer"; } 2>/dev/null &
wait "$timer" && kill -KILL "$1"
`

const NODE_SCRIPT = `
const [pid, seconds] = process.argv.slice(1).map(Number)
process.stdin.on('end', () => process.exit()).resume()
setTimeout(() => process.kill(pid, 'SIGKILL'), seconds * 1000)
`

/**
 * Has the process killed from outside after `delayMs`, in whole seconds rounded up (POSIX sleep knows no fractions).
 * From inside it cannot be promised: a stuck control thread runs no timers, and `process.exit` waits for a stuck job
 * of the thread pool. In a session of its own, so that a terminal's Ctrl-C does not reach it. PID 1 of a container is
 * spared signals from within: there a stuck control thread is the container runtime's to end.
 */
export function startWatchdog(pid: number, delayMs: number, shell = '/bin/sh'): Watchdog {
  const operands = [String(pid), String(Math.ceil(delayMs / 1000))]
  let child = launch(shell, ['-c', SHELL_SCRIPT, 'watchdog', ...operands])
  child.once('error', () => {
    // An image without a shell: this very runtime does it, at forty times the memory.
    child = launch('/proc/self/exe', ['-e', NODE_SCRIPT, ...operands])
    child.on('error', ignore)
  })
  return { stop: () => child.stdin?.destroy() }
}

function launch(command: string, operands: readonly string[]): ChildProcess {
  const child = spawn(command, operands, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  child.stdin?.on('error', ignore)
  // The pipe must neither keep the process alive nor be closed before its end.
  if (child.stdin instanceof Socket) child.stdin.unref()
  return child
}

function ignore(): void {}
