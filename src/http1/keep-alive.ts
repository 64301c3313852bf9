import type { Head } from './head.ts'

/** The `timeout` of a Keep-Alive field in ms (RFC 2068 section 19.7.1.1), or 0. */
export function keepAliveMs(head: Head): number {
  const value = head.get('keep-alive')
  if (value === null) return 0
  const at = value.indexOf('timeout=')
  const seconds = at < 0 ? Number.NaN : Number.parseInt(value.slice(at + 8), 10)
  return seconds > 0 && seconds < 86_400 ? seconds * 1_000 : 0
}
