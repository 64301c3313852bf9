const PERCENT = 37
const DOT = 46
const SLASH = 47
const SEMICOLON = 59
const BACKSLASH = 92

/**
 * Whether some server behind could read `path` as another path than the one that was authorised: decoded once, it has
 * a `.` or `..` segment (parameters behind `;` aside), a NUL, CR, LF or backslash. The path itself is never changed.
 */
export function isPathUnsafe(path: string): boolean {
  if (path.includes('%')) return isUnsafe(decodeOnce(path))
  return (path.includes('/.') || path.includes('\\')) && isUnsafe(path)
}

/**
 * Whether text[start, end), a path as received, has anything that `isPathUnsafe` could object to. One pass without a
 * string of its own, for the requests that have nothing of the kind.
 */
export function needsLook(text: string, start: number, end: number): boolean {
  let before = 0
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === PERCENT || code === BACKSLASH || (code === DOT && before === SLASH)) return true
    before = code
  }
  return false
}

function isUnsafe(path: string): boolean {
  let segmentStart = 0
  for (let index = 0; index <= path.length; index++) {
    const code = index < path.length ? path.charCodeAt(index) : SLASH
    if (code === 0 || code === 10 || code === 13 || code === BACKSLASH) return true
    if (code !== SLASH) continue
    if (isDotSegment(path, segmentStart, index)) return true
    segmentStart = index + 1
  }
  return false
}

function isDotSegment(path: string, start: number, end: number): boolean {
  let dots = 0
  while (start + dots < end && path.charCodeAt(start + dots) === DOT) dots++
  if (dots !== 1 && dots !== 2) return false
  return start + dots === end || path.charCodeAt(start + dots) === SEMICOLON
}

/** Malformed escapes stay as they are; bytes become the characters of the same number. */
function decodeOnce(path: string): string {
  let decoded = ''
  for (let index = 0; index < path.length; index++) {
    const code = path.charCodeAt(index)
    const value = code === PERCENT ? hexPair(path, index + 1) : -1
    decoded += value < 0 ? path.charAt(index) : String.fromCharCode(value)
    if (value >= 0) index += 2
  }
  return decoded
}

function hexPair(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at))
  const low = hexDigit(text.charCodeAt(at + 1))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

/** -1 for what is no digit, NaN (past the end) included. */
function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const folded = code | 32
  return folded >= 97 && folded <= 102 ? folded - 87 : -1
}
