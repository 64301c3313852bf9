// Each refusal below is a known way to make two readers of one request disagree: on where it ends (smuggling), on
// whose it is (Host), or on what its fields are (folding, white space, control characters).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldNameHash } from '../../src/http1/field-name.ts'
import { MAX_HEAD_BYTES, MAX_TARGET_BYTES } from '../../src/http1/head-parser.ts'
import { type Outcome, type Reading, readHead } from './reading.ts'

function outcomeOf(text: string): Outcome {
  return readHead('request', Buffer.from(text, 'latin1'))
}

function reading(text: string): Reading {
  const outcome = outcomeOf(text)
  assert.ok(outcome.outcome === 'read', `${JSON.stringify(text.slice(0, 200))}: ${JSON.stringify(outcome)}`)
  return outcome
}

function codeOf(text: string): string {
  const outcome = outcomeOf(text)
  return outcome.outcome === 'refused' ? outcome.code : outcome.outcome
}

function withLine(line: string): string {
  return `GET / HTTP/1.1\r\nHost: a\r\n${line}\r\n\r\n`
}

test('tells the parts of a request apart', () => {
  const text = 'POST /api/v1/query?a=/b?c HTTP/1.1\r\nHost: api.example:8080\r\nX-A: 1\r\nx-a:2\r\n\r\n'
  assert.deepEqual(reading(`${text}GET /next`), {
    outcome: 'read',
    length: text.length,
    start: ['POST', '/api/v1/query?a=/b?c'],
    minor: 1,
    fields: [
      ['Host', 'api.example:8080'],
      ['X-A', '1'],
      ['x-a', '2'],
    ],
    hashes: ['host', 'x-a', 'x-a'].map(fieldNameHash),
    path: '/api/v1/query',
    host: 'api.example:8080',
    contentLength: -1,
    chunked: false,
    keepAlive: true,
    upgrade: false,
    expectContinue: false,
    nominates: false,
  })
})

