import { jsonString } from './log-line.ts'

const LEVEL_COLORS: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '\u001b[32m',
  warning: '\u001b[33m',
  error: '\u001b[31m',
  critical: '\u001b[1;31m',
}
const DIM = '\u001b[2m'
const PLAIN = '\u001b[0m'

/** `HH:MM:SS.mmm` of an ISO 8601 timestamp. */
const CLOCK_START = 11
const CLOCK_END = 23
const LEVEL_WIDTH = 8

/** Needs no quotes to be told from the next field. */
const BARE = /^[!-~]+$/

/** Without colours for terminals that have none and people who set NO_COLOR. */
export interface ReadableStyle {
  readonly colors: boolean
}

/**
 * A JSON log line as a person reads it: time (UTC), level, event, `name=value`; a stack on lines of its own. Whatever
 * the values hold, only printable ASCII reaches the terminal. A line that is not an object stays as it is.
 */
export function readableLine(line: string, style: ReadableStyle): string {
  const record = parse(line)
  if (record === null) return line
  const { timestamp, level, logger: _, event, stack, ...fields } = record
  const paint = style.colors ? painted : plain
  const clock = paint(DIM, printable(timestamp).slice(CLOCK_START, CLOCK_END))
  const name = paint(LEVEL_COLORS[String(level)] ?? '', printable(level).toUpperCase().padEnd(LEVEL_WIDTH))
  let text = `${clock} ${name} ${printable(event)}`
  for (const field in fields) text += ` ${paint(DIM, `${printable(field)}=`)}${shown(fields[field])}`
  if (typeof stack !== 'string') return text
  for (const frame of stack.split('\n')) text += `\n    ${printable(frame)}`
  return text
}

function parse(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function painted(color: string, text: string): string {
  return `${color}${text}${PLAIN}`
}

function plain(_: string, text: string): string {
  return text
}

function shown(value: unknown): string {
  const text = String(value)
  return BARE.test(text) ? text : jsonString(text)
}

/** Text that may hold spaces and quotes but nothing that moves a cursor. */
function printable(value: unknown): string {
  return jsonString(String(value)).slice(1, -1).replaceAll('\\"', '"')
}
