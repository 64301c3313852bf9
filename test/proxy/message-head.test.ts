import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NO_CHANGES } from '../../src/config/default.ts'
import type { Head } from '../../src/http1/head.ts'
import { Peer } from '../../src/proxy/forwarded.ts'
import {
  compileRequestPlan,
  compileRequestStrips,
  compileResponsePlan,
  type RequestPlan,
  type RequestPlanParts,
  UNCHANGED_RESPONSE,
} from '../../src/proxy/head-plan.ts'
import { asksWebSocket, isIdempotent, requestHead, requestTrailers } from '../../src/proxy/request-head.ts'
import { ResponseDate } from '../../src/proxy/response-date.ts'
import {
  connectionLine,
  interimHead,
  type ResponseFraming,
  responseHead,
  responseTrailers,
  switchedHead,
} from '../../src/proxy/response-head.ts'
import { exchangeOf, routeOwning } from './exchange-of.ts'
import { parsedGet, parsedRequest, parsedResponse } from './parsed-head.ts'

const OWNED = new Set(['x-company-id'])
const PLAN = planWith({})
const ORIGIN = new Peer('192.0.2.7', null).originOf(parsedGet('/'))
const FORWARDED = 'X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: gw.test\r\n'
const DATE = new ResponseDate(() => 0)
const DATE_LINE = 'Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n'

/** To an upstream with the base path `/base`. */
function planWith(own: Partial<RequestPlanParts>): RequestPlan {
  return compileRequestPlan({
    ...{ basePath: '/base', rewrite: null, hostHeader: 'upstream', changes: NO_CHANGES },
    ...{ owned: OWNED, strips: compileRequestStrips(OWNED) },
    ...own,
  })
}

function sent(head: Head, kind: 'plain' | 'upgrade' = 'plain', plan = PLAN): string {
  const exchange = exchangeOf(head, routeOwning('x-company-id'))
  exchange.assert('X-Company-ID', 'acme')
  return requestHead(head, exchange, plan, ORIGIN, 'orders.test:8080', kind)
}

function targetOf(text: string): string {
  return text.slice(0, text.indexOf('\r\n'))
}

