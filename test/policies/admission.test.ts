import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { admissionPolicy, leavePlace } from '../../src/policies/admission.ts'
import type { Exchange } from '../../src/proxy/exchange.ts'
import { SLOT, Stage } from '../admission/desk.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'
import { identityOf } from '../support/identity.ts'

function policyOf(stage: Stage) {
  const gate = stage.gates[0]
  if (gate === undefined) throw new Error('no thread')
  const policy = admissionPolicy({
    gate,
    upstreams: [{ slot: SLOT, name: 'orders', timeoutMs: 1_500 }],
    weightOf: () => 1,
    nowMs: () => stage.nowMs,
  })
  return { gate, policy }
}

function exchangeFrom(tenant: string): Exchange {
  const exchange = exchangeOf()
  exchange.identity = identityOf({ tenant })
  return exchange
}

describe('the admission policy', () => {
  test('holds a place from admission to the end, and not twice', async () => {
    const stage = new Stage({ concurrency: 2, queue: 2, timeoutMs: 1_500 })
    const { policy } = policyOf(stage)
    const exchange = exchangeFrom('a')
    assert.equal(policy.admit(exchange), null)
    assert.deepEqual([stage.inUse, exchange.entered], [1, SLOT])
    policy.settle?.(exchange)
    policy.settle?.(exchange)
    assert.deepEqual([stage.inUse, exchange.entered], [0, -1])
  })

  test('waits where no place is free, and goes on with one', async () => {
    const stage = new Stage({ concurrency: 1, queue: 2, timeoutMs: 1_500 })
    const { policy } = policyOf(stage)
    const [first, second] = [exchangeFrom('a'), exchangeFrom('b')]
    assert.equal(policy.admit(first), null)
    const verdict = policy.admit(second)
    assert.ok(verdict instanceof Promise)
    await stage.settle()
    policy.settle?.(first)
    await stage.settle()
    assert.deepEqual([await verdict, second.entered, stage.inUse], [null, SLOT, 1])
  })

  test('refuses with 503 and when to try again once the time is over', async () => {
    const stage = new Stage({ concurrency: 1, queue: 2, timeoutMs: 1_500 })
    const { policy } = policyOf(stage)
    void policy.admit(exchangeFrom('a'))
    const verdict = policy.admit(exchangeFrom('a'))
    await stage.settle()
    stage.nowMs += 1_500
    stage.scheduler.sweep()
    await stage.settle()
    const refusal = await verdict
    assert.ok(refusal !== null && refusal.kind === 'failure')
    assert.deepEqual(
      [refusal.code, refusal.status, refusal.fields],
      ['upstream_saturated', 503, 'Retry-After: 2\r\n'],
    )
  })

  test('keeps no place for a client that left while it waited', async () => {
    const stage = new Stage({ concurrency: 1, queue: 2, timeoutMs: 1_500 })
    const { policy } = policyOf(stage)
    const [first, gone] = [exchangeFrom('a'), exchangeFrom('b')]
    void policy.admit(first)
    void policy.admit(gone)
    await stage.settle()
    gone.over = true
    policy.settle?.(first)
    await stage.settle()
    assert.deepEqual([gone.entered, stage.inUse], [-1, 0])
  })

  test('gives the place back early where a stream goes on without it', () => {
    const stage = new Stage({ concurrency: 1, queue: 2, timeoutMs: 1_500 })
    const { policy, gate } = policyOf(stage)
    const exchange = exchangeFrom('a')
    void policy.admit(exchange)
    leavePlace(exchange, gate)
    assert.equal(stage.inUse, 0)
    policy.settle?.(exchange)
    assert.equal(stage.inUse, 0)
  })

  test('tells how long the upstream took to begin its answer', () => {
    const stage = new Stage({ concurrency: 'auto', queue: 2, timeoutMs: 1_500 })
    const { policy } = policyOf(stage)
    const exchange = exchangeFrom('a')
    void policy.admit(exchange)
    exchange.respondedMs = stage.nowMs + 25
    policy.settle?.(exchange)
    assert.deepEqual(stage.places[0]?.takeLatency(SLOT), { count: 1, meanMs: 25 })
  })
})
