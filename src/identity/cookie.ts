/** Every value of the cookie `name` in a Cookie field (RFC 6265 section 4.2.1), as written. Names are case-sensitive. */
export function cookieValues(field: string, name: string): readonly string[] {
  const values: string[] = []
  for (const pair of field.split(';')) {
    if (isPairOf(pair, name)) values.push(pair.slice(pair.indexOf('=') + 1).trim())
  }
  return values
}

/** The field without any cookie of that name, the others as they were and in their order; empty if none is left. */
export function withoutCookie(field: string, name: string): string {
  const kept = field.split(';').filter((pair) => !isPairOf(pair, name))
  return kept.join(';').trim()
}

function isPairOf(pair: string, name: string): boolean {
  const equals = pair.indexOf('=')
  return equals >= 0 && pair.slice(0, equals).trim() === name
}