describe('a request towards the upstream', () => {
  test('is the client’s, stripped first, with what the gateway states behind it', () => {
    const head = parsedRequest(
      'POST /a/b?c=%20d HTTP/1.1',
      'X-Company-ID: evil',
      'Host: gw.test',
      'b: 2',
      'Content-Length: 3',
      'x_company_id: evil',
      'Connection: keep-alive, x-mine',
      'X-Mine: 1',
      'B: 3',
    )
    assert.equal(
      sent(head),
      'POST /base/a/b?c=%20d HTTP/1.1\r\nHost: orders.test:8080\r\nb: 2\r\nContent-Length: 3\r\nB: 3\r\n' +
        `X-Company-ID: acme\r\nX-Request-ID: request-1\r\n${FORWARDED}Via: 1.1 nyro\r\n\r\n`,
    )
  })

  test('has the target exactly as it came behind the base path', () => {
    const targets = [
      ['/', '/base/'],
      ['//x//', '/base//x//'],
      ['/a%2Fb;p=1?q=%zz&q', '/base/a%2Fb;p=1?q=%zz&q'],
      ['/?', '/base/?'],
      ['http://gw.test/a?b', '/base/a?b'],
      ['http://gw.test', '/base/'],
      ['http://gw.test?b=/c', '/base/?b=/c'],
    ]
    for (const [target, expected] of targets)
      assert.equal(targetOf(sent(parsedGet(target ?? ''))), `GET ${expected} HTTP/1.1`)
  })

  test('says what the client said in Host where the upstream is to see it, and the endpoint’s where it said none', () => {
    const plan = planWith({ hostHeader: 'keep' })
    assert.match(sent(parsedGet('/'), 'plain', plan), /\r\nHost: gw\.test\r\n/)
    assert.match(sent(parsedGet('http://other.test:81/'), 'plain', plan), /\r\nHost: other\.test:81\r\n/)
    assert.match(sent(parsedRequest('GET / HTTP/1.0'), 'plain', plan), /\r\nHost: orders\.test:8080\r\n/)
  })

  test('has its path rewritten on segment boundaries and nothing else of its target', () => {
    const rewrites = [
      ['/v2', '/api/v1', '/v2/a?b=/v2', '/base/api/v1/a?b=/v2'],
      ['/v2', '/api/v1', '/v2', '/base/api/v1'],
      ['/v2', '/api/v1', '/v2/', '/base/api/v1/'],
      ['/v2', '', '/v2', '/base/'],
      ['/v2', '', '/v2?x', '/base/?x'],
      ['/v2', '', '/v2/', '/base/'],
      ['/v2', '', '/v2//a', '/base//a'],
      ['/v2/', '/', '/v2/a%2Fb', '/base/a%2Fb'],
      ['/v2', '', '/v2x/a', '/base/v2x/a'],
      ['/v2', '', '/V2/a', '/base/V2/a'],
      ['/v2', '', '/%762/a', '/base/%762/a'],
      ['', '/add', '/a', '/base/add/a'],
      ['', '/add', '/', '/base/add/'],
      ['', '/add', 'http://gw.test', '/base/add/'],
      ['', '/add', 'http://gw.test?b', '/base/add/?b'],
    ]
    for (const [stripPrefix = '', addPrefix = '', target = '', expected] of rewrites) {
      const plan = planWith({ rewrite: { stripPrefix, addPrefix } })
      assert.equal(targetOf(sent(parsedGet(target), 'plain', plan)), `GET ${expected} HTTP/1.1`, target)
    }
  })

  test('has the fields its route sets, adds and removes', () => {
    const changes = {
      set: [{ name: 'X-Api', value: 'v2' }],
      add: [{ name: 'X-Tag', value: 'gateway' }],
      remove: ['x-debug'],
    }
    const head = parsedGet('/', 'x-api: v1', 'X-Tag: client', 'X_Debug: 1', 'X-Debug: 2', 'Accept: */*')
    assert.equal(
      sent(head, 'plain', planWith({ changes })),
      'GET /base/ HTTP/1.1\r\nHost: orders.test:8080\r\nX-Tag: client\r\nAccept: */*\r\nX-Api: v2\r\nX-Tag: gateway\r\n' +
        `X-Company-ID: acme\r\nX-Request-ID: request-1\r\n${FORWARDED}Via: 1.1 nyro\r\n\r\n`,
    )
    const trailers = parsedResponse('HTTP/1.1 200 OK', 'X-Api: v1', 'X-Sum: 5')
    assert.equal(requestTrailers(trailers, planWith({ changes })), 'X-Sum: 5\r\n')
  })

  // The attack: whoever may write a route's changes, but not its policies, states another tenant.
  test('cannot have a field changed that the gateway owns, nor how it is framed or where it goes', () => {
    const names = [
      'X-Company-ID',
      'x_company_id',
      'X-Request-ID',
      'X-Forwarded-For',
      'Forwarded',
      'Host',
      'Content-Length',
    ]
    const framing = ['Transfer-Encoding', 'Connection', 'Te', 'content_length']
    const changed = [...names, ...framing].map((name) => ({ name, value: 'evil' }))
    const changes = {
      set: changed,
      add: changed,
      remove: [...names, ...framing].map((name) => name.toLowerCase()),
    }
    const head = parsedRequest('POST / HTTP/1.1', 'Host: gw.test', 'Content-Length: 3')
    assert.equal(sent(head, 'plain', planWith({ changes })), sent(head))
  })

  test('names the version it was received by', () => {
    assert.match(
      sent(parsedRequest('GET / HTTP/1.0')),
      /^GET \/base\/ HTTP\/1\.1\r\n[\s\S]*Via: 1\.0 nyro\r\n/,
    )
  })

  test('keeps the Via of those before and an Expect to be answered by the upstream', () => {
    assert.match(
      sent(parsedGet('/', 'Via: 1.1 edge', 'Expect: 100-continue')),
      /Via: 1\.1 edge\r\nExpect: 100-continue\r\n/,
    )
  })

  test('is chunked where the client’s is, and announces the trailers that will pass', () => {
    const head = parsedRequest(
      'PUT /x HTTP/1.1',
      'Host: a',
      'transfer-encoding: CHUNKED',
      'Trailer: X-Company-ID, X-Sum',
    )
    assert.match(sent(head), /nyro\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n$/)
    assert.doesNotMatch(sent(head), /CHUNKED/)
  })

  test('that switches protocols says so itself', () => {
    const head = parsedGet(
      '/',
      'Connection: keep-alive, upgrade',
      'Upgrade: WebSocket',
      'Sec-WebSocket-Key: k',
    )
    assert.match(sent(head, 'upgrade'), /\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n$/)
    assert.doesNotMatch(sent(head), /upgrade/i)
  })

  test('passes trailers but those that are owned or frame', () => {
    const trailers = parsedResponse('HTTP/1.1 200 OK', 'X-Sum: 5', 'X.Company.ID: evil', 'Content-Length: 3')
    assert.equal(requestTrailers(trailers, PLAN), 'X-Sum: 5\r\n')
    assert.equal(requestTrailers(null, PLAN), '')
  })
})

