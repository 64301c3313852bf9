import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_HEAD_BYTES } from '../../src/http1/head-parser.ts'
import { type Outcome, type Reading, readHead } from './reading.ts'

function outcomeOf(text: string): Outcome {
  return readHead('response', Buffer.from(text, 'latin1'))
}

function reading(text: string): Reading {
  const outcome = outcomeOf(text)
  assert.ok(outcome.outcome === 'read', `${JSON.stringify(text)}: ${JSON.stringify(outcome)}`)
  return outcome
}

function codeOf(text: string): string {
  const outcome = outcomeOf(text)
  return outcome.outcome === 'refused' ? outcome.code : outcome.outcome
}

test('tells the parts of a response apart', () => {
  const text = 'HTTP/1.0 404 Not Found\r\nContent-Length: 5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n'
  const read = reading(`${text}hello`)
  assert.deepEqual(read.start, ['404', 'Not Found'])
  assert.equal(read.minor, 0)
  assert.equal(read.length, text.length)
  assert.equal(read.contentLength, 5)
  assert.deepEqual(read.fields.slice(1), [
    ['Set-Cookie', 'a'],
    ['Set-Cookie', 'b'],
  ])
})

test('takes every reason-phrase, none, and none without its space', () => {
  for (const [line, reason] of [
    ['HTTP/1.1 200 OK', 'OK'],
    ['HTTP/1.1 200 a\tb  c', 'a\tb  c'],
    ['HTTP/1.1 200 \u00fc', '\u00fc'],
    ['HTTP/1.1 200  OK', ' OK'],
    ['HTTP/1.1 200 ', ''],
    ['HTTP/1.1 200', ''],
    ['HTTP/1.1 200 1.1', '1.1'],
  ] as const) {
    assert.deepEqual(reading(`${line}\r\n\r\n`).start, ['200', reason], JSON.stringify(line))
  }
})

test('takes a status from 100 to 599', () => {
  for (const status of [100, 101, 199, 200, 299, 418, 599]) {
    assert.equal(reading(`HTTP/1.1 ${status} X\r\n\r\n`).start[0], String(status))
  }
  for (const status of ['000', '099', '600', '999', '20', '2000', '-20', '20x', ' 200', '']) {
    assert.equal(codeOf(`HTTP/1.1 ${status} X\r\n\r\n`), 'malformed', status)
  }
})

test('refuses a status-line that is not one', () => {
  for (const line of [
    '',
    'HTTP/1.1',
    'HTTP/1.1200 OK',
    'HTTP/1.1  200 OK',
    'HTTP/1.1\t200 OK',
    'HTTP/1.1 200\tOK',
    'HTTP/1.1 200OK',
    'http/1.1 200 OK',
    'HTTP/1 200 OK',
    'HTTP/11.1 200 OK',
    'ICY 200 OK',
    ' HTTP/1.1 200 OK',
    '\r\nHTTP/1.1 200 OK',
    'HTTP/1.1 200 O\u0000K',
    'HTTP/1.1 200 OK\u007f',
    'HTTP/1.1 200 OK\r',
    'GET / HTTP/1.1',
  ]) {
    assert.equal(codeOf(`${line}\r\nX: 1\r\n\r\n`), 'malformed', JSON.stringify(line))
  }
  assert.equal(codeOf('HTTP/1.1 200 OK\n'), 'malformed')
  assert.equal(codeOf('HTTP/1.1 200 OK\rX'), 'malformed')
  assert.equal(codeOf('HTTP/1.1 200\n'), 'malformed')
})

test('knows a version it does not speak', () => {
  for (const version of ['0.9', '1.2', '2.0']) {
    assert.equal(codeOf(`HTTP/${version} 200 OK\r\n\r\n`), 'version_unsupported', version)
  }
})

test('has no rules for Host', () => {
  assert.equal(reading('HTTP/1.1 200 OK\r\nHost: a b\r\nHost: c\r\n\r\n').fields.length, 2)
})

test('refuses a head from the first byte over the limit on', () => {
  const start = 'HTTP/1.1 200 '
  const filler = 'x'.repeat(MAX_HEAD_BYTES - start.length - 4)
  assert.equal(codeOf(`${start}${filler}\r\n\r\nbody`), 'read')
  assert.equal(codeOf(`${start}${filler}x\r\n\r\n`), 'head_too_large')
  assert.equal(codeOf(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(MAX_HEAD_BYTES)}`), 'head_too_large')
})
