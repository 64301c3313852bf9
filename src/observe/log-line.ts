import type { LogLevel } from '../config/config.ts'

export type LogValue = string | number | boolean | null
export type LogFields = Readonly<Record<string, LogValue>>

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warning', 'error', 'critical']

/** Whether lines of that level are written when `threshold` is configured. */
export function isLogged(level: LogLevel, threshold: LogLevel): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(threshold)
}

/** Anything that cannot stand in a JSON string as it is, and everything beyond printable ASCII. */
const ESCAPED = /[^ !#-[\]-~]/
const BEYOND_ASCII = /[\u007f-\uffff]/g

/** A JSON string literal in ASCII only: a line is then one byte a character, and shows no terminal escape. */
export function jsonString(text: string): string {
  if (!ESCAPED.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(BEYOND_ASCII, escapeUnit)
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** One log line without its newline: the four keys every line has, then the fields in their order (contract: Logs). */
export function logLine(
  nowMs: number,
  level: LogLevel,
  logger: string,
  event: string,
  fields: LogFields,
): string {
  let line = `{"timestamp":"${timestamp(nowMs)}","level":"${level}","logger":${jsonString(logger)},"event":${jsonString(event)}`
  for (const name in fields) line += `,${jsonString(name)}:${jsonValue(fields[name] ?? null)}`
  return `${line}}`
}

function jsonValue(value: LogValue): string {
  if (typeof value === 'string') return jsonString(value)
  // NaN and the infinities have no form in JSON.
  if (typeof value === 'number' && !Number.isFinite(value)) return 'null'
  return String(value)
}

let textMs = Number.NaN
let text = ''

/** ISO 8601, UTC, milliseconds; the text is made once a millisecond. `nowMs`: milliseconds since the epoch. */
export function timestamp(nowMs: number): string {
  const wholeMs = Math.floor(nowMs)
  if (wholeMs !== textMs) {
    text = new Date(wholeMs).toISOString()
    textMs = wholeMs
  }
  return text
}
