import { withoutCookie } from './cookie.ts'
import type { CredentialSource } from './credential-source.ts'
import { withoutQuery } from './query-parameter.ts'
import { withoutCredentials } from './subprotocol.ts'

/** A target as the upstream may see it: without the parameters that a route takes credentials from, used or not. */
export function targetWithoutCredentials(target: string, sources: readonly CredentialSource[]): string {
  let rest = target
  for (const source of sources) if (source.kind === 'query') rest = withoutQuery(rest, source.name)
  return rest
}

/**
 * Field lines (`Name: value`, each ending in CRLF) as the upstream may see them: without the cookies and subprotocols
 * that a route takes credentials from, used or not. A field of which nothing is left goes whole; other lines stay byte
 * for byte.
 */
export function fieldsWithoutCredentials(lines: string, sources: readonly CredentialSource[]): string {
  if (!sources.some(({ kind }) => kind === 'cookie' || kind === 'subprotocol')) return lines
  let rest = ''
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start)
    rest += lineWithoutCredentials(lines.slice(start, end), sources)
    start = end + 2
  }
  return rest
}

function lineWithoutCredentials(line: string, sources: readonly CredentialSource[]): string {
  const colon = line.indexOf(':')
  const value = line.slice(colon + 1).trim()
  const left = valueWithoutCredentials(line.slice(0, colon).toLowerCase(), value, sources)
  if (left === value) return `${line}\r\n`
  return left === '' ? '' : `${line.slice(0, colon)}: ${left}\r\n`
}

function valueWithoutCredentials(
  lowerCaseName: string,
  value: string,
  sources: readonly CredentialSource[],
): string {
  let left = value
  for (const source of sources) {
    if (source.kind === 'cookie' && lowerCaseName === 'cookie') left = withoutCookie(left, source.name)
    if (source.kind === 'subprotocol' && lowerCaseName === 'sec-websocket-protocol')
      left = withoutCredentials(left)
  }
  return left
}
