import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/config.ts'
import type { Loaded, LoadedConfig } from '../config/loaded.ts'
import type { Log } from './log-writer.ts'

/** One effective difference of two configs, in words for an operator; a secret is said to have changed, never shown. */
export interface ConfigChange {
  readonly path: string
  readonly words: string
  readonly needsRestart: boolean
}

/** Who asked for a reload. */
export type ReloadCause = 'file' | 'signal' | 'admin'

export type ReloadOutcome =
  | { readonly kind: 'applied'; readonly changes: readonly ConfigChange[] }
  | { readonly kind: 'unchanged' }
  /** The running config serves on; lines without secrets, all there are. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] }
  /** The gateway is on its way out. */
  | { readonly kind: 'draining' }

export interface ReloaderOptions {
  readonly load: () => Promise<Loaded>
  readonly differ: (before: Config, after: Config) => readonly ConfigChange[]
  /** What the process was started with: as the operator wrote it, and as it is in force. */
  readonly written: Config
  readonly inForce: Config
  /** Puts a config in force, whole or not at all; null, or why not. */
  readonly swap: (config: Config) => Promise<string | null>
  /** That were read for it. */
  readonly files: readonly string[]
  /** Told which files to watch from now on. `sinceMs`: by the wall clock, before the first was read. */
  readonly watch: (files: readonly string[], sinceMs: number) => void
  readonly wallMs: () => number
  readonly log: Log
  /** Told what came of each load. Default: nobody is. */
  readonly concluded?: (outcome: ReloadOutcome) => void
}

/** A log line holds no more of either; `nyro diff` and `nyro check` show them all. */
const SHOWN_CHANGES = 20
const SHOWN_PROBLEMS = 50

interface Turn {
  readonly cause: ReloadCause
  readonly outcome: PromiseWithResolvers<ReloadOutcome>
}

/**
 * Loads the config again when asked, and puts it in force if it is good. One load at a time: whoever asks meanwhile
 * gets the outcome of the next one, which sees whatever was written until then.
 */
export class Reloader {
  readonly #options: ReloaderOptions
  /** As the last good load had it, which is what the operator wrote. */
  #written: Config
  /** `written` apart from what only a restart changes. */
  #inForce: Config
  /** Of the last good load, and of every bad one since: whichever changes, it may be good then. */
  #files: readonly string[]
  #next: Turn | null = null
  /** Before `open` it waits, as it waits for a load under way. */
  #isBusy = true
  #isClosed = false

  constructor(options: ReloaderOptions) {
    this.#options = options
    this.#written = options.written
    this.#inForce = options.inForce
    this.#files = options.files
  }

  /** From now on it loads; who asked before gets the outcome of one load. */
  open(): void {
    void this.#run()
  }

  request(cause: ReloadCause): Promise<ReloadOutcome> {
    if (this.#isClosed) return Promise.resolve({ kind: 'draining' })
    this.#next ??= { cause, outcome: Promise.withResolvers() }
    const { promise } = this.#next.outcome
    if (!this.#isBusy) void this.#run()
    return promise
  }

  /** From now on nothing is loaded and nothing put in force. */
  close(): void {
    this.#isClosed = true
    this.#next?.outcome.resolve({ kind: 'draining' })
    this.#next = null
  }

  async #run(): Promise<void> {
    this.#isBusy = true
    for (let turn = this.#next; turn !== null; turn = this.#next) {
      this.#next = null
      const outcome = await this.#reload(turn.cause)
      this.#options.concluded?.(outcome)
      turn.outcome.resolve(outcome)
    }
    this.#isBusy = false
  }

  async #reload(cause: ReloadCause): Promise<ReloadOutcome> {
    const { watch, wallMs } = this.#options
    const sinceMs = wallMs()
    const loaded = await this.#load()
    if (this.#isClosed) return { kind: 'draining' }
    const known = loaded.config === null ? this.#files : []
    this.#files = [...new Set([...known, ...loaded.files])]
    watch(this.#files, sinceMs)
    if (loaded.config === null) return this.#refuse(cause, loaded.problems)
    for (const warning of loaded.warnings) this.#options.log.log('warning', 'Doubtful setting', { warning })
    if (isDeepStrictEqual(loaded.config, this.#written)) {
      this.#options.log.log('info', 'Config reloaded, nothing changed', { cause })
      return { kind: 'unchanged' }
    }
    return this.#apply(cause, loaded)
  }

  /** A load reports what is wrong as values; that it throws is a defect, which must not end what serves. */
  async #load(): Promise<Loaded> {
    try {
      return await this.#options.load()
    } catch (error) {
      const problem = `loading it broke: ${error instanceof Error ? error.message : String(error)}`
      return { config: null, problems: [problem], exitCode: 1, warnings: [], files: [] }
    }
  }

  async #apply(cause: ReloadCause, { config }: LoadedConfig): Promise<ReloadOutcome> {
    const { differ, swap, log } = this.#options
    const changes = differ(this.#inForce, config)
    const next = withoutRestart(this.#inForce, config)
    if (!isDeepStrictEqual(next, this.#inForce)) {
      const problem = await swap(next)
      if (this.#isClosed) return { kind: 'draining' }
      if (problem !== null) return this.#refuse(cause, [problem])
    }
    this.#written = config
    this.#inForce = next
    for (const { words, needsRestart } of changes) {
      if (needsRestart) log.log('warning', 'A change waits for a restart', { change: words })
    }
    log.log('info', 'Config reloaded', {
      cause,
      count: changes.length,
      changes: shown(
        changes.map(({ words }) => words),
        SHOWN_CHANGES,
      ),
    })
    return { kind: 'applied', changes }
  }

  #refuse(cause: ReloadCause, problems: readonly string[]): ReloadOutcome {
    this.#options.log.log('error', 'Config not reloaded, the last good one serves on', {
      cause,
      count: problems.length,
      problems: shown(problems, SHOWN_PROBLEMS),
    })
    return { kind: 'refused', problems }
  }
}

/** `after`, with what cannot change in a running process as it is `before`. */
function withoutRestart(before: Config, after: Config): Config {
  const { host, port } = before.listen
  const { workers, admin } = before
  const store = { ...after.store, buckets: before.store.buckets }
  return { ...after, workers, admin, store, listen: { ...after.listen, host, port } }
}

function shown(lines: readonly string[], most: number): string {
  const rest = lines.length - most
  return rest > 0 ? `${lines.slice(0, most).join(' | ')} | and ${rest} more` : lines.join(' | ')
}
