import { stat } from 'node:fs/promises'
import type { StartTimer } from './start-timer.ts'

/** Editors and deployments change a file in several steps. */
const SETTLE_MS = 100
/** Between two looks: a stat a file, some 30 µs. */
const LOOK_MS = 1_000

export interface ConfigWatchOptions {
  readonly startTimer: StartTimer
  /** Some file is not what it was. */
  readonly changed: () => void
}

/**
 * Looks at files once a second. What counts is what stands behind each path: a file renamed over, or reached through a
 * link that is switched (as Kubernetes switches `..data`), is another file in the same place. Nothing is asked of the
 * kernel: a watched folder tells of every write to every file in it, and an access log beside the configuration cost
 * whoever wrote it 7 µs a line, and control a sixth of a core; network mounts tell of nothing.
 */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions
  /** What stood behind each path when last looked at. */
  #prints = new Map<string, string>()
  #cancelLook: (() => void) | null = null
  /** Something has changed and may still be changing. */
  #isUnsettled = false
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
    const known = this.#prints
    const prints = new Map<string, string>()
    this.#prints = prints
    for (const file of files) prints.set(file, known.get(file) ?? '')
    if (this.#cancelLook === null) this.#lookLater(LOOK_MS)
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
    this.#cancelLook?.()
  }

  #lookLater(delayMs: number): void {
    this.#cancelLook = this.#options.startTimer(delayMs, () => void this.#next(() => this.#look()))
  }

  async #look(): Promise<void> {
    const prints = this.#prints
    let isChanged = false
    for (const [file, print] of prints) {
      const found = await printOf(file)
      if (found.print === print) continue
      prints.set(file, found.print)
      isChanged = true
    }
    if (this.#isClosed) return
    this.#lookLater(isChanged ? SETTLE_MS : LOOK_MS)
    const isSettled = this.#isUnsettled && !isChanged
    this.#isUnsettled = isChanged
    if (isSettled) this.#options.changed()
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
