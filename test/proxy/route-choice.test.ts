import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pickChoice } from '../../src/proxy/route-choice.ts'

describe('the upstreams of a route', () => {
  /** How often each is drawn in 1,000 even draws. */
  function drawn(...weights: readonly number[]): number[] {
    let draw = 0
    const upstream = { random: () => (draw++ % 1_000) / 1_000 }
    const choices = weights.map((weight) => ({ upstream, weight }))
    const counts = weights.map(() => 0)
    for (let times = 0; times < 1_000; times++) {
      const at = choices.indexOf(pickChoice(choices))
      counts[at] = (counts[at] ?? 0) + 1
    }
    return counts
  }

  test('are drawn by weight', () => {
    assert.deepEqual(drawn(90, 10), [900, 100])
    assert.deepEqual(drawn(1, 1, 2), [250, 250, 500])
  })

  test('are not drawn with weight 0, wherever they stand', () => {
    assert.deepEqual(drawn(0, 1, 0), [0, 1_000, 0])
  })

  test('that are but one are not drawn at all', () => {
    const only = { upstream: { random: () => assert.fail('drawn') }, weight: 7 }
    assert.equal(pickChoice([only]), only)
  })
})
