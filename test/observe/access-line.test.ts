import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PLAIN_ACCESS } from '../../src/observe/access-format.ts'
import { accessLevel, accessLine } from '../../src/observe/access-line.ts'
import type { Exchange } from '../../src/proxy/exchange.ts'
import { CLIENT_IP, exchangeOf, REQUEST_ID } from '../proxy/exchange-of.ts'
import { parsedGet, parsedRequest } from '../proxy/parsed-head.ts'
import { identityOf } from '../support/identity.ts'

const WALL_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

/** An access line parsed, by its own keys. */
interface AccessRecord {
  readonly level?: unknown
  readonly timestamp?: unknown
  readonly method?: unknown
  readonly path?: unknown
  readonly status_code?: unknown
  readonly duration?: unknown
  readonly company_id?: unknown
  readonly subject?: unknown
  readonly aborted?: unknown
  readonly code?: unknown
}

function recordOf(exchange: Exchange, durationMs = 12.5): AccessRecord {
  const line = accessLine(exchange, accessLevel(exchange), WALL_MS, durationMs, 'usual', PLAIN_ACCESS)
  assert.match(line, /^[ -~]+$/, 'not one line of printable ASCII')
  return JSON.parse(line) as AccessRecord
}

function who(exchange: Exchange, subject: string, tenant = 'acme'): void {
  exchange.identity = identityOf({ subject, tenant })
}

describe('an access line', () => {
  test('says what happened, in the keys of old', () => {
    const exchange = exchangeOf(parsedGet('/orders/1?secret=1'))
    who(exchange, 'user-1')
    exchange.status = 200
    exchange.endpoint = '10.0.0.1:80'
    exchange.bytesIn = 3
    exchange.bytesOut = 87
    assert.deepEqual(recordOf(exchange), {
      timestamp: '2026-01-02T03:04:05.678Z',
      level: 'info',
      logger: 'nyro.access',
      event: 'Request finished',
      request_id: REQUEST_ID,
      method: 'GET',
      path: '/orders/1',
      status_code: 200,
      duration: 0.0125,
      company_id: 'acme',
      subject: 'user-1',
      client_ip: CLIENT_IP,
      route: 'orders',
      target: '10.0.0.1:80',
      bytes_in: 3,
      bytes_out: 87,
    })
  })

  test('leaves out what there is none of', () => {
    const keys = Object.keys(recordOf(exchangeOf()))
    for (const absent of ['company_id', 'subject', 'target', 'code', 'aborted'])
      assert.ok(!keys.includes(absent), absent)
  })

  test('says that the client left, and what the gateway failed it with', () => {
    const exchange = exchangeOf()
    exchange.aborted = true
    exchange.code = 'upstream_timeout'
    const { aborted, code } = recordOf(exchange)
    assert.deepEqual([aborted, code], [true, 'upstream_timeout'])
  })

  // The attack: a path or a claim with quotes, newlines or terminal escapes forges fields, lines or what an operator
  // sees on the screen.
  test('is one JSON line whatever the path holds', () => {
    for (let code = 0x21; code < 0x7f; code++) {
      const character = String.fromCharCode(code)
      if (character === '#' || character === '?') continue
      const path = `/a${character}b`
      let head: ReturnType<typeof parsedGet>
      try {
        head = parsedGet(path)
      } catch {
        continue
      }
      assert.equal(recordOf(exchangeOf(head)).path, path)
    }
    const forged = '/","status_code":500,"x":"'
    assert.equal(recordOf(exchangeOf(parsedGet(forged))).path, forged)
    assert.equal(recordOf(exchangeOf(parsedGet(forged))).status_code, 0)
  })

  test('is one JSON line whatever a token says', () => {
    const hostile = [
      'a"b\\c',
      'line\nbreak\r\u2028\u2029',
      '\u0000\u0007\u001b[31m\u007f\u009b',
      '","level":"critical',
      'Zoë \u{1f600} \ud800 \udc00',
      '</script>',
      '',
    ]
    for (const subject of hostile) {
      const exchange = exchangeOf()
      who(exchange, subject, subject)
      const record = recordOf(exchange)
      assert.deepEqual([record.subject, record.company_id, record.level], [subject, subject, 'info'])
    }
  })

  test('is one JSON line whatever token a method is', () => {
    const method = "!#$%&'*+-.^_`|~09azAZ"
    assert.equal(recordOf(exchangeOf(parsedRequest(`${method} / HTTP/1.1`, 'Host: a'))).method, method)
  })

  test('has the moment and the level of each line, however close they come', () => {
    const fine = exchangeOf()
    const broken = exchangeOf()
    broken.code = 'internal'
    broken.status = 500
    for (const [exchange, level, wallMs] of [
      [fine, 'info', WALL_MS],
      [broken, 'error', WALL_MS],
      [fine, 'info', WALL_MS],
      [fine, 'info', WALL_MS + 1],
      [broken, 'error', WALL_MS + 1],
      [fine, 'info', WALL_MS - 3_600_000],
    ] as const) {
      const line = accessLine(exchange, accessLevel(exchange), wallMs, 0, 'usual', PLAIN_ACCESS)
      const record = JSON.parse(line) as AccessRecord
      assert.deepEqual([record.level, record.timestamp], [level, new Date(wallMs).toISOString()])
    }
  })

  test('gives its duration in seconds, with microseconds', () => {
    for (const [durationMs, seconds] of [
      [0, 0],
      [0.0004, 0],
      [0.001, 0.000001],
      [1, 0.001],
      [999.9996, 1],
      [1_234.567, 1.234567],
      [59_999.9, 59.9999],
      [3_600_000, 3_600],
      [86_400_000.5, 86_400.0005],
    ] as const)
      assert.equal(recordOf(exchangeOf(), durationMs).duration, seconds, String(durationMs))
  })
})

test('the level is information, a warning where a client was refused, an error where it was failed', () => {
  for (const [code, status, level] of [
    [null, 200, 'info'],
    [null, 404, 'info'],
    [null, 503, 'info'],
    ['token_missing', 401, 'warning'],
    ['connect_failed', 503, 'error'],
    ['version_unsupported', 505, 'error'],
  ] as const) {
    const exchange = exchangeOf()
    exchange.code = code
    exchange.status = status
    assert.equal(accessLevel(exchange), level, `${code} ${status}`)
  }
})
