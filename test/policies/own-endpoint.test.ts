import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ownEndpoints, withoutSlash } from '../../src/policies/own-endpoint.ts'
import { refusePolicy, respondPolicy } from '../../src/policies/respond.ts'
import { failure } from '../../src/proxy/failure.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'
import { parsedGet, parsedRequest } from '../proxy/parsed-head.ts'

let isReady = true
const endpoints = ownEndpoints('Nyro API Gateway', () => isReady)

/** Status and body, or the failure's code. */
function asked(path: string): readonly [number, unknown] {
  const verdict = endpoints.get(path)?.(exchangeOf(parsedGet(path)))
  assert.ok(verdict !== undefined)
  const { status } = verdict
  return verdict.kind === 'failure' ? [status, verdict.code] : [status, JSON.parse(verdict.body.toString())]
}

describe('own endpoints', () => {
  test('are these four', () => {
    assert.deepEqual([...endpoints.keys()].sort(), ['/', '/health', '/health/live', '/health/ready'])
  })

  test('answer what clients of old expect while ready', () => {
    isReady = true
    assert.deepEqual(asked('/'), [200, { message: 'Nyro API Gateway is running!' }])
    assert.deepEqual(asked('/health'), [200, { status: 'healthy', service: 'Nyro API Gateway' }])
    assert.equal(asked('/health/live')[0], 200)
    assert.equal(asked('/health/ready')[0], 200)
  })

  test('ask for readiness at each request, which life does not depend on', () => {
    isReady = false
    assert.deepEqual(asked('/health'), [503, 'draining'])
    assert.deepEqual(asked('/health/ready'), [503, 'draining'])
    assert.equal(asked('/health/live')[0], 200)
    assert.equal(asked('/')[0], 200)
    isReady = true
    assert.equal(asked('/health')[0], 200)
  })
})

describe('a slash too many', () => {
  const locationOf = (...lines: readonly string[]): string =>
    withoutSlash(exchangeOf(parsedRequest(...lines))).fields

  test('leads to the same without it, query included', () => {
    assert.equal(
      locationOf('GET /docs/?a=/b HTTP/1.1', 'Host: gw.test:81'),
      'Location: http://gw.test:81/docs?a=/b\r\n',
    )
  })

  test('leads to the path alone where the client names no host', () => {
    assert.equal(locationOf('GET /docs/ HTTP/1.0'), 'Location: /docs\r\n')
  })

  test('leads to the authority that counts', () => {
    assert.equal(
      locationOf('GET http://a.test/docs/ HTTP/1.1', 'Host: b.test'),
      'Location: http://a.test/docs\r\n',
    )
  })

  test('keeps the method: it is a 307', () => {
    assert.equal(withoutSlash(exchangeOf(parsedGet('/docs/'))).status, 307)
  })
})

test('a route’s end answers or refuses, whoever asks', () => {
  const refusal = failure('route_unknown')
  assert.equal(refusePolicy(refusal).admit(exchangeOf()), refusal)
  const exchange = exchangeOf()
  assert.equal(
    respondPolicy((given) => (given === exchange ? refusal : failure('internal'))).admit(exchange),
    refusal,
  )
})
