import { Head } from '../../src/http1/head.ts'
import { parseRequestHead, parseResponseHead } from '../../src/http1/head-parser.ts'

/** The head that these lines are, each without its CRLF; `Host` is not added. */
export function parsedRequest(...lines: readonly string[]): Head {
  return parsed(parseRequestHead, lines)
}

/** `GET <target>` with a Host and these field lines. */
export function parsedGet(target: string, ...lines: readonly string[]): Head {
  return parsedRequest(`GET ${target} HTTP/1.1`, 'Host: gw.test', ...lines)
}

export function parsedResponse(...lines: readonly string[]): Head {
  return parsed(parseResponseHead, lines)
}

function parsed(parse: typeof parseRequestHead, lines: readonly string[]): Head {
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  const head = new Head()
  const end = parse(head, bytes, 0, bytes.length)
  if (end !== bytes.length) throw new Error(`not a head (${end}): ${JSON.stringify(lines)}`)
  return head
}
