import type { Random } from './random.ts'
import type { HeadKind } from './reading.ts'

/** A head before it is bytes: the start-line's parts and the field lines, each with its own separators. */
interface Draft {
  readonly start: string[]
  readonly lines: string[]
}

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'HEAD',
  'OPTIONS',
  'CONNECT',
  'PRI',
  'SOURCE',
  'get',
  'GETX',
]
const TARGETS = [
  '/',
  '/api/v1/query/a?b=c',
  '//x/../y',
  '/a?b?c#d',
  '*',
  '',
  'x',
  'a:80',
  'http://a.b/c?d',
  'http://a.b',
  'HTTPS://a:8443?x',
  'http://u:p@a/',
  'http://[::1]:80/',
  'http:///x',
  'ftp://a/b',
  '/%zz%00"<>\\^`{|}',
  '/\u00e4',
  '/a b',
  '/?',
  "/;a=b,c@d!$&'()*+~",
]
const VERSIONS = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/1.0',
  'HTTP/2.0',
  'HTTP/1.2',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1',
  'HTTP/11.1',
  'HTTP/1.10',
  'HTTP/1,1',
  'ICE/1.0',
  'RTSP/1.0',
  '',
]
const STATUSES = [
  '200',
  '204',
  '304',
  '100',
  '101',
  '103',
  '404',
  '500',
  '599',
  '600',
  '099',
  '99',
  '2000',
  '20x',
  '+20',
]
const REASONS = ['OK', '', 'Not Found', 'a\tb', '\u00fc', 'x\u0001', ' two', 'OK\u007f']
const LENGTHS = [
  '0',
  '3',
  '7',
  '40',
  '00012',
  '0000000000000000',
  '00000000000000000',
  '9007199254740991',
  '9007199254740992',
  '18446744073709551616',
  '+3',
  '-3',
  '0x3',
  '3 ',
  '3,3',
  '3, 3',
  '3;',
  '3.0',
  '3e1',
  '',
  ' ',
  '3\u00a0',
  '3\t',
  '\u0663',
]
const CODINGS = [
  'chunked',
  'chunked',
  'chunked',
  'Chunked',
  'CHUNKED',
  'chunked ',
  '\tchunked',
  'gzip',
  'gzip, chunked',
  'chunked, gzip',
  'chunked, chunked',
  'identity',
  'chunked;q=1',
  ',chunked',
  'chunked,',
  'chunked\u000b',
  ' chunked\u000b',
  'xchunked',
  'chunkedx',
  '"chunked"',
  'chunked\u00a0',
  '',
  'chun ked',
]
const CONNECTIONS = [
  'close',
  'keep-alive',
  'Close',
  'upgrade',
  'keep-alive, Upgrade',
  'close, keep-alive',
  'X-Company-ID',
  'close,',
  ',',
  '',
  'keep-alive, transfer-encoding',
  'clos\u0065',
  'close;x',
  'close close',
  'keep-alive\tclose',
  'closed',
  'up grade',
  '"close"',
]
const HOSTS = [
  'a',
  'a.example:8080',
  '[::1]',
  '[::1]:80',
  '',
  'a b',
  'u@a',
  'a:b',
  'a/b',
  '1.2.3.4',
  '[::1',
  'a,b',
  'a:99999',
]
const EXPECTS = ['100-continue', '100-Continue', '200-ok', '', '100-continue, x']
const PLAIN = [
  'Accept: */*',
  'Cookie: a=b; c=d',
  'X-Empty:',
  'X-Latin: D\u00fcsseldorf',
  'Authorization: Bearer abc.def.ghi',
  'Content-Type: application/json',
  'X_Company.ID: 7',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'TE: trailers',
  'Trailer: X-A',
  "!#$%&'*+-.^_`|~09azAZ: token",
  'Proxy-Connection: close',
  'Keep-Alive: timeout=5',
]
/** Bytes that mean something to some parser, or have been taken for something. */
const BYTES = [
  0, 1, 8, 9, 10, 11, 12, 13, 27, 32, 34, 35, 44, 45, 46, 47, 58, 59, 61, 64, 95, 127, 128, 133, 160, 255,
]
const WHITE = [' ', '\t', '  ', '\t \t', '\u000b', '\u000c', '\u00a0', '']
/** What stands, or could be taken to stand, where a line ends. */
export const ENDS = ['\n', '\r', '\r\r\n', '\n\r', '\r\n ', '\r\n\t', ' \r\n', '\u0000\r\n', '\r\n\r\n']

/** A head of that kind, mutated up to a few times; the same for the same state of `random`. */
export function mutatedHead(random: Random, kind: HeadKind): Buffer {
  const draft = drafted(random, kind)
  for (let count = random.below(3); count > 0; count--) mutateDraft(random, draft, kind)
  let bytes = rendered(random, draft, kind)
  if (random.once(2)) {
    for (let count = 1 + random.below(2); count > 0; count--) bytes = mutateBytes(random, bytes, kind)
  }
  return bytes
}

