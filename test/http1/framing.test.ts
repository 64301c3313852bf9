// Request smuggling: a message whose length two readers tell differently leaves bytes that one of them takes for the
// next request, which is then answered to, or in the name of, somebody else. So a length that could be told in two
// ways is refused, whichever of them is right.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HeadKind, type Reading, readHead } from './reading.ts'

const START = { request: 'POST / HTTP/1.1\r\nHost: a\r\n', response: 'HTTP/1.1 200 OK\r\n' }
const OLD_START = { request: 'POST / HTTP/1.0\r\nHost: a\r\n', response: 'HTTP/1.0 200 OK\r\n' }
const KINDS = ['request', 'response'] as const

function read(kind: HeadKind, lines: string, start = START[kind]): Reading {
  const outcome = readHead(kind, Buffer.from(`${start}${lines}\r\n\r\n`, 'latin1'))
  assert.ok(outcome.outcome === 'read', `${lines}: ${JSON.stringify(outcome)}`)
  return outcome
}

function codeOf(kind: HeadKind, lines: string, start = START[kind]): string {
  const outcome = readHead(kind, Buffer.from(`${start}${lines}\r\n\r\n`, 'latin1'))
  return outcome.outcome === 'refused' ? outcome.code : outcome.outcome
}

function refuses(what: string, code: string, lines: readonly string[]): void {
  test(`refuses ${what}`, () => {
    for (const kind of KINDS) {
      for (const line of lines) assert.equal(codeOf(kind, line), code, `${kind}: ${JSON.stringify(line)}`)
    }
  })
}

test('a message without framing fields has neither length nor chunks', () => {
  for (const kind of KINDS) {
    const { contentLength, chunked } = read(kind, 'X: 1')
    assert.deepEqual([contentLength, chunked], [-1, false])
  }
})

test('takes a Content-Length of up to 16 digits and 2^53 - 1', () => {
  for (const kind of KINDS) {
    for (const [value, length] of [
      ['0', 0],
      ['42', 42],
      [' \t42\t ', 42],
      ['003', 3],
      ['0000000000000007', 7],
      ['9007199254740991', 9007199254740991],
    ] as const) {
      const { contentLength, chunked } = read(kind, `cONTENT-lENGTH:${value}`)
      assert.deepEqual([contentLength, chunked], [length, false], value)
    }
  }
})

refuses('a Content-Length that is not digits alone', 'malformed', [
  'Content-Length:',
  'Content-Length: ',
  'Content-Length: +5',
  'Content-Length: -5',
  'Content-Length: 0x5',
  'Content-Length: 5.0',
  'Content-Length: 5e1',
  'Content-Length: 5 5',
  'Content-Length: 5\t5',
  'Content-Length: 5;',
  'Content-Length: "5"',
  'Content-Length: five',
  'Content-Length: \u00b2',
  'Content-Length: 5\u00a0',
])

refuses('a Content-Length out of range', 'malformed', [
  'Content-Length: 9007199254740992',
  'Content-Length: 9999999999999999',
  'Content-Length: 00000000000000005',
  'Content-Length: 18446744073709551621',
  'Content-Length: -123456789123456789123456789',
])

refuses('two Content-Lengths, as fields or as a list, even equal ones', 'malformed', [
  'Content-Length: 5\r\nContent-Length: 5',
  'Content-Length: 0\r\nContent-Length: 5',
  'Content-Length: 5\r\nX: 1\r\ncontent-length: 6',
  'Content-Length: 5, 5',
  'Content-Length: 5,5',
  'Content-Length: 5,',
  'Content-Length: ,5',
])

refuses('Transfer-Encoding with Content-Length, in either order', 'malformed', [
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Content-Length: 0\r\nTransfer-Encoding: chunked',
  'Content-Length: 5\r\nTransfer-Encoding: identity',
  'Transfer-Encoding: gzip\r\nContent-Length: 5',
])

test('takes chunked in any case, white space around it', () => {
  for (const kind of KINDS) {
    for (const line of [
      'Transfer-Encoding: chunked',
      'TRANSFER-ENCODING:\t chUNKed  ',
      'transfer-encoding:chunked',
    ]) {
      const { contentLength, chunked } = read(kind, line)
      assert.deepEqual([contentLength, chunked], [-1, true], line)
    }
  }
})

refuses('Transfer-Encoding in more than one field', 'malformed', [
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nX: 1\r\ntransfer-encoding: identity',
])

refuses('spellings of chunked that some readers take for it', 'malformed', [
  'Transfer-Encoding:',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: chunked, gzip',
  'Transfer-Encoding: gzip, chunked, gzip',
  'Transfer-Encoding: chunked,',
  'Transfer-Encoding: ,chunked',
  'Transfer-Encoding: gzip,,chunked',
  'Transfer-Encoding: chunked;',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding: chunked chunked',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: chunked\u000b',
  'Transfer-Encoding: \u000bchunked',
  'Transfer-Encoding: chunked\u0000',
  'Transfer-Encoding: chunked\u00a0',
  'Transfer-Encoding: chunked\t',
  'Transfer-Encoding: chunked\t ',
  'Transfer-Encoding: chunked \t',
  'Transfer-Encoding: chunked\r\n ,x',
  'Transfer-Encoding : chunked',
  ' Transfer-Encoding: chunked',
])

