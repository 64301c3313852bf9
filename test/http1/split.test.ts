// A parser that reads a message otherwise when it arrives in pieces can be made to, by whoever times the pieces.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFieldLines } from '../../src/http1/field-line.ts'
import { Head } from '../../src/http1/head.ts'
import { AT_LINE } from '../../src/http1/parse-state.ts'
import { readChunked } from './body-reading.ts'
import { type HeadKind, readHead } from './reading.ts'

const HEADS: readonly (readonly [kind: HeadKind, text: string])[] = [
  ['request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'request',
    '\r\n\r\nPOST http://a.b:80/c?d HTTP/1.1\r\nhost: x\r\nContent-Length: 12\r\n\r\nGET / HTTP/1.1\r\n\r\n',
  ],
  [
    'request',
    'OPTIONS * HTTP/1.1\r\nHost:\t[::1] \r\nConnection: x, close\r\nTransfer-Encoding:chunked\r\n\r\n',
  ],
  [
    'request',
    'PUT /a HTTP/1.0\r\nX-Empty:\r\nX_Y.Z: \t \r\nConnection: keep-alive\r\nExpect: 100-continue\r\n\r\n',
  ],
  [
    'request',
    'GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x05hello',
  ],
  ['request', `GET / HTTP/1.1\r\nHost: a\r\n${'x:\r\n'.repeat(60)}\r\n`],
  ['request', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n'],
  ['request', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['request', 'GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n'],
  ['request', 'GET / HTTP/1.1\r\nHost: a\r\nX: 1\n\r\n'],
  ['request', 'GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n'],
  ['request', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n'],
  ['response', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nDate: Mon, 24 Nov 2025 04:00:00 GMT\r\n\r\nhello'],
  ['response', 'HTTP/1.0 404\r\nConnection: keep-alive\r\n\r\n'],
  ['response', 'HTTP/1.1 204 \r\nX: \xfc\r\n\r\nHTTP/1.1 200 OK\r\n\r\n'],
  ['response', 'HTTP/1.1 200X\r\n\r\n'],
  ['response', 'HTTP/3.0 200 OK\r\n\r\n'],
  ['response', 'HTTP/1.1 200 OK\r\nX: 1\r\n y\r\n\r\n'],
]

const BODIES = [
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n',
  'a;x\r\n0123456789\r\n1;a=b;c="d\\"; e"\r\n!\r\n000;z\r\n\r\nrest',
  '3\r\nabc\r\n00\r\nX-Sum: 1\r\nX-Empty:\r\n\r\nrest',
  '1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n',
  '3\r\nabcd\r\n0\r\n\r\n',
  '3 \r\nabc\r\n0\r\n\r\n',
  '1\r\na\r\n0\r\nX : 1\r\n\r\n',
  '1\r\na\r\n0\r\n\rX',
]

test('a head cut anywhere, in two or in three, is read as when it arrives whole', () => {
  for (const [kind, text] of HEADS) {
    const bytes = Buffer.from(text, 'latin1')
    const whole = readHead(kind, bytes)
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.deepEqual(readHead(kind, bytes, [cut]), whole, `${JSON.stringify(text)} cut at ${cut}`)
      const second = cut + Math.ceil((bytes.length - cut) / 3)
      assert.deepEqual(
        readHead(kind, bytes, [cut, second]),
        whole,
        `${JSON.stringify(text)} at ${cut}, ${second}`,
      )
    }
  }
})

test('a head that arrives a byte at a time is read as when it arrives whole', () => {
  for (const [kind, text] of HEADS) {
    const bytes = Buffer.from(text, 'latin1')
    const everywhere = Array.from({ length: bytes.length }, (_, index) => index)
    assert.deepEqual(readHead(kind, bytes, everywhere), readHead(kind, bytes), JSON.stringify(text))
  }
})

test('a head is read at its last byte, and waited for before', () => {
  for (const [kind, text] of HEADS) {
    const bytes = Buffer.from(text, 'latin1')
    const whole = readHead(kind, bytes)
    if (whole.outcome !== 'read') continue
    assert.deepEqual(readHead(kind, bytes.subarray(0, whole.length)), whole)
    for (let end = 0; end < whole.length; end++) {
      assert.equal(
        readHead(kind, bytes.subarray(0, end)).outcome,
        'incomplete',
        `${JSON.stringify(text)} to ${end}`,
      )
    }
  }
})

// Sent a byte a packet, a long line that were scanned again from its start with every byte would cost the square of
// its length: half a second of a data thread for 32 KiB.
test('bytes that were scanned are not scanned again when more arrive', () => {
  const line = Buffer.from(`${'n'.repeat(3000)}: ${'v'.repeat(3000)}\r\n`.repeat(2))
  let reads = 0
  const counted = new Proxy(line, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) reads++
      return Reflect.get(target, key) as unknown
    },
  })
  const head = new Head()
  head.stage = AT_LINE
  for (let end = 1; end <= line.length; end++) parseFieldLines(head, counted, 0, end, 'trailers')
  assert.equal(head.count, 2)
  assert.ok(reads < line.length * 4, `${reads} reads of ${line.length} bytes`)
})

test('a chunked body cut anywhere, in two or in three, is decoded as when it arrives whole', () => {
  for (const text of BODIES) {
    const bytes = Buffer.from(text, 'latin1')
    const whole = readChunked(bytes)
    for (let cut = 0; cut <= bytes.length; cut++) {
      for (let second = cut; second <= bytes.length; second += 3) {
        assert.deepEqual(
          readChunked(bytes, [cut, second]),
          whole,
          `${JSON.stringify(text)} at ${cut}, ${second}`,
        )
      }
    }
  }
})

test('a chunked body that arrives a byte at a time is decoded as when it arrives whole', () => {
  for (const text of BODIES) {
    const bytes = Buffer.from(text, 'latin1')
    const everywhere = Array.from({ length: bytes.length }, (_, index) => index)
    assert.deepEqual(readChunked(bytes, everywhere), readChunked(bytes), JSON.stringify(text))
  }
})
