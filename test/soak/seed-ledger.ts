import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SeedResult } from './seed-run.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Seeds that passed, in `.soak/`, so that an interrupted run goes on. They count for the sources, of gateway and soak,
 * that they passed with, and for no others.
 */
export class SeedLedger {
  readonly #directory: string

  constructor(exchanges: number) {
    this.#directory = join(ROOT, '.soak', `${exchanges}-${fingerprint()}`)
  }

  read(seed: number): SeedResult | null {
    try {
      return JSON.parse(readFileSync(this.#path(seed), 'utf8'))
    } catch {
      return null
    }
  }

  write(result: SeedResult): void {
    mkdirSync(this.#directory, { recursive: true })
    writeFileSync(this.#path(result.seed), JSON.stringify(result, null, 2))
  }

  #path(seed: number): string {
    return join(this.#directory, `seed-${seed}.json`)
  }
}

function fingerprint(): string {
  const hash = createHash('sha256')
  for (const folder of ['src', 'test/soak']) {
    const path = join(ROOT, folder)
    const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.ts'),
    )
    for (const file of files.sort()) hash.update(file).update(readFileSync(join(path, file)))
  }
  return hash.digest('hex').slice(0, 12)
}
