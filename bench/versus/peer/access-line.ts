import { writeSync } from 'node:fs'

const MAX_WAIT_MS = 20
const MAX_BATCH_CHARS = 64 * 1024

/** Writes lines to standard output in batches, the cheapest way a Node program has. */
export function createLineWriter(): (line: string) => void {
  let batch = ''
  let timer: NodeJS.Timeout | null = null
  const flush = (): void => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    writeSync(1, batch)
    batch = ''
  }
  return (line) => {
    batch += line
    if (batch.length >= MAX_BATCH_CHARS) flush()
    else timer ??= setTimeout(flush, MAX_WAIT_MS)
  }
}
