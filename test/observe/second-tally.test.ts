import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SecondTally } from '../../src/observe/second-tally.ts'
import type { Exchange } from '../../src/proxy/exchange.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'
import { identityOf } from '../support/identity.ts'

const NOW_MS = 1_700_000_000_000

function endedWith(status: number, code: string | null): Exchange {
  const exchange = exchangeOf()
  exchange.identity = identityOf({ tenant: 'acme' })
  exchange.status = status
  exchange.code = code
  return exchange
}

function stage() {
  const tally = new SecondTally((code) => code === 'rate_limited')
  const add = (status: number, code: string | null): void =>
    tally.add(endedWith(status, code), 2, () => NOW_MS)
  return { tally, add }
}

describe('a second of a thread', () => {
  test('says what became of its exchanges, and whose they were', () => {
    const { tally, add } = stage()
    add(200, null)
    add(404, null)
    add(429, 'rate_limited')
    add(502, 'connect_failed')
    add(500, null)
    const { requests, clientErrors, serverErrors, tenants, failures } = tally.take(7)
    assert.deepEqual([requests, clientErrors, serverErrors], [5, 2, 2])
    assert.deepEqual([...tenants], [['acme', { requests: 5, refusals: 1, durationMs: 10 }]])
    assert.deepEqual(
      failures.map(({ status, code, atMs }) => [status, code, atMs]),
      [
        [429, 'rate_limited', NOW_MS],
        [502, 'connect_failed', NOW_MS],
        [500, null, NOW_MS],
      ],
    )
    assert.equal(tally.take(8).requests, 0)
  })

  test('keeps as many of its failures with 5xx as of the others, however many there are of one kind', () => {
    const { tally, add } = stage()
    for (let second = 0; second < 2; second++) {
      for (let count = 0; count < 1_000; count++) add(429, 'rate_limited')
      for (let count = 0; count < 1_000; count++) add(503, null)
      const { failures, clientErrors } = tally.take(second)
      assert.equal(clientErrors, 1_000)
      assert.deepEqual(
        [429, 503].map((status) => failures.filter((failed) => failed.status === status).length),
        [16, 16],
      )
    }
  })
})