test('takes any token for a method, its case kept', () => {
  for (const method of ['GET', 'get', 'M-SEARCH', 'PRI', "!#$%&'*+-.^_`|~09aZ", 'X'.repeat(1000)]) {
    assert.equal(reading(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`).start[0], method)
  }
})

const TARGETS: readonly (readonly [target: string, path: string, host: string])[] = [
  ['/', '/', 'field'],
  ['/a/b', '/a/b', 'field'],
  ['/?', '/', 'field'],
  ['/a?b?c', '/a', 'field'],
  ['//x/../%2e%2E;/', '//x/../%2e%2E;/', 'field'],
  ['/"<>\\^`{|}', '/"<>\\^`{|}', 'field'],
  ['http://a.b:80/c?d', '/c', 'a.b:80'],
  ['http://a.b', '/', 'a.b'],
  ['http://a.b?c', '/', 'a.b'],
  ['HTTPS://[::1]/x', '/x', '[::1]'],
]

test('tells path, query and authority of a target apart; the authority of an absolute-form counts', () => {
  for (const [target, path, host] of TARGETS) {
    const read = reading(`GET ${target} HTTP/1.1\r\nHost: field\r\n\r\n`)
    assert.deepEqual([read.start[1], read.path, read.host], [target, path, host])
  }
  assert.equal(reading('OPTIONS * HTTP/1.1\r\nHost: field\r\n\r\n').path, '*')
  assert.equal(reading('GET http://a/ HTTP/1.1\r\nHost: \r\n\r\n').host, 'a')
})

test('skips up to four empty lines before a request, as after a body that ended in one too many', () => {
  const text = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'
  assert.deepEqual({ ...reading(`\r\n\r\n\r\n\r\n${text}`), length: 0 }, { ...reading(text), length: 0 })
  assert.equal(reading(`\r\n${text}`).length, text.length + 2)
  assert.equal(codeOf(`\r\n\r\n\r\n\r\n\r\n${text}`), 'malformed')
})

const REFUSED_LINES: Readonly<Record<string, readonly string[]>> = {
  'a start-line that is not method, space, target, space, version': [
    'GET / ',
    'GET /',
    'GET  / HTTP/1.1',
    'GET /  HTTP/1.1',
    'GET / HTTP/1.1 ',
    ' GET / HTTP/1.1',
    'GET\t/ HTTP/1.1',
    'GET / \tHTTP/1.1',
    'GET  HTTP/1.1',
    'GE(T / HTTP/1.1',
    'G\u00c4T / HTTP/1.1',
    '/ HTTP/1.1',
    'GET /a b HTTP/1.1',
    'GET / HTTP/1.1 x',
    'Extra lineGET / HTTP/1.1',
  ],
  'a target of no form that is for us': [
    'GET a HTTP/1.1',
    'GET a:80 HTTP/1.1',
    'GET * HTTP/1.1',
    'OPTIONS ** HTTP/1.1',
    'OPTIONS *?a HTTP/1.1',
    'options * HTTP/1.1',
    'GET ?a HTTP/1.1',
    'GET ../etc HTTP/1.1',
    'GET http:/a HTTP/1.1',
    'GET http:// HTTP/1.1',
    'GET http:///a HTTP/1.1',
    'GET http://?a HTTP/1.1',
    'GET http://u@a/ HTTP/1.1',
    'GET http://a:b/ HTTP/1.1',
    'GET http://a\\b/ HTTP/1.1',
    'GET ftp://a/ HTTP/1.1',
    'GET httpx://a/ HTTP/1.1',
    'CONNECT a:80 HTTP/1.1',
    'CONNECT / HTTP/1.1',
    'CONNECT http://a/ HTTP/1.1',
  ],
  'anything but visible ASCII in a target, and a fragment': [
    'GET /a#b HTTP/1.1',
    'GET /\u00e4 HTTP/1.1',
    'GET /\u0000 HTTP/1.1',
    'GET /\u007f HTTP/1.1',
    'GET /\t HTTP/1.1',
    'GET /\u001b[0m HTTP/1.1',
  ],
  'a version that is none': [
    'GET / http/1.1',
    'GET / HTTP/1',
    'GET / HTTP/1.',
    'GET / HTTP/.1',
    'GET / HTTP/11.1',
    'GET / HTTP/1.10',
    'GET / HTTP/1,1',
    'GET / HTTP/a.b',
    'GET / HTTPS/1.1',
    'GET / ICE/1.0',
    'GET / RTSP/1.0',
  ],
}

for (const [what, lines] of Object.entries(REFUSED_LINES)) {
  test(`refuses ${what}`, () => {
    for (const line of lines)
      assert.equal(codeOf(`${line}\r\nHost: a\r\n\r\n`), 'malformed', JSON.stringify(line))
  })
}

test('knows a version it does not speak from one that is none', () => {
  for (const version of ['0.9', '1.2', '1.9', '2.0', '3.0', '9.9', '0.0']) {
    assert.equal(codeOf(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`), 'version_unsupported', version)
  }
  assert.equal(codeOf('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 'version_unsupported')
})

test('refuses every line end but CRLF, at once and not when the head is complete', () => {
  for (const text of [
    '\n',
    '\rG',
    'GET / HTTP/1.1\n',
    'GET / HTTP/1.1\rH',
    'GET / HTTP/1.1\r\r',
    'GET / HTTP/1.1\r\n\n',
    'GET / HTTP/1.1\r\n\rX',
    'GET / HTTP/1.1\r\nHost: a\n',
    'GET / HTTP/1.1\r\nHost: a\rX',
    'GET / HTTP/1.1\r\nHost:\n',
    'GET / HTTP/1.1\r\nHost\n',
    'GET / HTTP/1.1\r\nHost: a\r\n\r\r',
  ]) {
    assert.equal(codeOf(text), 'malformed', JSON.stringify(text))
    assert.equal(codeOf(text.slice(0, -1)), 'incomplete', JSON.stringify(text))
  }
})

test('takes every token for a name and refuses every byte that is none in it', () => {
  for (let byte = 0; byte < 256; byte++) {
    const character = String.fromCharCode(byte)
    const isToken = /[!#$%&'*+.^_`|~0-9A-Za-z-]/.test(character)
    // A colon ends the name: what follows is value.
    const expected = isToken || character === ':' ? 'read' : 'malformed'
    assert.equal(codeOf(withLine(`X${character}A: 1`)), expected, `byte ${byte}`)
  }
})

test('takes HTAB, SP, visible ASCII and obs-text for a value and refuses every other byte in it', () => {
  for (let byte = 0; byte < 256; byte++) {
    const isContent = byte === 0x09 || (byte >= 0x20 && byte !== 0x7f)
    for (const line of ['X: ab#cd', 'X: #', 'X:#ab', 'X: abcdefg#']) {
      const text = withLine(line.replace('#', String.fromCharCode(byte)))
      assert.equal(codeOf(text), isContent ? 'read' : 'malformed', `byte ${byte} in ${line}`)
    }
  }
})

test('refuses white space where a field line has none, and folded lines', () => {
  for (const line of [
    'X : 1',
    'X\t: 1',
    ' X: 1',
    '\tX: 1',
    'X: 1\r\n 2',
    'X: 1\r\n\t2',
    'X:\r\n 1',
    ': 1',
    'X',
    'X\r\n: 1',
  ]) {
    assert.equal(codeOf(withLine(line)), 'malformed', JSON.stringify(line))
  }
  assert.equal(codeOf('GET / HTTP/1.1\r\n Host: a\r\n\r\n'), 'malformed')
})

test('trims SP and HTAB around a value, nothing else and nothing within', () => {
  for (const [sent, value] of [
    ['', ''],
    [' ', ''],
    [' \t \t', ''],
    ['a', 'a'],
    [' \t a \t b\t ', 'a \t b'],
    ['\u00a0a\u00a0', '\u00a0a\u00a0'],
    [': a:b', ': a:b'],
  ] as const) {
    assert.deepEqual(reading(withLine(`X:${sent}`)).fields[1], ['X', value])
  }
})

test('grows with the number of fields and keeps their order', () => {
  const lines = Array.from({ length: 1000 }, (_, index) => `X-${index}: ${index}`)
  const { fields } = reading(withLine(lines.join('\r\n')))
  assert.deepEqual(
    fields.slice(1),
    lines.map((line) => line.split(': ')),
  )
})

test('requires exactly one well-formed Host in HTTP/1.1', () => {
  assert.equal(codeOf('GET / HTTP/1.1\r\n\r\n'), 'malformed')
  assert.equal(codeOf('GET http://a/ HTTP/1.1\r\n\r\n'), 'malformed')
  assert.equal(codeOf('GET / HTTP/1.1\r\nHost:\r\n\r\n'), 'malformed')
  assert.equal(codeOf('GET / HTTP/1.1\r\nHo_st: a\r\nHost.: a\r\n\r\n'), 'malformed')
  for (const start of ['GET / HTTP/1.1', 'GET / HTTP/1.0', 'GET http://a/ HTTP/1.1']) {
    assert.equal(codeOf(`${start}\r\nHost: a\r\nHost: a\r\n\r\n`), 'malformed', start)
    assert.equal(codeOf(`${start}\r\nHost:\r\nhOST: a\r\n\r\n`), 'malformed', start)
    for (const host of ['a b', 'u@a', 'a/b', 'a, b', '[::1', '\u00ff', 'http://a']) {
      assert.equal(codeOf(`${start}\r\nHost: ${host}\r\n\r\n`), 'malformed', `${start}, ${host}`)
    }
  }
})

test('asks for no Host in HTTP/1.0', () => {
  assert.equal(reading('GET / HTTP/1.0\r\n\r\n').host, '')
  assert.equal(reading('GET / HTTP/1.0\r\nHost:\r\n\r\n').host, '')
  assert.equal(reading('GET / HTTP/1.0\r\nHost: a\r\n\r\n').host, 'a')
})

test('refuses a head from the first byte over the limit on, wherever it is', () => {
  const start = 'GET / HTTP/1.1\r\nHost: a\r\nX: '
  const filler = 'x'.repeat(MAX_HEAD_BYTES - start.length - 4)
  assert.equal(codeOf(`${start}${filler}\r\n\r\n`), 'read')
  assert.equal(codeOf(`${start}${filler}\r\n\r\n GET`), 'read')
  assert.equal(codeOf(`${start}${filler}x\r\n\r\n`), 'head_too_large')
  assert.equal(codeOf(`\r\n${start}${filler}\r\n\r\n`), 'head_too_large')
  assert.equal(codeOf(`${start}${filler}\r\n\r`), 'incomplete')
  assert.equal(codeOf(`${start}${filler}xxx`), 'incomplete')
  assert.equal(codeOf(`${start}${filler}xxxx`), 'head_too_large')
  assert.equal(codeOf(withLine('a:\r\n'.repeat(MAX_HEAD_BYTES / 4).trimEnd())), 'head_too_large')
  assert.equal(codeOf('G'.repeat(MAX_HEAD_BYTES - 1)), 'incomplete')
  assert.equal(codeOf('G'.repeat(MAX_HEAD_BYTES)), 'head_too_large')
  assert.equal(codeOf(withLine('x'.repeat(MAX_HEAD_BYTES))), 'head_too_large')
})

test('refuses a target from the first byte over the limit on, however the line goes on', () => {
  const target = `/${'t'.repeat(MAX_TARGET_BYTES - 1)}`
  assert.equal(reading(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).path, target)
  assert.equal(codeOf(`GET ${target}`), 'incomplete')
  assert.equal(codeOf(`GET ${target}t`), 'target_too_long')
  assert.equal(codeOf(`GET ${target}t HTTP/1.1\r\nHost: a\r\n\r\n`), 'target_too_long')
  assert.equal(codeOf(`GET ${target}${'t'.repeat(MAX_HEAD_BYTES)}`), 'target_too_long')
})
