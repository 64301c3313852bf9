import { type FSWatcher, watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { StartTimer } from './start-timer.ts'

/** Editors and deployments change a file in several steps. */
const SETTLE_MS = 100
/** Not every change is told of: network mounts, a folder that was replaced, an exhausted inotify. */
const POLL_MS = 2_000

export interface ConfigWatchOptions {
  readonly startTimer: StartTimer
  /** Some file is not what it was. */
  readonly changed: () => void
}

/**
 * Watches files by their folders: a file renamed over, or reached through a link that is switched (as Kubernetes
 * switches `..data`), is another file in the same place. What counts is what stands behind each path, so that nothing
 * else in those folders matters.
 */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions
  /** What stood behind each path when last looked at. */
  #prints = new Map<string, string>()
  readonly #watchers = new Map<string, FSWatcher>()
  #cancelPoll: (() => void) | null = null
  #cancelSettle: (() => void) | null = null
  #looks: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: ConfigWatchOptions) {
    this.#options = options
  }

  /**
   * Watches these files from now on, and no others. `sinceMs`: wall clock, before they were read; one that is new here
   * and was written since may have been read as it was before.
   */
  async follow(files: readonly string[], sinceMs: number): Promise<void> {
    if (this.#isClosed) return
    this.#watchFolders(new Set(files.map((file) => dirname(file))))
    const known = this.#prints
    const prints = new Map<string, string>()
    this.#prints = prints
    for (const file of files) prints.set(file, known.get(file) ?? '')
    if (this.#cancelPoll === null) this.#pollLater()
    await this.#next(async () => {
      let isLate = false
      for (const [file, print] of prints) {
        if (print !== '') continue
        const found = await printOf(file)
        prints.set(file, found.print)
        if (found.modifiedMs >= sinceMs) isLate = true
      }
      if (isLate) this.#options.changed()
    })
  }

  close(): void {
    this.#isClosed = true
    this.#cancelPoll?.()
    this.#cancelSettle?.()
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #watchFolders(folders: ReadonlySet<string>): void {
    for (const [folder, watcher] of this.#watchers) {
      if (folders.has(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watchFolder(folder)
  }

  /** What cannot be watched is polled all the same. */
  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#lookSoon())
      watcher.on('error', () => {
        watcher.close()
        this.#watchers.delete(folder)
      })
      this.#watchers.set(folder, watcher)
    } catch {
      this.#watchers.delete(folder)
    }
  }

  #lookSoon(): void {
    this.#cancelSettle?.()
    this.#cancelSettle = this.#options.startTimer(SETTLE_MS, () => void this.#look())
  }

  #pollLater(): void {
    this.#cancelPoll = this.#options.startTimer(POLL_MS, () => {
      void this.#look().then(() => {
        if (!this.#isClosed) this.#pollLater()
      })
    })
  }

  #look(): Promise<void> {
    return this.#next(async () => {
      const prints = this.#prints
      let isChanged = false
      for (const [file, print] of prints) {
        const found = await printOf(file)
        if (found.print === print) continue
        prints.set(file, found.print)
        isChanged = true
      }
      if (isChanged && !this.#isClosed) this.#options.changed()
    })
  }

  /** One look at a time: two would tell of one change twice. */
  #next(look: () => Promise<void>): Promise<void> {
    this.#looks = this.#looks.then(() => (this.#isClosed ? undefined : look()))
    return this.#looks
  }
}

/** Of the file behind all links. Contents are not read: a load does that, and finds out whether anything is different. */
async function printOf(file: string): Promise<{ readonly print: string; readonly modifiedMs: number }> {
  try {
    const { ino, size, mtimeNs, mtimeMs } = await stat(file, { bigint: true })
    return { print: `${ino} ${size} ${mtimeNs}`, modifiedMs: Number(mtimeMs) }
  } catch {
    return { print: 'unreadable', modifiedMs: 0 }
  }
}
