import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'

/** A file that policies were made of. */
export interface PolicyFile {
  /** Absolute path. */
  readonly path: string
  /** Of its bytes, SHA-256, hexadecimal; null: it could not be read. */
  readonly hash: string | null
}

/** Files that are in both lists with another content: their code runs as it was until a restart. */
export function changedPolicyFiles(before: readonly PolicyFile[], after: readonly PolicyFile[]): string[] {
  const known = new Map(before.map(({ path, hash }) => [path, hash]))
  return after.filter(({ path, hash }) => known.has(path) && known.get(path) !== hash).map(({ path }) => path)
}

/** Begins to note every file of the operator's that this thread imports, packages excepted; gives the notes. */
export function notePolicyFiles(product: string): () => readonly PolicyFile[] {
  const paths = new Set<string>()
  registerHooks({
    load(url, about, next) {
      if (url.startsWith('file:') && !url.startsWith(product) && !url.includes('/node_modules/'))
        paths.add(fileURLToPath(url))
      return next(url, about)
    },
  })
  return () => [...paths].sort().map((path) => ({ path, hash: hashOf(path) }))
}

function hashOf(path: string): string | null {
  try {
    return createHash('sha256').update(readFileSync(path)).digest('hex')
  } catch {
    return null
  }
}
