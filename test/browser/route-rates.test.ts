import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type RouteSample, ratesOf, withSample } from '../../ui/src/route-rates.ts'

/** A route that had so many requests at that second, each of 2 ms, a tenth of them with 5xx. */
function sample(second: number, requests: number): RouteSample {
  const totals = { route: 'orders', requests, clientErrors: 0, serverErrors: requests / 10 }
  return { atMs: second * 1_000, totals: [{ ...totals, timed: requests, ms: requests * 2 }] }
}

function after(...samples: readonly RouteSample[]) {
  return ratesOf(samples.reduce<readonly RouteSample[]>(withSample, [])).get('orders')
}

describe('rates of routes', () => {
  test('are of the time that samples span', () => {
    assert.deepEqual(after(sample(0, 100), sample(10, 200)), {
      ...{ perSecond: 10, clientErrorShare: 0, serverErrorShare: 0.1, latencyMs: 2 },
    })
  })

  test('are of the last minute and not of what was before', () => {
    assert.equal(after(sample(0, 0), sample(30, 9_000), sample(90, 9_060))?.perSecond, 1)
  })

  test('are unknown from one sample, and none where nothing ended', () => {
    assert.equal(after(sample(0, 100)), undefined)
    const { perSecond, latencyMs } = after(sample(0, 100), sample(1, 100)) ?? {}
    assert.deepEqual([perSecond, latencyMs], [0, null])
  })

  test('count a route from its first request', () => {
    assert.equal(after({ atMs: 0, totals: [] }, sample(10, 50))?.perSecond, 5)
  })
})
