/**
 * Reads seeded random heads and chunked bodies with our parser and with Node's llhttp and compares. Holds:
 *
 * - whatever llhttp refuses we refuse; methods it does not know apart, since any token is a method here
 * - whatever both read they read alike: start-line, fields, framing (llhttp tells it by where it finds the body's
 *   end and the next message), persistence, upgrade
 * - however a message is cut into pieces, we read the same
 *
 * Run: node --expose-internals test/http1/differential.ts [--count 20000] [--seed 1]. Prints figures as one line of
 * JSON; every difference that is not among the tolerated is printed with its bytes and makes the exit code 1.
 */
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { readChunked } from './body-reading.ts'
import { mutatedChunks } from './chunk-mutator.ts'
import { METHODS, type Message, type Run, run } from './llhttp.ts'
import { mutatedHead } from './mutator.ts'
import { Random } from './random.ts'
import { type HeadKind, type Reading, readHead } from './reading.ts'

/** Differences that are meant, with how often they were met. */
const tolerated = {
  'Proxy-Connection: llhttp takes it for Connection, we do not (RFC 9110 section 7.6.1)': 0,
  'close and keep-alive together in HTTP/1.0: llhttp keeps the connection, we close it': 0,
  'Upgrade in HTTP/1.0: llhttp heeds it, we ignore it (RFC 9110 section 7.8)': 0,
  'framing fields in trailers: llhttp refuses them, the gateway drops them (RFC 9110 section 6.5.1)': 0,
}

const tally = {
  heads: 0,
  bodies: 0,
  bothRead: 0,
  bothRefused: 0,
  bothIncomplete: 0,
  /** Where we are stricter, by our code. */
  onlyLlhttpReads: {} as Record<string, number>,
  methodsReplaced: 0,
  tolerated,
  differences: 0,
}

interface Difference {
  readonly what: string
  readonly ours: object
  readonly theirs: object
}

const NEXT = {
  request: 'QUERY /next HTTP/1.1\r\nHost: next\r\n\r\n',
  response: 'HTTP/1.1 299 NEXT\r\nContent-Length: 0\r\n\r\n',
}
const CHUNKED_HEAD = Buffer.from('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
const TWO_CRLF = Buffer.from('\r\n\r\n')
const MAX_PRINTED = 20
const MAX_BODY_BYTES = 64

const { values } = parseArgs({
  options: { count: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } },
})
const random = new Random(Number(values.seed))
for (let count = Number(values.count); count > 0; count--) {
  const kind = random.once(4) ? 'response' : 'request'
  const head = mutatedHead(random, kind)
  note(head, compareHead(kind, head))
  if (random.once(5)) {
    const body = mutatedChunks(random)
    note(body, compareBody(body))
  }
}
process.stdout.write(`${JSON.stringify(tally)}\n`)
process.exitCode = tally.differences === 0 ? 0 : 1

function note(bytes: Buffer, difference: Difference | null): void {
  if (difference === null) return
  tally.differences++
  if (tally.differences > MAX_PRINTED) return
  const { what, ours, theirs } = difference
  process.stderr.write(
    `${what}: ${bytes.toString('base64')}\n  ${JSON.stringify(bytes.toString('latin1').slice(0, 300))}\n` +
      `  ours ${JSON.stringify(ours)}\n  theirs ${JSON.stringify(theirs)}\n`,
  )
}

function compareHead(kind: HeadKind, bytes: Buffer): Difference | null {
  tally.heads++
  const ours = readHead(kind, bytes)
  const pieces = readHead(kind, bytes, cuts(bytes.length))
  if (!isDeepStrictEqual(ours, pieces)) return { what: 'cut into pieces', ours, theirs: pieces }
  if (ours.outcome === 'read') return compareReading(kind, bytes, ours)
  const theirs = run(kind, bytes)
  if (ours.outcome === 'refused') {
    noteRefusal(ours.code, theirs.messages.length > 0)
    return null
  }
  if (theirs.messages.length > 0) return { what: 'we wait for more, llhttp reads', ours, theirs }
  tally.bothIncomplete++
  if (theirs.error === null || hasUnknownMethod(kind, bytes)) return null
  // llhttp refuses some lines before their end, where we decide: bring it to its end.
  const ended = readHead(kind, Buffer.concat([bytes, TWO_CRLF]))
  return ended.outcome === 'read' ? { what: 'llhttp refuses, we read at the end', ours: ended, theirs } : null
}

function compareReading(kind: HeadKind, bytes: Buffer, ours: Reading): Difference | null {
  const expected = expectation(kind, ours)
  const [first, second] = ours.start
  const known = kind === 'response' || METHODS.has(first) ? first : 'GET'
  let head = bytes.subarray(0, ours.length)
  if (known !== first) {
    tally.methodsReplaced++
    head = Buffer.from(head.toString('latin1').replace(first, known), 'latin1')
  }
  const theirs = run(kind, Buffer.concat([head, Buffer.from(expected.sent, 'latin1')]))
  const message = theirs.messages[0]
  if (message === undefined) return { what: 'llhttp refuses, we read', ours, theirs }
  const start =
    kind === 'request' ? [message.method, message.target] : [String(message.status), message.reason]
  const same =
    isDeepStrictEqual(start, [known, second]) &&
    message.major === 1 &&
    message.minor === ours.minor &&
    isDeepStrictEqual(message.fields, ours.fields)
  if (!same) return { what: 'read differently', ours, theirs }
  if (kind === 'request' && !goesOnAlike(ours, message)) return { what: 'goes on differently', ours, theirs }
  if (!framedAlike(kind, expected, ours, theirs)) return { what: 'framed differently', ours, theirs }
  tally.bothRead++
  return null
}

