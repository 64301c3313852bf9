import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type CorsOptions, corsPolicy } from '../../src/policies/cors.ts'
import type { Exchange } from '../../src/proxy/exchange.ts'
import type { Verdict } from '../../src/proxy/policy.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'
import { parsedRequest } from '../proxy/parsed-head.ts'

const PAGE = 'https://app.example.com'
const METHODS = ['GET', 'POST']
const ANY: CorsOptions = { origins: '*', maxAgeS: 600, methods: METHODS }
const LISTED: CorsOptions = { origins: new Set([PAGE]), maxAgeS: 600, methods: METHODS }
const EXPOSED =
  'Access-Control-Expose-Headers: X-Request-ID, X-Process-Time, Retry-After, RateLimit, RateLimit-Policy\r\n'

interface Asked {
  readonly exchange: Exchange
  readonly verdict: Verdict | Promise<Verdict>
}

function ask(options: CorsOptions, method: string, ...lines: readonly string[]): Asked {
  const exchange = exchangeOf(parsedRequest(`${method} /orders HTTP/1.1`, 'Host: gw.test', ...lines))
  return { exchange, verdict: corsPolicy(options).admit(exchange) }
}

function preflight(options: CorsOptions, origin: string, method: string, ...lines: readonly string[]): Asked {
  return ask(options, 'OPTIONS', `Origin: ${origin}`, `Access-Control-Request-Method: ${method}`, ...lines)
}

function isAnswer(verdict: Asked['verdict']): boolean {
  return (
    verdict !== null && !(verdict instanceof Promise) && verdict.kind === 'answer' && verdict.status === 204
  )
}

describe('a response', () => {
  test('without an Origin says nothing, but that it varies by it where origins are listed', () => {
    assert.equal(ask(ANY, 'GET').exchange.answered, '')
    const { exchange, verdict } = ask(LISTED, 'GET')
    assert.deepEqual([exchange.answered, exchange.crossOrigin, verdict], ['Vary: Origin\r\n', false, null])
  })

  test('to any origin is open without credentials where all are allowed', () => {
    for (const origin of [PAGE, 'null', 'http://x:1']) {
      const { exchange, verdict } = ask(ANY, 'GET', `Origin: ${origin}`)
      assert.equal(exchange.answered, `Access-Control-Allow-Origin: *\r\n${EXPOSED}`)
      assert.deepEqual([exchange.crossOrigin, verdict], [true, null])
    }
  })

  test('to a listed origin reflects it, with credentials', () => {
    assert.equal(
      ask(LISTED, 'GET', `Origin: ${PAGE}`).exchange.answered,
      `Vary: Origin\r\nAccess-Control-Allow-Origin: ${PAGE}\r\nAccess-Control-Allow-Credentials: true\r\n${EXPOSED}`,
    )
  })

  // The attack: an origin that a prefix, suffix, regular expression or case-insensitive comparison takes for the
  // listed one reads the answers of whoever is logged in.
  test('to an origin that only resembles a listed one says nothing of it', () => {
    const resembling = [
      'https://app.example.com.evil.test',
      'https://evil-app.example.com',
      'http://app.example.com',
      'https://app.example.com:8443',
      'https://appXexample.com',
      'HTTPS://APP.EXAMPLE.COM',
      'https://app.example.com/',
      `${PAGE}, https://evil.test`,
      'null',
      '*',
    ]
    for (const origin of resembling) {
      const { exchange, verdict } = ask(LISTED, 'GET', `Origin: ${origin}`)
      assert.deepEqual([exchange.answered, exchange.crossOrigin, verdict], ['Vary: Origin\r\n', true, null])
    }
  })

  test('is closed to all where the list is empty', () => {
    const none = { ...LISTED, origins: new Set<string>() }
    assert.equal(ask(none, 'GET', `Origin: ${PAGE}`).exchange.answered, 'Vary: Origin\r\n')
  })
})

describe('a preflight', () => {
  test('for an allowed method is answered, with the asked names repeated', () => {
    const { exchange, verdict } = preflight(
      LISTED,
      PAGE,
      'POST',
      'Access-Control-Request-Headers: authorization,x-one',
    )
    assert.ok(isAnswer(verdict))
    assert.equal(
      exchange.answered,
      `Vary: Origin\r\nAccess-Control-Allow-Origin: ${PAGE}\r\nAccess-Control-Allow-Credentials: true\r\n` +
        'Access-Control-Allow-Methods: GET, POST\r\nAccess-Control-Allow-Headers: authorization,x-one\r\n' +
        'Access-Control-Max-Age: 600\r\n',
    )
  })

  test('that asks for no names gets none', () => {
    for (const lines of [[], ['Access-Control-Request-Headers:']])
      assert.doesNotMatch(preflight(ANY, PAGE, 'GET', ...lines).exchange.answered, /Allow-Headers/)
  })

  test('from an origin that is not listed is answered without permission', () => {
    const { exchange, verdict } = preflight(LISTED, 'https://evil.test', 'GET')
    assert.ok(isAnswer(verdict))
    assert.equal(exchange.answered, 'Vary: Origin\r\n')
  })

  test('for a method that is not allowed, or spelt otherwise, is left to the refusal behind', () => {
    for (const method of ['PATCH', 'get', 'GET, POST', '']) {
      const { exchange, verdict } = preflight(LISTED, PAGE, method)
      assert.equal(verdict, null, method)
      assert.doesNotMatch(exchange.answered, /Allow-Methods/)
    }
  })

  test('is none without an Origin, without a method or by another method', () => {
    assert.equal(ask(ANY, 'OPTIONS', 'Access-Control-Request-Method: GET').verdict, null)
    assert.equal(ask(ANY, 'OPTIONS', `Origin: ${PAGE}`).verdict, null)
    assert.equal(ask(ANY, 'GET', `Origin: ${PAGE}`, 'Access-Control-Request-Method: GET').verdict, null)
  })

  test('is not answered where no route is', () => {
    assert.equal(preflight({ ...ANY, methods: null }, PAGE, 'GET').verdict, null)
  })
})

test('the policy owns no request field', () => {
  assert.deepEqual(corsPolicy(ANY).owns, [])
})
