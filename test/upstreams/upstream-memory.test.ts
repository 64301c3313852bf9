import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BreakerConfig } from '../../src/config/config.ts'
import { machineMs } from '../../src/lib/clock.ts'
import { ENDPOINT_SLOTS, UPSTREAM_SLOTS, UpstreamMemory } from '../../src/upstreams/upstream-memory.ts'

const BREAKER: BreakerConfig = { failures: 0.5, windowMs: 10_000, minimum: 1, openMs: 5_000 }

function staged(rows = 2) {
  const time = { nowMs: 50_000 }
  const memory = UpstreamMemory.create(rows, time.nowMs)
  // Every thread's own clock began at another time.
  const at = (row: number | null, startMs = 0) =>
    new UpstreamMemory(memory, row, { monotonicMs: () => time.nowMs - startMs, machineMs: () => time.nowMs })
  return { time, memory, at }
}

describe('the memory of upstreams', () => {
  test('is small, and a thread more costs little', () => {
    const { byteLength } = UpstreamMemory.create(2, 0)
    assert.ok(byteLength < 2 ** 20 + 2 ** 18, `${byteLength} bytes`)
    assert.ok(UpstreamMemory.create(3, 0).byteLength - byteLength <= 32 * 1_024)
  })

  test('has one time for all threads, whenever each of them began', () => {
    const { time, at } = staged()
    const [one, other] = [at(0, 10_000), at(1, 45_000)]
    time.nowMs += 1_234
    assert.equal(one.sharedMs(time.nowMs - 10_000), 1_234)
    assert.equal(other.sharedMs(time.nowMs - 45_000), 1_234)
  })

  test('reads a clock of the machine that moves', () => {
    const before = machineMs()
    assert.ok(before > 0 && machineMs() >= before)
  })

  test('keeps the first and the last slots apart from what is beside them', () => {
    const { at } = staged()
    const memory = at(1)
    const control = at(null)
    const last = ENDPOINT_SLOTS - 1
    memory.exchanges.enter(last)
    memory.endpointState(last).breaker.failed(BREAKER, 0)
    control.setHealth(0, 'down')
    assert.equal(memory.connections.tryTake(UPSTREAM_SLOTS - 1, 1), true)
    assert.deepEqual(control.describeEndpoint(last), {
      inFlight: 1,
      breaker: 'open',
      health: 'up',
      duty: 'enabled',
    })
    assert.deepEqual(control.describeEndpoint(0), {
      inFlight: 0,
      breaker: 'closed',
      health: 'down',
      duty: 'enabled',
    })
    assert.deepEqual(control.describeEndpoint(last - 1), {
      inFlight: 0,
      breaker: 'closed',
      health: 'up',
      duty: 'enabled',
    })
    assert.deepEqual([control.openConnections(UPSTREAM_SLOTS - 1), control.openConnections(0)], [1, 0])
  })

  test('gives back what a dead thread held, its probes too, and nothing of the others', () => {
    const { at } = staged()
    const [one, other, control] = [at(0), at(1), at(null)]
    for (const memory of [one, one, other]) {
      memory.exchanges.enter(5)
      memory.connections.tryTake(3, 10)
    }
    const { breaker } = one.endpointState(5)
    breaker.failed(BREAKER, 0)
    assert.equal(breaker.enter(BREAKER, 5_100), 'probe')
    control.reclaim(0)
    control.reclaim(0)
    assert.deepEqual(control.describeEndpoint(5), {
      inFlight: 1,
      breaker: 'open',
      health: 'up',
      duty: 'enabled',
    })
    assert.equal(control.openConnections(3), 1)
  })

  test('forgets an endpoint whose slot is to stand for another', () => {
    const { at } = staged()
    const control = at(null)
    control.setHealth(7, 'down')
    at(0).endpointState(7).breaker.failed(BREAKER, 0)
    at(0).endpointState(7).refused(0)
    control.resetEndpoint(7)
    assert.deepEqual(control.describeEndpoint(7), {
      inFlight: 0,
      breaker: 'closed',
      health: 'up',
      duty: 'enabled',
    })
    assert.equal(at(1).endpointState(7).isRefusing(0), false)
  })

  test('has control carry no exchange', () => {
    assert.throws(() => staged().at(null).exchanges.enter(0), RangeError)
  })
})

describe('an endpoint’s share', () => {
  test('grows from a tenth to the whole while it comes back, and is whole otherwise', () => {
    const { time, at } = staged()
    const state = at(0).endpointState(1)
    assert.equal(state.share(10_000, 0), 1)
    at(null).setHealth(1, 'down')
    time.nowMs += 1_000
    at(null).setHealth(1, 'up')
    assert.equal(state.share(10_000, 1_000), 0.1)
    assert.equal(state.share(10_000, 6_000), 0.55)
    assert.equal(state.share(10_000, 11_000), 1)
    assert.equal(state.share(0, 1_000), 1)
  })

  test('does not begin anew when a probe says again what is known', () => {
    const { time, at } = staged()
    at(null).setHealth(1, 'down')
    at(null).setHealth(1, 'up')
    time.nowMs += 8_000
    at(null).setHealth(1, 'up')
    assert.ok(at(0).endpointState(1).share(10_000, 8_000) > 0.8)
  })

  test('grows after its breaker closed, too', () => {
    const { at } = staged()
    const state = at(0).endpointState(1)
    state.breaker.failed(BREAKER, 0)
    assert.equal(state.breaker.enter(BREAKER, 5_100), 'probe')
    state.breaker.probeSucceeded(5_100)
    assert.equal(state.share(10_000, 5_100), 0.1)
  })
})

describe('an endpoint that refused', () => {
  test('is known to all threads for a second', () => {
    const { at } = staged()
    at(0).endpointState(1).refused(2_000)
    const seen = at(1).endpointState(1)
    assert.deepEqual([seen.isRefusing(2_999), seen.isRefusing(3_000)], [true, false])
  })

  test('is forgiven once it accepted somebody', () => {
    const { at } = staged()
    const seen = at(1).endpointState(1)
    at(0).endpointState(1).refused(2_000)
    assert.deepEqual([seen.hasRefused, seen.isRefusing(2_100)], [true, true])
    at(0).endpointState(1).accepted()
    assert.deepEqual([seen.hasRefused, seen.isRefusing(2_100)], [false, false])
  })
})
