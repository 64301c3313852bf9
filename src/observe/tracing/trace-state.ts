/** What every recipient has to be able to pass on (W3C Trace Context, section 3.3.1.5); longer ones are dropped whole. */
const MAX_LENGTH = 512
/** Section 3.3.1.1. */
const MAX_MEMBERS = 32

/** Section 3.3.1.3: a vendor's key, or a tenant's at a vendor. */
const KEY = /^(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})$/
/** Visible ASCII and inner spaces, without `,` and `=`. */
const VALUE = /^[ -+--<>-~]{0,255}[!-+--<>-~]$/

/**
 * The value of a request's `tracestate` fields, joined, as it is passed on: unchanged if it is what the specification
 * allows, empty otherwise. It belongs to other vendors: nothing is added, and none of it is repaired.
 */
export function keptTraceState(joined: string): string {
  if (joined === '' || joined.length > MAX_LENGTH) return ''
  const keys = new Set<string>()
  let members = 0
  for (const part of joined.split(',')) {
    const member = part.replace(/^[ \t]+|[ \t]+$/g, '')
    // Empty members are allowed and count for nothing.
    if (member === '') continue
    const equals = member.indexOf('=')
    const key = member.slice(0, Math.max(equals, 0))
    if (!KEY.test(key) || !VALUE.test(member.slice(equals + 1)) || keys.has(key)) return ''
    keys.add(key)
    if (++members > MAX_MEMBERS) return ''
  }
  return members === 0 ? '' : joined
}
