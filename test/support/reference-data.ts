import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Recordings and vectors that come beside the checkout where they come at all; they are not part of the project. */
const ROOT = fileURLToPath(new URL('../../../shared/', import.meta.url))

/** A file's text; null where it did not come with this checkout. */
export function referenceText(path: string): string | null {
  const file = ROOT + path
  return existsSync(file) ? readFileSync(file, 'utf8') : null
}

/** A published HTTP/1.1 test vector. */
export interface WireVector {
  readonly id: string
  readonly desc: string
  readonly expect: string
  /** latin1, placeholders such as __HOST__ still in it. */
  readonly raw: string
}

/** A set of vectors; null where it did not come with this checkout. */
export function wireVectors(name: string): readonly WireVector[] | null {
  const text = referenceText(`vectors/http1/${name}.json`)
  if (text === null) return null
  const rows = JSON.parse(text) as (Omit<WireVector, 'raw'> & { readonly raw_b64: string })[]
  return rows.map(({ id, desc, expect, raw_b64 }) => ({
    id,
    desc,
    expect,
    raw: Buffer.from(raw_b64, 'base64').toString('latin1'),
  }))
}
