import type { ClaimValue } from '../lib/claim.ts'

const NO_SCOPES: ReadonlySet<string> = new Set()
const NO_CLAIMS: ReadonlyMap<string, readonly ClaimValue[]> = new Map()

/** What a scope claim grants: words with spaces between (RFC 8693 section 4.2) or an array of words. Whatever is neither grants nothing. */
export function scopesOf(claim: unknown): ReadonlySet<string> {
  if (typeof claim === 'string') return claim === '' ? NO_SCOPES : new Set(claim.split(' ').filter(isWord))
  if (!Array.isArray(claim) || !claim.every((scope) => typeof scope === 'string')) return NO_SCOPES
  return claim.length === 0 ? NO_SCOPES : new Set(claim.filter(isWord))
}

/** The values of the named claims, an array's one by one; claims of other types, and absent ones, are left out. */
export function keptClaims(
  claims: Readonly<Record<string, unknown>>,
  names: readonly string[],
): ReadonlyMap<string, readonly ClaimValue[]> {
  if (names.length === 0) return NO_CLAIMS
  const kept = new Map<string, readonly ClaimValue[]>()
  for (const name of names) {
    if (!Object.hasOwn(claims, name)) continue
    const claim = claims[name]
    const values = (Array.isArray(claim) ? claim : [claim]).filter(isValue)
    if (values.length > 0) kept.set(name, values)
  }
  return kept
}

function isWord(scope: string): boolean {
  return scope !== ''
}

function isValue(value: unknown): value is ClaimValue {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
