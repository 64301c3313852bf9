import type { MatchConfig, NamedValue } from '../../config/config.ts'
import { FIELD_STRIDE, type Head } from '../../http1/head.ts'
import type { Walk } from './walk.ts'

const AMPERSAND = 38
const EQUALS = 61

/** What a route asks of a request beyond host, path and method: all of it. */
export interface Conditions {
  readonly headers: readonly NamedValue[]
  readonly query: readonly NamedValue[]
}

/** Null where nothing is asked. */
export function compileConditions({
  headers,
  query,
}: Pick<MatchConfig, 'headers' | 'query'>): Conditions | null {
  return headers.length + query.length === 0 ? null : { headers, query }
}

/** Fields by the first of their name; parameters by the first of theirs as written. Makes no string. */
export function isMet({ headers, query }: Conditions, { head, kind }: Walk): boolean {
  if (kind === 'request') {
    for (const { name, value } of headers) if (!hasField(head, name, value)) return false
  }
  for (const { name, value } of query) if (!hasParameter(head, name, value)) return false
  return true
}

function hasField(head: Head, name: string, value: string): boolean {
  const index = head.find(name, 0)
  if (index < 0) return false
  const start = head.fields[index * FIELD_STRIDE + 2] as number // every field has its offsets
  const end = head.fields[index * FIELD_STRIDE + 3] as number
  return end - start === value.length && head.text.startsWith(value, start)
}

function hasParameter({ text, pathEnd, targetEnd }: Head, name: string, value: string): boolean {
  let start = pathEnd + 1
  while (start < targetEnd) {
    const end = indexOf(text, AMPERSAND, start, targetEnd)
    const nameEnd = indexOf(text, EQUALS, start, end)
    if (nameEnd - start === name.length && text.startsWith(name, start)) {
      const valueStart = Math.min(nameEnd + 1, end)
      return end - valueStart === value.length && text.startsWith(value, valueStart)
    }
    start = end + 1
  }
  return false
}

/** `end` where the character is not there. */
function indexOf(text: string, code: number, start: number, end: number): number {
  let at = start
  while (at < end && text.charCodeAt(at) !== code) at++
  return at
}
