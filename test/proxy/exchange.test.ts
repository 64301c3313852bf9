import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exchangeOf, routeOwning } from './exchange-of.ts'
import { parsedGet } from './parsed-head.ts'

describe('an exchange', () => {
  test('asserts fields that a policy owns, in their order and spelling', () => {
    const exchange = exchangeOf(parsedGet('/'), routeOwning('x-company-id', 'x-plan'))
    exchange.assert('X-Company-ID', 'acme')
    exchange.assert('X-Plan', 'pro')
    assert.equal(exchange.asserted, 'X-Company-ID: acme\r\nX-Plan: pro\r\n')
  })

  // The attack is an honest mistake: a field that nobody owns was never stripped, so the client's copy would stand
  // beside the one asserted.
  test('refuses to assert what no policy owns', () => {
    const exchange = exchangeOf(parsedGet('/'), routeOwning('x-company-id'))
    for (const name of ['X-Role', 'X_Company_ID', ''])
      assert.throws(() => exchange.assert(name, 'admin'), /owns/)
    assert.equal(exchange.asserted, '')
  })

  test('answers fields to the client', () => {
    const exchange = exchangeOf()
    exchange.answer('Vary', 'Origin')
    exchange.answer('X-Left', '3')
    assert.equal(exchange.answered, 'Vary: Origin\r\nX-Left: 3\r\n')
  })
})
