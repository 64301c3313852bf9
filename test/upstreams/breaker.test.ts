import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BreakerConfig } from '../../src/config/config.ts'
import { BREAKER_CELLS, Breaker } from '../../src/upstreams/breaker.ts'

const CONFIG: BreakerConfig = { failures: 0.5, windowMs: 10_000, minimum: 20, openMs: 5_000 }

/** One breaker as two threads see it, and a clock. */
function staged() {
  const cells = new Int32Array(new SharedArrayBuffer(BREAKER_CELLS * Int32Array.BYTES_PER_ELEMENT))
  const [one, other] = [new Breaker(cells, 0, 0), new Breaker(cells, 0, 1)]
  const count = (succeeded: number, failed: number, nowMs: number): void => {
    for (let times = 0; times < succeeded; times++) one.succeeded(CONFIG, nowMs)
    for (let times = 0; times < failed; times++) other.failed(CONFIG, nowMs)
  }
  const opened = (nowMs = 1_000): void => {
    count(0, CONFIG.minimum, nowMs)
    assert.equal(one.state, 'open')
  }
  return { one, other, count, opened }
}

describe('a closed breaker', () => {
  test('lets everything pass', () => {
    const { one } = staged()
    assert.deepEqual([one.state, one.admits(CONFIG, 0), one.enter(CONFIG, 0)], ['closed', true, 'free'])
  })

  test('opens for all threads when the share of failures is reached', () => {
    const { one, other, count } = staged()
    count(10, 9, 1_000)
    count(0, 0, 1_000)
    assert.equal(other.state, 'closed')
    count(0, 1, 1_000)
    assert.deepEqual([one.state, other.state], ['open', 'open'])
  })

  test('says nothing before it has seen the minimum', () => {
    const { one, count } = staged()
    count(0, 19, 1_000)
    assert.equal(one.state, 'closed')
  })

  test('stays closed while fewer fail than the share', () => {
    const { one, count } = staged()
    count(60, 40, 1_000)
    assert.equal(one.state, 'closed')
  })

  test('forgets what lies before its window', () => {
    const { one, count } = staged()
    count(0, 19, 1_000)
    count(0, 5, 11_500)
    assert.equal(one.state, 'closed')
    count(0, 15, 11_600)
    assert.equal(one.state, 'open')
  })
})

describe('an open breaker', () => {
  test('lets nothing pass for its time, and then one that probes', () => {
    const { one, other, opened } = staged()
    opened(1_000)
    assert.deepEqual([one.admits(CONFIG, 5_900), one.enter(CONFIG, 5_900)], [false, 'barred'])
    assert.equal(other.admits(CONFIG, 6_000), true)
    assert.equal(other.enter(CONFIG, 6_000), 'probe')
    assert.deepEqual(
      [one.state, one.admits(CONFIG, 6_000), one.enter(CONFIG, 6_000)],
      ['probing', false, 'barred'],
    )
  })

  test('is not kept open by outcomes that come late', () => {
    const { one, opened, count } = staged()
    opened(1_000)
    count(0, 50, 5_900)
    assert.equal(one.enter(CONFIG, 6_000), 'probe')
  })
})

describe('a probing breaker', () => {
  function probing() {
    const stage = staged()
    stage.opened(1_000)
    assert.equal(stage.one.enter(CONFIG, 6_000), 'probe')
    return stage
  }

  test('closes when the probe succeeds, and has forgotten why it opened', () => {
    const { one, other, count } = probing()
    one.probeSucceeded(6_100)
    assert.deepEqual([other.state, other.enter(CONFIG, 6_100)], ['closed', 'free'])
    count(0, 10, 6_200)
    assert.equal(other.state, 'closed')
  })

  test('opens for its whole time again when the probe fails', () => {
    const { one, other } = probing()
    one.probeFailed(6_100)
    assert.deepEqual(
      [other.state, other.admits(CONFIG, 11_000), other.admits(CONFIG, 11_100)],
      ['open', false, true],
    )
  })

  test('lets the next probe when this one ended without saying anything', () => {
    const { one, other } = probing()
    one.probeCalledOff()
    assert.equal(other.enter(CONFIG, 6_100), 'probe')
  })

  // The fault: a thread dies with the probe, and the endpoint is never tried again.
  test('lets the next probe when the thread of this one is gone, and only then', () => {
    const { one, other } = probing()
    one.reclaim(1)
    assert.equal(other.state, 'probing')
    one.reclaim(0)
    assert.equal(other.enter(CONFIG, 6_100), 'probe')
  })

  test('is not closed by the late outcome of another exchange', () => {
    const { one, count } = probing()
    count(100, 0, 6_100)
    assert.equal(one.state, 'probing')
  })
})

test('a breaker opens and closes after 25 days, when its milliseconds have wrapped', () => {
  const { one, count } = staged()
  const lateMs = 2 ** 31 - 2_000
  count(0, 20, lateMs)
  assert.deepEqual([one.admits(CONFIG, lateMs + 4_900), one.admits(CONFIG, lateMs + 5_000)], [false, true])
})
