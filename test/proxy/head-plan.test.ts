import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOP_BY_HOP, PEER_FIELDS } from '../../src/lib/gateway-field.ts'
import {
  compileRequestStrips,
  keptFields,
  keptTrailerNames,
  nominatedFields,
  responseStrip,
  UNCHANGED_RESPONSE,
} from '../../src/proxy/head-plan.ts'
import { StripSet } from '../../src/proxy/strip-set.ts'
import { parsedGet, parsedRequest, parsedResponse } from './parsed-head.ts'

const NOTHING = new StripSet([])
const OWNED = new Set(['x-company-id'])
const PLAN = compileRequestStrips(OWNED)

/** Names nominated by a request with these Connection lines, sorted; null if none. */
function nominated(...values: readonly string[]): string[] | null {
  const head = parsedGet('/', ...values.map((value) => `Connection: ${value}`))
  const names = nominatedFields(head, PLAN.unnominated)
  return names === null ? null : [...names].sort()
}

describe('the fields that pass', () => {
  // The attack: a length that one reader takes for octal and another for decimal hides a request in a body.
  test('state a length with leading zeros as it was understood', () => {
    const head = parsedRequest('POST / HTTP/1.1', 'Host: a', 'Content-Length: 010', 'X: 1')
    assert.equal(keptFields(head, NOTHING, null), 'Host: a\r\nContent-Length: 10\r\nX: 1\r\n')
  })

  test('keep their order, duplicates, case and values', () => {
    const head = parsedGet('/', 'b: 2', 'A: 1', 'b: 3', 'X-Empty:', 'sEt: a, b;c="d"')
    assert.equal(
      keptFields(head, NOTHING, null),
      'Host: gw.test\r\nb: 2\r\nA: 1\r\nb: 3\r\nX-Empty: \r\nsEt: a, b;c="d"\r\n',
    )
  })

  test('stand with exactly one space behind the colon, however they came', () => {
    const head = parsedGet('/', 'A:1', 'B:   2', 'C: 3 \t', 'D:\t4', 'E: 5')
    assert.equal(keptFields(head, NOTHING, null), 'Host: gw.test\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n')
  })

  test('close up where others are dropped: at the beginning, between, in a row and at the end', () => {
    const drop = new StripSet(['host', 'x'])
    const head = parsedGet('/', 'A: 1', 'X: 1', 'X: 2', 'B:2', 'X: 3', 'C: 3', 'X: 4')
    assert.equal(keptFields(head, drop, null), 'A: 1\r\nB: 2\r\nC: 3\r\n')
  })

  test('are none where all are dropped', () => {
    assert.equal(keptFields(parsedGet('/'), new StripSet(['host']), null), '')
  })

  test('keep bytes beyond ASCII in values as they came', () => {
    assert.equal(
      keptFields(parsedGet('/', 'A: \u00e9\u00ff'), NOTHING, null),
      'Host: gw.test\r\nA: \u00e9\u00ff\r\n',
    )
  })
})

describe('a request plan', () => {
  test('drops what belongs to one connection, Host and every field the gateway states', () => {
    const dropped = [
      ...HOP_BY_HOP,
      'x-company-id',
      'x-request-id',
      'x-process-time',
      'x-forwarded-for',
      'x-forwarded-proto',
      'x-forwarded-host',
    ]
    const lines = dropped.filter((name) => name !== 'transfer-encoding').map((name) => `${name}: close`)
    assert.equal(keptFields(parsedGet('/', ...lines, 'X-Kept: 1'), PLAN.strip, null), 'X-Kept: 1\r\n')
  })

  test('drops the fields only a trusted peer may send, for the others', () => {
    const head = parsedGet('/', ...PEER_FIELDS.map((name) => `${name}: 1`))
    assert.equal(keptFields(head, PLAN.stripUntrusted, null), '')
    assert.equal(keptFields(head, PLAN.strip, null), PEER_FIELDS.map((name) => `${name}: 1\r\n`).join(''))
  })

  // The attack: a trailer is read by some servers as if it had been a header field, after every check was made.
  test('lets no framing, credential or owned field through in a trailer section', () => {
    const trailers = [
      'X-Company-ID',
      'x_company_id',
      'Content-Length',
      'Host',
      'Authorization',
      'Cookie',
      'Forwarded',
      'Via',
    ]
    const head = parsedResponse('HTTP/1.1 200 OK', ...trailers.map((name) => `${name}: 1`), 'X-Sum: 5')
    assert.equal(keptFields(head, PLAN.stripTrailers, null), 'X-Sum: 5\r\n')
  })
})

