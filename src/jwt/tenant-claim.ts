import { flatCopy } from './flat-copy.ts'

/** Bytes; the claim is visible ASCII, so characters too. */
const MAX_TENANT_BYTES = 256

/** Visible ASCII with single spaces inside: a field value that no recipient trims, folds or splits. */
const TENANT = /^[!-~]+(?: [!-~]+)*$/

const INTEGER = /^-?\d+$/

/**
 * The tenant as it is stated to upstreams, or null if the claim cannot name one: a string in visible ASCII, or a
 * number that is written as an integer and that every JSON reader holds exactly (RFC 8259 section 6).
 * `payload` is the claims' JSON in valid UTF-8.
 */
export function tenantClaim(companyId: unknown, payload: Buffer): string | null {
  if (typeof companyId === 'string') {
    return companyId.length <= MAX_TENANT_BYTES && TENANT.test(companyId) ? companyId : null
  }
  if (!Number.isSafeInteger(companyId)) return null
  const written = companyIdAsWritten(payload.toString())
  return written !== null && INTEGER.test(written) ? flatCopy(written) : null
}

/** The text of the top-level number `company_id`, which 5.0 and 1e3 do not survive as a number. */
function companyIdAsWritten(json: string): string | null {
  // By holder: nested objects may have a member of that name, and are visited in an order the token chooses.
  const byHolder = new Map<unknown, string>()
  function note(
    this: unknown,
    name: string,
    value: unknown,
    written: { readonly source?: string } = {},
  ): unknown {
    if (name === 'company_id' && written.source !== undefined) byHolder.set(this, written.source)
    return value
  }
  try {
    return byHolder.get(JSON.parse(json, note)) ?? null
  } catch {
    return null // parsed before, so this is the reviver's recursion: some thousand levels of nesting exhaust the stack
  }
}