describe('a WebSocket is asked for', () => {
  const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket']

  test('by a GET without a body, in any case', () => {
    assert.equal(asksWebSocket(parsedGet('/', ...UPGRADE)), true)
    assert.equal(
      asksWebSocket(parsedGet('/', 'connection: UPGRADE', 'upgrade: WebSocket', 'Content-Length: 0')),
      true,
    )
  })

  // The attack: h2c carries further requests that no policy sees, and a body before the switch can be read as frames.
  test('by nothing else', () => {
    const others = [
      parsedGet('/', 'Upgrade: websocket'),
      parsedGet('/', 'Connection: Upgrade'),
      parsedGet('/', 'Connection: Upgrade', 'Upgrade: h2c'),
      parsedGet('/', 'Connection: Upgrade', 'Upgrade: websocket, h2c'),
      parsedGet('/', ...UPGRADE, 'Content-Length: 1'),
      parsedGet('/', ...UPGRADE, 'Transfer-Encoding: chunked'),
      parsedRequest('POST / HTTP/1.1', 'Host: a', ...UPGRADE),
      parsedRequest('get / HTTP/1.1', 'Host: a', ...UPGRADE),
    ]
    for (const head of others) assert.equal(asksWebSocket(head), false, head.text)
  })
})

test('a method may be repeated only if RFC 9110 calls it idempotent, in exactly that spelling', () => {
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'])
    assert.ok(isIdempotent(method), method)
  for (const method of ['POST', 'PATCH', 'CONNECT', 'get', 'GETS', 'PURGE', ''])
    assert.ok(!isIdempotent(method), method)
})