describe('a response plan', () => {
  const head = parsedResponse(
    'HTTP/1.1 200 OK',
    'Date: now',
    'Content-Length: 0',
    'Content_Length: 7',
    'Access-Control-Allow-Origin: *',
    'X-Request-ID: theirs',
    'X_Process_Time: theirs',
    'Keep-Alive: timeout=5',
    'Set-Cookie: a=1',
    'Set-Cookie: b=2',
  )

  test('drops what the gateway states and what belongs to one connection, each Set-Cookie a line of its own', () => {
    assert.equal(
      keptFields(head, responseStrip(UNCHANGED_RESPONSE, 200, 'program'), null),
      'Date: now\r\nContent-Length: 0\r\nAccess-Control-Allow-Origin: *\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n',
    )
  })

  test('drops the upstream’s word on who may read it, where the request came from a page', () => {
    for (const status of [200, 204]) {
      assert.doesNotMatch(
        keptFields(head, responseStrip(UNCHANGED_RESPONSE, status, 'page'), null),
        /access-control/i,
      )
      assert.match(
        keptFields(head, responseStrip(UNCHANGED_RESPONSE, status, 'program'), null),
        /access-control/i,
      )
    }
  })

  test('leaves a 204 no length', () => {
    for (const reader of ['page', 'program'] as const)
      assert.doesNotMatch(
        keptFields(head, responseStrip(UNCHANGED_RESPONSE, 204, reader), null),
        /content.length/i,
      )
  })
})

describe('the fields that Connection nominates', () => {
  test('are none for the members that speak of the connection itself', () => {
    assert.equal(nominated('close'), null)
    assert.equal(nominated('keep-alive, Upgrade'), null)
  })

  test('are taken from every line and member, lower case', () => {
    assert.deepEqual(nominated('X-One , x-TWO', 'close', 'x-three,'), ['close', 'x-one', 'x-three', 'x-two'])
  })

  // The attack: `Connection: X-Company-ID` makes a proxy remove what it, or one before it, had verified.
  test('are never those that give the request its meaning, nor any the gateway owns, in any spelling', () => {
    const ignored = [
      'Authorization',
      'HOST',
      'Content-Length',
      'content-type',
      'Content_Length',
      'Cache-Control',
      'Cookie',
      'Expect',
      'Via',
      'X-Company-ID',
      'x_company_id',
      'X.Company.ID',
      'X-Request-ID',
      'X-Forwarded-For',
    ]
    for (const name of ignored) assert.equal(nominated(name), null, name)
    assert.deepEqual(nominated([...ignored, 'X-Mine'].join(', ')), ['x-mine'])
  })

  test('are dropped in any case and wherever they stand', () => {
    const head = parsedGet('/', 'X-ONE: 1', 'Connection: x-one', 'x-one: 2', 'X-Two: 3')
    const names = nominatedFields(head, PLAN.unnominated)
    assert.equal(keptFields(head, PLAN.strip, names), 'X-Two: 3\r\n')
  })
})

describe('the Trailer field', () => {
  const announced = (...lines: readonly string[]): string =>
    keptTrailerNames(
      parsedRequest('POST / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked', ...lines),
      PLAN.unnominated,
    )

  test('announces the names that will pass, from all lines', () => {
    assert.equal(announced('Trailer: X-Sum, x-time', 'Trailer: X-More'), 'Trailer: X-Sum, x-time, X-More\r\n')
  })

  test('is left out where none will pass', () => {
    assert.equal(announced(), '')
    assert.equal(announced('Trailer: X-Company-ID, x_company_id, TE, transfer_encoding, a b,'), '')
  })
})
