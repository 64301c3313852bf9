import { jsonString } from '../log-line.ts'

/**
 * Spans in OTLP's form for JSON (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding"): ids in
 * hexadecimal, 64-bit times as text, what has its default left out. ASCII. Templates and few calls: with a share of 1%
 * this runs some hundred times a second, in code that V8 hardly compiles (docs/decisions/0013).
 */

/** `Status` of a span that failed. */
export const FAILED = ',"status":{"code":2}'
/** `SpanFlags` of a span: sampled, and that it is known whether the parent is somebody else's, which it is not. */
export const FLAGS = 0x101
/** The same where it is. */
export const REMOTE_FLAGS = 0x301

/** With a comma before it; `value` needs no escaping. */
export function plainAttribute(key: string, value: string): string {
  return `,{"key":"${key}","value":{"stringValue":"${value}"}}`
}

/** With a comma before it. */
export function stringAttribute(key: string, value: string): string {
  return `,{"key":"${key}","value":{"stringValue":${jsonString(value)}}}`
}

/** With a comma before it; of an integer that a number holds. */
export function intAttribute(key: string, value: number): string {
  return `,{"key":"${key}","value":{"intValue":${value}}}`
}

/** Milliseconds since the epoch as nanoseconds, which a number does not hold. */
export function nanosText(ms: number): string {
  const whole = Math.floor(ms)
  return `${whole}${String(Math.floor((ms - whole) * 1e6)).padStart(6, '0')}`
}

/** Of `host`, `host:port` or `[v6]:port`. */
export function addressAttributes(authority: string): string {
  if (authority === '') return ''
  const colon = authority.lastIndexOf(':')
  const hasPort = colon >= 0 && !authority.endsWith(']')
  const host = hasPort ? authority.slice(0, colon) : authority
  const port = hasPort ? Number(authority.slice(colon + 1)) : 0
  const address = stringAttribute('server.address', host.startsWith('[') ? host.slice(1, -1) : host)
  return port === 0 ? address : address + intAttribute('server.port', port)
}
