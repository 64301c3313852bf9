import { Head } from '../http1/head.ts'
import { parseRequestHead, protocolError } from '../http1/head-parser.ts'
import { BAD_START_LINE, type ProtocolError } from '../http1/protocol-error.ts'

/** A request somebody asks about. */
export interface Asked {
  readonly method: string
  /** `/path?query`, or an absolute http URL whose authority becomes Host. */
  readonly url: string
  /** Field lines, `Name: value`. */
  readonly fields: readonly string[]
  /** Put into Authorization; null: only what `fields` says. */
  readonly token: string | null
  /** The peer's address. */
  readonly from: string
}

const DEFAULT_HOST = 'localhost'

export type Read =
  | { readonly head: Head; readonly error: null }
  | { readonly head: null; readonly error: ProtocolError }

/** The head that the wire would have read, by the wire's own parser, or why it would have refused it. */
export function readAsked(asked: Asked): Read {
  const { authority, target } = partsOf(asked.url)
  const hasHost = asked.fields.some((line) => /^host\s*:/i.test(line))
  const lines = [
    `${asked.method} ${target} HTTP/1.1`,
    ...(hasHost ? [] : [`Host: ${authority}`]),
    ...asked.fields,
    ...(asked.token === null ? [] : [`Authorization: Bearer ${asked.token}`]),
  ]
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  const head = new Head()
  const end = parseRequestHead(head, bytes, 0, bytes.length)
  if (end === bytes.length) return { head, error: null }
  // What ends before or after its last line was never one head: a line break was smuggled into it.
  return { head: null, error: protocolError(end < 0 ? end : BAD_START_LINE) }
}

function partsOf(url: string): { readonly authority: string; readonly target: string } {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url)
  if (absolute === null) return { authority: DEFAULT_HOST, target: url }
  const rest = absolute[2] ?? ''
  return { authority: absolute[1] ?? DEFAULT_HOST, target: rest.startsWith('/') ? rest : `/${rest}` }
}