describe('a response towards the client', () => {
  const worded = (
    head: Head,
    framing: ResponseFraming = 'as-is',
    connection = '',
    crossOrigin = false,
  ): string => {
    const exchange = exchangeOf()
    exchange.crossOrigin = crossOrigin
    exchange.answer('Vary', 'Origin')
    return responseHead(head, exchange, framing, connection, DATE, 1_234.5)
  }
  const COMMON = 'Vary: Origin\r\nX-Request-ID: request-1\r\nX-Process-Time: 1.234500\r\n'

  test('has the upstream’s status, reason and fields, and the gateway’s behind them', () => {
    const head = parsedResponse(
      'HTTP/1.1 299 Odd  Reason',
      'Date: then',
      'Content-Length: 2',
      'Server: x',
      'X-Request-ID: theirs',
    )
    assert.equal(
      worded(head),
      `HTTP/1.1 299 Odd  Reason\r\nDate: then\r\nContent-Length: 2\r\nServer: x\r\n${COMMON}\r\n`,
    )
  })

  test('has an empty reason where the upstream gave none', () => {
    assert.match(worded(parsedResponse('HTTP/1.1 200 ', 'Date: x')), /^HTTP\/1\.1 200 \r\n/)
    assert.match(worded(parsedResponse('HTTP/1.1 200', 'Date: x')), /^HTTP\/1\.1 200 \r\n/)
  })

  test('is HTTP/1.1 whatever the upstream speaks', () => {
    assert.match(worded(parsedResponse('HTTP/1.0 200 OK')), /^HTTP\/1\.1 200 OK\r\n/)
  })

  test('gets a Date only where there is none', () => {
    assert.equal(worded(parsedResponse('HTTP/1.1 200 OK')), `HTTP/1.1 200 OK\r\n${DATE_LINE}${COMMON}\r\n`)
  })

  test('says how it is framed and what becomes of the connection', () => {
    const head = parsedResponse(
      'HTTP/1.1 200 OK',
      'Date: x',
      'Transfer-Encoding: chunked',
      'Connection: close',
    )
    assert.equal(
      worded(head, 'chunked', 'Connection: close\r\n'),
      `HTTP/1.1 200 OK\r\nDate: x\r\n${COMMON}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
    )
  })

  test('leaves who may read it to the gateway where a page asked', () => {
    const head = parsedResponse(
      'HTTP/1.1 200 OK',
      'Date: x',
      'Access-Control-Allow-Origin: *',
      'Access_Control_Allow_Credentials: true',
    )
    assert.doesNotMatch(worded(head, 'as-is', '', true), /access.control/i)
    assert.match(worded(head), /Access-Control-Allow-Origin: \*/)
  })

  test('has the fields its route sets, adds and removes, the gateway’s own answers included', () => {
    const plan = compileResponsePlan({
      set: [{ name: 'X-Frame-Options', value: 'DENY' }],
      add: [{ name: 'Vary', value: 'Accept' }],
      remove: ['x-powered-by'],
    })
    const exchange = exchangeOf(parsedGet('/'), { ...routeOwning(), response: plan })
    const fields = ['Date: x', 'X-Powered-By: php', 'x_frame_options: ALLOW', 'Vary: Origin']
    const head = parsedResponse('HTTP/1.1 200 OK', ...fields)
    assert.equal(
      responseHead(head, exchange, 'as-is', '', DATE, 1_000),
      `HTTP/1.1 200 OK\r\nDate: x\r\nVary: Origin\r\nX-Frame-Options: DENY\r\nVary: Accept\r\nX-Request-ID: request-1\r\nX-Process-Time: 1.000000\r\n\r\n`,
    )
    assert.match(
      switchedHead(
        parsedResponse('HTTP/1.1 101 Switching', 'Upgrade: websocket', 'X-Powered-By: php'),
        exchange,
        0,
      ),
      /^HTTP\/1\.1 101 Switching\r\nX-Frame-Options: DENY\r\nVary: Accept\r\nX-Request-ID/,
    )
    assert.equal(
      interimHead(parsedResponse('HTTP/1.1 103 Hints', 'X-Powered-By: php', 'Link: a'), plan),
      'HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n',
    )
    assert.equal(
      responseTrailers(parsedResponse('HTTP/1.1 200 OK', 'X-Powered-By: php', 'X-Sum: 5'), plan),
      'X-Sum: 5\r\n',
    )
    assert.equal(plan.ownLines, plan.lines)
  })

  test('keeps what the gateway states, frames and dates by, whatever its route changes', () => {
    const names = [
      'X-Request-ID',
      'x_process_time',
      'Access-Control-Allow-Origin',
      'Content-Length',
      'Transfer-Encoding',
      'Date',
      'Connection',
    ]
    const changed = names.map((name) => ({ name, value: 'evil' }))
    const plan = compileResponsePlan({
      set: changed,
      add: changed,
      remove: names.map((name) => name.toLowerCase()),
    })
    assert.equal(plan, UNCHANGED_RESPONSE)
  })

  test('of the gateway’s own is not said to be what only an upstream’s can be', () => {
    const plan = compileResponsePlan({
      set: [
        { name: 'Content-Type', value: 'text/html' },
        { name: 'X-A', value: '1' },
      ],
      add: [{ name: 'ETag', value: '"1"' }],
      remove: [],
    })
    assert.equal(plan.lines, 'Content-Type: text/html\r\nX-A: 1\r\nETag: "1"\r\n')
    assert.equal(plan.ownLines, 'X-A: 1\r\n')
  })

  test('that is interim carries what the upstream said and nothing of the gateway’s', () => {
    const head = parsedResponse('HTTP/1.1 103 Early Hints', 'Link: </a>', 'Connection: close')
    assert.equal(interimHead(head, UNCHANGED_RESPONSE), 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')
  })

  test('that switches protocols names the protocol and is not framed', () => {
    const head = parsedResponse(
      'HTTP/1.1 101 Switching',
      'Connection: upgrade',
      'Upgrade: WebSocket',
      'Sec-WebSocket-Accept: k',
    )
    assert.equal(
      switchedHead(head, exchangeOf(), 1_000),
      'HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: k\r\nX-Request-ID: request-1\r\nX-Process-Time: 1.000000\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n',
    )
  })

  test('has trailers without framing, cookies and fields of the gateway’s', () => {
    const trailers = parsedResponse(
      'HTTP/1.1 200 OK',
      'X-Sum: 5',
      'Set-Cookie: a=1',
      'Content-Length: 3',
      'X-Request-ID: theirs',
      'Access-Control-Allow-Origin: *',
    )
    assert.equal(responseTrailers(trailers, UNCHANGED_RESPONSE), 'X-Sum: 5\r\n')
    assert.equal(responseTrailers(null, UNCHANGED_RESPONSE), '')
  })
})

test('a client is told of the connection only where the version would mean something else', () => {
  assert.equal(connectionLine(1, 'stays'), '')
  assert.equal(connectionLine(0, 'stays'), 'Connection: keep-alive\r\n')
  assert.equal(connectionLine(1, 'closes'), 'Connection: close\r\n')
  assert.equal(connectionLine(0, 'closes'), 'Connection: close\r\n')
})
