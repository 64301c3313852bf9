// Request smuggling by chunks: a size, an extension or a line end that two readers take differently moves the place
// where the next request starts. Whatever is not plainly one chunk after the other is refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChunkedDecoder, MAX_TRAILER_BYTES } from '../../src/http1/chunked-decoder.ts'
import { type BodyReading, readChunked } from './body-reading.ts'

function reading(text: string): BodyReading {
  const outcome = readChunked(Buffer.from(text, 'latin1'))
  assert.ok(outcome.outcome === 'read', `${JSON.stringify(text.slice(0, 200))}: ${JSON.stringify(outcome)}`)
  return outcome
}

function codeOf(text: string): string {
  const outcome = readChunked(Buffer.from(text, 'latin1'))
  return outcome.outcome === 'refused' ? outcome.code : outcome.outcome
}

test('puts the payload together, whatever the chunks, and stops at its end', () => {
  for (const [text, payload] of [
    ['0\r\n\r\n', ''],
    ['5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['1\r\nh\r\n1\r\ne\r\n3\r\nllo\r\n0\r\n\r\n', 'hello'],
    ['A\r\n0123456789\r\na\r\n0123456789\r\n000\r\n\r\n', '01234567890123456789'],
    ['0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n', 'hello'],
    ['6\r\n0\r\n\r\n!\r\n0\r\n\r\n', '0\r\n\r\n!'],
  ] as const) {
    const { length, payload: read } = reading(`${text}GET / HTTP/1.1\r\n\r\n`)
    assert.deepEqual([length, read], [text.length, payload], JSON.stringify(text))
  }
})

test('refuses a size that is not hexadecimal digits alone', () => {
  for (const line of [
    '',
    ' ',
    'g',
    '-1',
    '+1',
    ' 1',
    '\t1',
    '1 ',
    '1\t',
    '1 ;a',
    '0x1',
    '1h',
    '1,1',
    '1.0',
    '1\u0000',
    '\u00b2',
    '1_0',
    '\r\n1',
  ]) {
    assert.equal(codeOf(`${line}\r\nx\r\n0\r\n\r\n`), 'malformed', JSON.stringify(line))
  }
})

test('refuses a size that a number, or a 64-bit reader, could not hold', () => {
  assert.equal(codeOf('fffffffffffff\r\n'), 'incomplete')
  assert.equal(codeOf('000fffffffffffff\r\n'), 'incomplete')
  for (const size of [
    '10000000000000',
    'ffffffffffffff',
    '00000000000000005',
    '10000000000000005',
    'f'.repeat(64),
  ]) {
    assert.equal(codeOf(`${size}\r\n`), 'malformed', size)
  }
  // At once: the line of an endless size never ends.
  assert.equal(codeOf('0'.repeat(17)), 'malformed')
})

test('refuses every line end but CRLF around sizes and payload', () => {
  for (const text of [
    '1\nx\r\n0\r\n\r\n',
    '1\rx\r\n0\r\n\r\n',
    '1\r\r\nx\r\n0\r\n\r\n',
    '1\r\nx\n0\r\n\r\n',
    '1\r\nx\r0\r\n\r\n',
    '1\r\nx0\r\n\r\n',
    '1\r\nxy\r\n0\r\n\r\n',
    '1\r\nx\r\n\r\n0\r\n\r\n',
    '0\n\r\n',
    '0\r\n\n',
    '0\r\n\rx',
    '1;a\nx\r\n0\r\n\r\n',
    '1;a\rx\r\n0\r\n\r\n',
    '1;a="b\n"\r\nx\r\n0\r\n\r\n',
  ]) {
    assert.equal(codeOf(text), 'malformed', JSON.stringify(text))
  }
})

test('drops well-formed extensions', () => {
  for (const extension of [
    ';a',
    ';a=b',
    ';a="b"',
    ';a=""',
    ';a="\\""',
    ';a="\\\\"',
    ';a="\t ;,=\u00fc"',
    ';a;b=c;d="e"',
    ";!#$%&'*+-.^_`|~=~",
  ]) {
    assert.equal(reading(`1${extension}\r\nx\r\n0${extension}\r\n\r\n`).payload, 'x', extension)
  }
})

test('refuses extensions that are not well-formed', () => {
  for (const extension of [
    ';',
    ';;',
    ';a;',
    ';;a',
    ';=',
    ';=b',
    ';a=',
    ';a=;b',
    ';a==b',
    ';a=b=c',
    '; a',
    ';a ',
    ';a =b',
    ';a= b',
    ';a="b',
    ';a=b"',
    ';a="b"c',
    ';a="b" ',
    ';a="\u0000"',
    ';a="\u007f"',
    ';a="\\\u0000"',
    ';\u00fc',
    ';a\u0000',
    ';"a"',
    'a=b;c',
  ]) {
    assert.equal(codeOf(`1${extension}\r\nx\r\n0\r\n\r\n`), 'malformed', JSON.stringify(extension))
  }
})

test('refuses extensions of 256 bytes in one chunk, as soon as they are that long', () => {
  const longest = `;${'e'.repeat(254)}`
  assert.equal(reading(`1${longest}\r\nx\r\n1${longest}\r\ny\r\n0${longest}\r\n\r\n`).payload, 'xy')
  assert.equal(codeOf(`1${longest}`), 'incomplete')
  assert.equal(codeOf(`1${longest}e`), 'malformed')
  assert.equal(codeOf(`1;a="${'e'.repeat(252)}`), 'malformed')
})

test('keeps trailers apart, by the grammar of fields, without letting them frame anything', () => {
  assert.deepEqual(reading('0\r\n\r\n').trailers, [])
  const { trailers, payload, length } = reading(
    '1\r\nx\r\n0\r\nX-Sum: 1\r\nx_sum:\t2 \r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\nHost: a b\r\n\r\nrest',
  )
  assert.deepEqual(trailers, [
    ['X-Sum', '1'],
    ['x_sum', '2'],
    ['Content-Length', '9'],
    ['Transfer-Encoding', 'gzip'],
    ['Host', 'a b'],
  ])
  assert.equal(payload, 'x')
  assert.equal(
    length,
    '1\r\nx\r\n0\r\nX-Sum: 1\r\nx_sum:\t2 \r\nContent-Length: 9\r\nTransfer-Encoding: gzip\r\nHost: a b\r\n\r\n'
      .length,
  )
})

test('gives of trailers their text and offsets into it, as of a head', () => {
  const decoder = new ChunkedDecoder()
  const bytes = Buffer.from('0\r\nX-A: 1\r\nX-B: 2\r\n\r\n')
  assert.equal(decoder.decode(bytes, 0, bytes.length), bytes.length)
  assert.equal(decoder.trailers?.text, 'X-A: 1\r\nX-B: 2\r\n')
  assert.equal(decoder.trailers?.get('x-b'), '2')
  decoder.reset()
  assert.equal(decoder.trailers, null)
})

test('refuses trailers that are no fields', () => {
  for (const line of [
    'X : 1',
    ' X: 1',
    'X',
    ': 1',
    'X: \u0001',
    'X: 1\r\n y',
    'X: 1\n',
    'X\u00fc: 1',
    'GET / HTTP/1.1',
  ]) {
    assert.equal(codeOf(`0\r\n${line}\r\n\r\n`), 'malformed', JSON.stringify(line))
    assert.equal(codeOf(`0\r\nX-A: 1\r\n${line}\r\n\r\n`), 'malformed', JSON.stringify(line))
  }
})

test('refuses a trailer section over its limit, as soon as it is known', () => {
  const filler = 'x'.repeat(MAX_TRAILER_BYTES - 'X: '.length - 4)
  assert.equal(reading(`0\r\nX: ${filler}\r\n\r\nrest`).trailers[0]?.[1], filler)
  assert.equal(codeOf(`0\r\nX: ${filler}x\r\n\r\n`), 'head_too_large')
  assert.equal(codeOf(`0\r\nX: ${filler}xxx`), 'incomplete')
  assert.equal(codeOf(`0\r\nX: ${filler}xxxx`), 'head_too_large')
  assert.equal(codeOf(`0\r\n${'a:\r\n'.repeat(MAX_TRAILER_BYTES)}`), 'head_too_large')
})

test('moves the payload of a call together where the bytes lie', () => {
  const decoder = new ChunkedDecoder()
  const bytes = Buffer.from('##3\r\nabc\r\n2\r\nde\r\n4\r\nfg')
  assert.equal(decoder.decode(bytes, 2, bytes.length), bytes.length)
  assert.equal(bytes.toString('latin1', decoder.payloadStart, decoder.payloadEnd), 'abcdefg')
  assert.equal(decoder.payloadStart, 5)
  assert.ok(!decoder.done)

  const rest = Buffer.from('hi\r\n0\r\n\r\nNEXT')
  assert.equal(rest.toString('latin1', decoder.decode(rest, 0, rest.length)), 'NEXT')
  assert.equal(rest.toString('latin1', decoder.payloadStart, decoder.payloadEnd), 'hi')
  assert.ok(decoder.done)
})

test('gives the payload of one chunk where it lies, without moving it', () => {
  const decoder = new ChunkedDecoder()
  const bytes = Buffer.from('5\r\nhello\r\n0\r\n\r\n')
  const before = bytes.toString('latin1')
  decoder.decode(bytes, 0, bytes.length)
  assert.deepEqual([decoder.payloadStart, decoder.payloadEnd], [3, 8])
  assert.equal(bytes.toString('latin1'), before)
})

test('consumes nothing more once the body is done, until reset', () => {
  const decoder = new ChunkedDecoder()
  const bytes = Buffer.from('0\r\n\r\n')
  assert.equal(decoder.decode(bytes, 0, 5), 5)
  assert.equal(decoder.decode(bytes, 0, 5), 0)
  decoder.reset()
  assert.ok(!decoder.done)
  assert.equal(decoder.decode(bytes, 0, 5), 5)
})

test('starts anew after reset, whatever was left of the last body', () => {
  const decoder = new ChunkedDecoder()
  for (const left of [
    '',
    '5',
    '5;a="',
    '5\r',
    '5\r\nhe',
    '5\r\nhello',
    '5\r\nhello\r',
    '0\r\n',
    '0\r\n\r',
    '0\r\nX: ',
    'x',
  ]) {
    const part = Buffer.from(left)
    decoder.decode(part, 0, part.length)
    decoder.reset()
    const bytes = Buffer.from('2\r\nhi\r\n0\r\n\r\n')
    assert.equal(decoder.decode(bytes, 0, bytes.length), bytes.length, left)
    assert.equal(bytes.toString('latin1', decoder.payloadStart, decoder.payloadEnd), 'hi', left)
    assert.equal(decoder.trailers, null)
    decoder.reset()
  }
})