function drafted(random: Random, kind: HeadKind): Draft {
  const lines: string[] = []
  if (kind === 'request' && !random.once(12)) lines.push(`Host: ${random.once(5) ? random.pick(HOSTS) : 'a'}`)
  for (let count = random.below(4); count > 0; count--) lines.push(random.pick(PLAIN))
  if (random.once(4)) lines.push(`Content-Length: ${random.below(60)}`)
  else if (random.once(5)) lines.push('Transfer-Encoding: chunked')
  if (random.once(5)) lines.push(`Connection: ${random.pick(CONNECTIONS)}`)
  const start =
    kind === 'request'
      ? [random.pick(METHODS.slice(0, 7)), random.once(4) ? random.pick(TARGETS) : '/a?b', 'HTTP/1.1']
      : ['HTTP/1.1', random.pick(STATUSES.slice(0, 9)), 'OK']
  return { start, lines }
}

function mutateDraft(random: Random, draft: Draft, kind: HeadKind): void {
  const { start, lines } = draft
  const at = random.below(lines.length + 1)
  switch (random.below(kind === 'request' ? 13 : 12)) {
    case 0:
      lines.splice(at, 0, `Content-Length: ${random.pick(LENGTHS)}`)
      break
    case 1:
      lines.splice(at, 0, `Transfer-Encoding: ${random.pick(CODINGS)}`)
      break
    case 2:
      lines.splice(at, 0, `Connection: ${random.pick(CONNECTIONS)}`)
      break
    case 3:
      lines.splice(at, 0, random.pick(lines.length > 0 ? lines : PLAIN))
      break
    case 4:
      lines.splice(random.below(lines.length + 1), 1)
      break
    case 5:
      start[kind === 'request' ? 2 : 0] = random.pick(VERSIONS)
      break
    case 6:
      start[kind === 'request' ? 0 : 1] = random.pick(kind === 'request' ? METHODS : STATUSES)
      break
    case 7:
      if (kind === 'request') start[1] = random.pick(TARGETS)
      else start[2] = random.pick(REASONS)
      break
    case 8:
      lines.splice(at, 0, `X-Long: ${'v'.repeat(random.below(random.once(30) ? 40_000 : 400))}`)
      break
    case 9:
      for (let count = random.below(random.once(20) ? 300 : 40); count > 0; count--)
        lines.push(random.pick(PLAIN))
      break
    case 10:
      changeLine(random, lines, (line) => recased(random, line))
      break
    case 11:
      changeLine(random, lines, (line) => respaced(random, line))
      break
    default:
      lines.splice(at, 0, random.once(2) ? `Host: ${random.pick(HOSTS)}` : `Expect: ${random.pick(EXPECTS)}`)
  }
}

function changeLine(random: Random, lines: string[], change: (line: string) => string): void {
  const at = random.below(lines.length)
  const line = lines[at]
  if (line !== undefined) lines[at] = change(line)
}

function recased(random: Random, line: string): string {
  const colon = line.indexOf(':')
  const name = Array.from(line.slice(0, colon), (letter) =>
    random.once(2) ? letter.toUpperCase() : letter.toLowerCase(),
  ).join('')
  return (random.once(6) ? name.replaceAll('-', random.pick(['_', '.', ' '])) : name) + line.slice(colon)
}

function respaced(random: Random, line: string): string {
  const colon = line.indexOf(':')
  const white = () => random.pick(WHITE)
  switch (random.below(4)) {
    case 0:
      return `${line.slice(0, colon)}:${white()}${line.slice(colon + 1)}`
    case 1:
      return line + white()
    case 2:
      return `${line.slice(0, colon)}${white()}${line.slice(colon)}`
    default:
      return white() + line
  }
}

function rendered(random: Random, draft: Draft, kind: HeadKind): Buffer {
  const separator = random.once(40) ? random.pick(WHITE) : ' '
  const lead = kind === 'request' && random.once(30) ? '\r\n'.repeat(1 + random.below(3)) : ''
  const start = draft.start.join(separator)
  const all = [lead + start, ...draft.lines].map(
    (line) => line + (random.once(120) ? random.pick(ENDS) : '\r\n'),
  )
  return Buffer.from(`${all.join('')}\r\n`, 'latin1')
}

/** One change of a byte or a few. */
export function mutateBytes(random: Random, bytes: Buffer, kind: HeadKind): Buffer {
  const at = random.below(bytes.length)
  const byte = random.once(4) ? random.below(256) : random.pick(BYTES)
  switch (random.below(8)) {
    case 0: {
      const changed = Buffer.from(bytes)
      changed[at] = byte
      return changed
    }
    case 1:
      return spliced(bytes, at, at, Buffer.of(byte))
    case 2:
      return spliced(bytes, at, at + 1 + random.below(3), Buffer.alloc(0))
    case 3: {
      const from = random.below(bytes.length)
      return spliced(bytes, at, at, bytes.subarray(from, from + random.below(40)))
    }
    case 4:
      return random.once(4) ? bytes.subarray(0, at) : bytes
    case 5: {
      const other = rendered(random, drafted(random, kind), kind)
      return spliced(bytes, at, bytes.length, other.subarray(random.below(other.length)))
    }
    case 6:
      return spliced(bytes, at, at, Buffer.from(random.pick(random.once(2) ? WHITE : ENDS), 'latin1'))
    default: {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
      return changed
    }
  }
}

function spliced(bytes: Buffer, from: number, to: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), inserted, bytes.subarray(Math.min(to, bytes.length))])
}
