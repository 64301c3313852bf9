import type { RequestHead } from './exchange.ts'

const MAX_LENGTH = 128

/** The client's own id if it is harmless (contract: `[A-Za-z0-9._:-]{1,128}`, its first value), else a new one. */
export function requestIdOf(head: RequestHead, newId: () => string): string {
  const given = head.get('x-request-id')
  return given !== null && isHarmless(given) ? given : newId()
}

function isHarmless(id: string): boolean {
  if (id.length === 0 || id.length > MAX_LENGTH) return false
  for (let index = 0; index < id.length; index++) {
    const code = id.charCodeAt(index)
    const letter = code | 32
    const isFine =
      (code >= 48 && code <= 58) ||
      (letter >= 97 && letter <= 122) ||
      code === 45 ||
      code === 46 ||
      code === 95
    if (!isFine) return false
  }
  return true
}
