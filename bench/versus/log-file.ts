import { closeSync, fstatSync, openSync, readFileSync, readSync, truncateSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** A file that another process appends to; emptied between rounds, which O_APPEND writers do not notice. */
export class LogFile {
  readonly path: string

  constructor(path: string) {
    this.path = path
    closeSync(openSync(path, 'a'))
  }

  get size(): number {
    const file = openSync(this.path, 'r')
    try {
      return fstatSync(file).size
    } finally {
      closeSync(file)
    }
  }

  read(): string {
    return readFileSync(this.path, 'latin1')
  }

  /** Whole lines that contain `part`. */
  countLinesWith(part: string): number {
    const text = readFileSync(this.path)
    let lines = 0
    for (let at = text.indexOf(part); at >= 0; ) {
      const end = text.indexOf(10, at)
      if (end < 0) break
      lines++
      at = text.indexOf(part, end)
    }
    return lines
  }

  /** The end of it, for messages. */
  tail(maxBytes = 600): string {
    const file = openSync(this.path, 'r')
    try {
      const { size } = fstatSync(file)
      const buffer = Buffer.alloc(Math.min(size, maxBytes))
      readSync(file, buffer, 0, buffer.length, size - buffer.length)
      return buffer.toString('utf8').trim()
    } finally {
      closeSync(file)
    }
  }

  empty(): void {
    truncateSync(this.path, 0)
  }
}

/** Waits until none of the files has grown for a fifth of a second and `complete` holds, two seconds at most. */
export async function settle(files: readonly LogFile[], complete: () => boolean): Promise<void> {
  const deadline = performance.now() + 2_000
  let quiet = 0
  let last = -1
  while (performance.now() < deadline) {
    const size = files.reduce((sum, file) => sum + file.size, 0)
    quiet = size === last ? quiet + 1 : 0
    last = size
    if (quiet >= 4 && complete()) return
    await delay(50)
  }
}