interface Expectation {
  /** What follows the head: the body as we understood it, then another message. */
  readonly sent: string
  readonly body: string
  /** Whether the body ends within what was sent. */
  readonly complete: boolean
}

function expectation(kind: HeadKind, ours: Reading): Expectation {
  const next = NEXT[kind]
  if (kind === 'response' && isBodiless(ours.start[0])) return { sent: next, body: '', complete: true }
  if (ours.chunked) return { sent: `3\r\nabc\r\n0\r\n\r\n${next}`, body: 'abc', complete: true }
  if (ours.contentLength > MAX_BODY_BYTES) {
    const body = 'b'.repeat(MAX_BODY_BYTES)
    return { sent: body, body, complete: false }
  }
  if (ours.contentLength >= 0) {
    const body = 'b'.repeat(ours.contentLength)
    return { sent: body + next, body, complete: true }
  }
  if (kind === 'response') return { sent: next, body: next, complete: false }
  return { sent: next, body: '', complete: true }
}

function isBodiless(status: string): boolean {
  return status.startsWith('1') || status === '204' || status === '304'
}

function goesOnAlike(ours: Reading, message: Message): boolean {
  if (message.keepAlive !== ours.keepAlive) {
    const asked = optionsOf(ours, 'connection')
    if (optionsOf(ours, 'proxy-connection').size > 0) {
      tolerated['Proxy-Connection: llhttp takes it for Connection, we do not (RFC 9110 section 7.6.1)']++
    } else if (ours.minor === 0 && asked.has('close') && asked.has('keep-alive')) {
      tolerated['close and keep-alive together in HTTP/1.0: llhttp keeps the connection, we close it']++
    } else return false
  }
  if (message.upgrade === ours.upgrade) return true
  if (ours.minor === 1) return false
  tolerated['Upgrade in HTTP/1.0: llhttp heeds it, we ignore it (RFC 9110 section 7.8)']++
  return true
}

function optionsOf(ours: Reading, lowerCaseName: string): Set<string> {
  const lists = ours.fields.filter(([name]) => name.toLowerCase() === lowerCaseName).map(([, value]) => value)
  return new Set(lists.flatMap((list) => list.split(',')).map((option) => option.trim().toLowerCase()))
}

function framedAlike(kind: HeadKind, expected: Expectation, ours: Reading, theirs: Run): boolean {
  const [message, next] = theirs.messages
  if (message === undefined) return false
  // Behind a 101 llhttp takes everything for another protocol's.
  if (kind === 'response' && ours.start[0] === '101') return message.body === ''
  if (message.body !== expected.body || message.complete !== expected.complete) return false
  if (!expected.complete) return theirs.error === null
  // llhttp does not read on after an upgrade or a close.
  if (message.upgrade) return next === undefined
  if (!message.keepAlive)
    return next === undefined && (theirs.error ?? '').startsWith('HPE_CLOSED_CONNECTION')
  return next?.complete === true && (next.target === '/next' || next.status === 299)
}

function compareBody(bytes: Buffer): Difference | null {
  tally.bodies++
  const ours = readChunked(bytes)
  const pieces = readChunked(bytes, cuts(bytes.length))
  if (!isDeepStrictEqual(ours, pieces)) return { what: 'a body cut into pieces', ours, theirs: pieces }
  const theirs = run('request', Buffer.concat([CHUNKED_HEAD, bytes]))
  const message = theirs.messages[0]
  if (message === undefined) throw new Error('llhttp refused a head that is right')
  if (ours.outcome === 'refused') {
    noteRefusal('chunk', theirs.error === null)
    return null
  }
  if (ours.outcome === 'incomplete') {
    if (message.complete) return { what: 'we wait for more of a body, llhttp does not', ours, theirs }
    tally.bothIncomplete++
    if (theirs.error === null) return null
    const ended = readChunked(Buffer.concat([bytes, TWO_CRLF]))
    if (ended.outcome !== 'read' || hasFramingTrailer(ended.trailers)) return null
    return { what: 'llhttp refuses a body, we read at the end', ours: ended, theirs }
  }
  if (!message.complete) {
    if (!hasFramingTrailer(ours.trailers)) return { what: 'llhttp refuses a body, we read', ours, theirs }
    tolerated[
      'framing fields in trailers: llhttp refuses them, the gateway drops them (RFC 9110 section 6.5.1)'
    ]++
    return null
  }
  if (message.body !== ours.payload || !isDeepStrictEqual(message.trailers, ours.trailers)) {
    return { what: 'a body read differently', ours, theirs }
  }
  tally.bothRead++
  return null
}

function hasFramingTrailer(trailers: readonly (readonly [string, string])[]): boolean {
  return trailers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
}

function noteRefusal(what: string, onlyOurs: boolean): void {
  if (onlyOurs) tally.onlyLlhttpReads[what] = (tally.onlyLlhttpReads[what] ?? 0) + 1
  else tally.bothRefused++
}

function hasUnknownMethod(kind: HeadKind, bytes: Buffer): boolean {
  const method = /^(?:\r\n)*([^ ]*)/.exec(bytes.toString('latin1'))?.[1] ?? ''
  return kind === 'request' && !METHODS.has(method)
}

function cuts(length: number): number[] {
  return Array.from({ length: 1 + random.below(3) }, () => random.below(length + 1)).sort((a, b) => a - b)
}
