import { FOLDED } from './byte-class.ts'

/** FNV-1a, 32 bits: cheap a byte, and no two names in common use share a value. */
export const HASH_SEED = 0x811c9dc5 | 0
export const HASH_PRIME = 0x01000193

/**
 * The hash that every field of a `Head` carries, of a name of ours: a signed 32-bit number. Folds `A-Z` to `a-z`
 * and `_` and `.` to `-`, so that every spelling an upstream could fold into a name has the hash of that name.
 * Different names may share one: a hit is checked with `foldsTo`.
 */
export function fieldNameHash(name: string): number {
  let hash = HASH_SEED
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ foldedAt(name, index), HASH_PRIME)
  }
  return hash
}

/** Whether text[start, end) folds to `folded` (lower case, `-`): the check behind every hash hit. */
export function foldsTo(text: string, start: number, end: number, folded: string): boolean {
  if (end - start !== folded.length) return false
  for (let index = 0; index < folded.length; index++) {
    if (foldedAt(text, start + index) !== folded.charCodeAt(index)) return false
  }
  return true
}

/** 0 past the end and for what is no tchar. */
function foldedAt(text: string, index: number): number {
  return FOLDED[text.charCodeAt(index)] ?? 0
}
