export type StopSignal = 'SIGTERM' | 'SIGINT'

/** The process as commands see it. `main.ts` makes the real one; tests make their own. */
export interface ProcessEdge {
  /** What stands behind the program's name; the command's own name comes first. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly pid: number
  /** Version of the running product. */
  readonly version: string
  /** Version of the runtime, without a `v`. */
  readonly nodeVersion: string
  /** Cores this process may use: affinity and cgroup limits applied. */
  readonly cores: number
  /** File descriptor of standard output, for the one writer of log lines. */
  readonly stdoutFd: number
  /** Standard output is a terminal: logs take their readable form. */
  readonly isTty: boolean
  /** It is one that shows colours, and nobody asked for none (NO_COLOR). */
  readonly colors: boolean

  /** Text for whoever called the command. `start` prints nothing here but log lines. */
  print(text: string): void
  /** Text on standard error. A reader that is gone is ignored. */
  complain(text: string): void
  /** All that standard input holds. */
  readInput(): string
  /** Throws Node's error, with its `code`, if the file cannot be read. */
  readFile(path: string): Uint8Array

  /** From now on SIGTERM and SIGINT come here instead of ending the process. */
  onSignal(listener: (signal: StopSignal) => void): void
  /** From now on SIGHUP comes here instead of ending the process. */
  onReload(listener: () => void): void
  /** From now on SIGUSR1 comes here: log files were rotated. */
  onReopen(listener: () => void): void
  /**
   * Ends the process at once, as if `signal` had met no listener; SIGKILL ends it even with a stuck thread-pool job,
   * which `exit` would wait for. Works for PID 1 of a container too, to which the kernel delivers no such signal.
   */
  kill(signal: StopSignal | 'SIGKILL'): void
  exit(code: number): never
}
