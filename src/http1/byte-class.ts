/**
 * Tables of 256 entries, indexed by a byte: one load decides what a branch chain would. A byte is always within
 * them, so the casts that `noUncheckedIndexedAccess` asks for where they are read are sound.
 */

export const HTAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SP = 0x20
export const COMMA = 0x2c
export const COLON = 0x3a

const ALPHA = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const DIGIT = '0123456789'

function classOf(members: string): Uint8Array {
  const table = new Uint8Array(256)
  for (let index = 0; index < members.length; index++) table[members.charCodeAt(index)] = 1
  return table
}

function addRange(table: Uint8Array, first: number, last: number): Uint8Array {
  for (let byte = first; byte <= last; byte++) table[byte] = 1
  return table
}

/** tchar (RFC 9110 section 5.6.2). */
export const TOKEN = classOf(`!#$%&'*+-.^_\`|~${DIGIT}${ALPHA}`)

/** Field content: HTAB, SP, visible ASCII, obs-text (RFC 9110 section 5.5). Also a reason-phrase (RFC 9112 section 4). */
export const FIELD_CONTENT = addRange(addRange(classOf('\t'), 0x20, 0x7e), 0x80, 0xff)

/** What a request target may hold: visible ASCII without `#`, since a fragment is never sent (RFC 9112 section 3.2). */
export const TARGET = addRange(new Uint8Array(256), 0x21, 0x7e)
TARGET[0x23] = 0

/** Reg-name without pct-encoded: unreserved and sub-delims (RFC 3986 section 3.2.2). */
export const REG_NAME = classOf(`-._~!$&'()*+,;=${DIGIT}${ALPHA}`)

/** The value of a hexadecimal digit, 255 for every other byte. */
export const HEX_VALUE = new Uint8Array(256).fill(255)
for (let digit = 0; digit < 16; digit++) {
  const text = digit.toString(16)
  HEX_VALUE[text.charCodeAt(0)] = digit
  HEX_VALUE[text.toUpperCase().charCodeAt(0)] = digit
}

/**
 * A tchar as field names compare: `A-Z` as `a-z`, `_` and `.` as `-`, because upstreams that turn names into
 * variables (CGI, WSGI) cannot tell those apart. 0 for what is no tchar.
 */
export const FOLDED = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) {
  if (TOKEN[byte] === 0) continue
  const isUpper = byte >= 0x41 && byte <= 0x5a
  const isAlias = byte === 0x5f || byte === 0x2e
  FOLDED[byte] = isAlias ? 0x2d : isUpper ? byte | 0x20 : byte
}