refuses('well-formed codings that are not chunked alone, by a code of their own', 'transfer_coding_unknown', [
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: gzip ,\tchunked',
  'Transfer-Encoding: chunkedchunked',
  'Transfer-Encoding: xchunked',
  "Transfer-Encoding: 'chunked'",
])

test('what is malformed elsewhere in the head counts before a coding or expectation not understood', () => {
  assert.equal(codeOf('request', 'Transfer-Encoding: gzip', 'POST / HTTP/1.1\r\n'), 'malformed')
  assert.equal(codeOf('request', 'Expect: x\r\nTransfer-Encoding: gzip'), 'transfer_coding_unknown')
})

test('refuses Transfer-Encoding in HTTP/1.0, where it means nothing', () => {
  for (const kind of KINDS) {
    assert.equal(codeOf(kind, 'Transfer-Encoding: chunked', OLD_START[kind]), 'malformed')
    assert.equal(codeOf(kind, 'Transfer-Encoding: gzip', OLD_START[kind]), 'malformed')
  }
})

test('a name that only folds into a framing field frames nothing', () => {
  for (const kind of KINDS) {
    const { contentLength, chunked, fields } = read(
      kind,
      'Transfer_Encoding: chunked\r\nTransfer.Encoding: x\r\nContent_Length: 5\r\nContent.Length: 6',
    )
    assert.deepEqual([contentLength, chunked], [-1, false])
    assert.equal(fields.at(-1)?.[1], '6')
  }
})

test('a 1xx response announces no body', () => {
  for (const status of [100, 101, 103, 199]) {
    const start = `HTTP/1.1 ${status} X\r\n`
    assert.equal(codeOf('response', 'Content-Length: 5', start), 'malformed')
    assert.equal(codeOf('response', 'Transfer-Encoding: chunked', start), 'malformed')
    assert.equal(read('response', 'Content-Length: 0', start).contentLength, 0)
  }
})

const PERSISTENCE: readonly (readonly [connection: string, newer: boolean, older: boolean])[] = [
  ['X: 1', true, false],
  ['Connection: keep-alive', true, true],
  ['Connection: close', false, false],
  ['connection: CLOSE', false, false],
  ['Connection: close, keep-alive', false, false],
  ['Connection: keep-alive\r\nConnection: close', false, false],
  ['Connection: ,, keep-Alive\t,', true, true],
  ['Connection: closed', true, false],
  ['Connection:', true, false],
  ['Proxy-Connection: close', true, false],
  ['Proxy-Connection: keep-alive', true, false],
]

test('tells from version and Connection whether the connection goes on', () => {
  for (const kind of KINDS) {
    for (const [lines, newer, older] of PERSISTENCE) {
      assert.equal(read(kind, lines).keepAlive, newer, `${lines} in HTTP/1.1`)
      assert.equal(read(kind, lines, OLD_START[kind]).keepAlive, older, `${lines} in HTTP/1.0`)
    }
  }
})

test('notices that Connection nominates fields', () => {
  assert.ok(!read('request', 'Connection: close, keep-alive, upgrade').nominates)
  assert.ok(read('request', 'Connection: close, X-Company-ID').nominates)
  assert.ok(read('request', 'Connection: close\r\nConnection: te').nominates)
})

refuses('a Connection that is no list of tokens', 'malformed', [
  'Connection: close;x',
  'Connection: close close',
  'Connection: "close"',
  'Connection: clo@se',
  'Connection: keep-alive\tclose',
  'Connection: \u00fc',
])

test('an upgrade is asked for by Connection and Upgrade together, in HTTP/1.1', () => {
  assert.ok(read('request', 'Connection: Upgrade\r\nUpgrade: websocket').upgrade)
  assert.ok(read('request', 'Upgrade: h2c, websocket\r\nConnection: keep-alive, UPGRADE').upgrade)
  assert.ok(read('response', 'Upgrade: x\r\nConnection: upgrade', 'HTTP/1.1 101 X\r\n').upgrade)
  assert.ok(!read('request', 'Connection: upgrade').upgrade)
  assert.ok(!read('request', 'Upgrade: websocket').upgrade)
  assert.ok(!read('request', 'Connection: upgraded\r\nUpgrade: websocket').upgrade)
  assert.ok(!read('request', 'Connection: upgrade\r\nUp_grade: websocket').upgrade)
  assert.ok(!read('request', 'Connection: upgrade\r\nUpgrade: websocket', OLD_START.request).upgrade)
})

test('meets one expectation, 100-continue, and ignores all in HTTP/1.0 and in responses', () => {
  assert.ok(read('request', 'Expect: 100-Continue').expectContinue)
  assert.ok(!read('request', 'X: 1').expectContinue)
  for (const line of [
    'Expect: 200-ok',
    'Expect:',
    'Expect: 100-continue, x',
    'Expect: 100-continue\r\nExpect: x',
  ]) {
    assert.equal(codeOf('request', line), 'expectation_failed', line)
    assert.ok(!read('request', line, OLD_START.request).expectContinue, line)
    assert.ok(!read('response', line).expectContinue, line)
  }
})
