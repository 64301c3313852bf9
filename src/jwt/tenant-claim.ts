import { flatCopy } from '../lib/flat-copy.ts'
import { isTenantText } from '../lib/tenant-text.ts'

const INTEGER = /^-?\d+$/

/**
 * The tenant as it is stated to upstreams, or null if the claim cannot name one: a string in visible ASCII, or a
 * number that is written as an integer and that every JSON reader holds exactly (RFC 8259 section 6).
 * `payload` is the claims' JSON in valid UTF-8, `name` the claim's.
 */
export function tenantClaim(claim: unknown, payload: Buffer, name: string): string | null {
  if (typeof claim === 'string') return isTenantText(claim) ? claim : null
  if (!Number.isSafeInteger(claim)) return null
  const written = numberAsWritten(payload.toString(), name)
  return written !== null && INTEGER.test(written) ? flatCopy(written) : null
}

/** The text of the top-level number `claimName`, which 5.0 and 1e3 do not survive as a number. */
function numberAsWritten(json: string, claimName: string): string | null {
  // By holder: nested objects may have a member of that name, and are visited in an order the token chooses.
  const byHolder = new Map<unknown, string>()
  function note(
    this: unknown,
    name: string,
    value: unknown,
    written: { readonly source?: string } = {},
  ): unknown {
    if (name === claimName && written.source !== undefined) byHolder.set(this, written.source)
    return value
  }
  try {
    return byHolder.get(JSON.parse(json, note)) ?? null
  } catch {
    return null // parsed before, so this is the reviver's recursion: some thousand levels of nesting exhaust the stack
  }
}
