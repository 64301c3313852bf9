/** Every value of the parameter `name` in a request target's query, as written; its name may be written with escapes. */
export function queryValues(target: string, name: string): readonly string[] {
  const queryStart = target.indexOf('?')
  if (queryStart < 0) return []
  const values: string[] = []
  for (const pair of target.slice(queryStart + 1).split('&')) {
    const equals = pair.indexOf('=')
    if (isPairOf(pair, name)) values.push(equals < 0 ? '' : pair.slice(equals + 1))
  }
  return values
}

/** The target without any parameter of that name, everything else byte for byte; without `?` if nothing is left behind it. */
export function withoutQuery(target: string, name: string): string {
  const queryStart = target.indexOf('?')
  if (queryStart < 0) return target
  const pairs = target.slice(queryStart + 1).split('&')
  const kept = pairs.filter((pair) => !isPairOf(pair, name))
  if (kept.length === pairs.length) return target
  const path = target.slice(0, queryStart)
  return kept.length === 0 ? path : `${path}?${kept.join('&')}`
}

/** By what an upstream would read: an escaped spelling of the name must not carry the credential on. */
function isPairOf(pair: string, name: string): boolean {
  const equals = pair.indexOf('=')
  return unescaped(equals < 0 ? pair : pair.slice(0, equals)) === name
}

const ESCAPE = /%([0-9A-Fa-f]{2})/g

/** Byte by byte: names are ASCII, and what is not well escaped stays as it is. */
function unescaped(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  return text
    .replaceAll('+', ' ')
    .replace(ESCAPE, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
