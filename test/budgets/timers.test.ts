import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from '../support/raw-client.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { BudgetPlane } from './budget-plane.ts'

const EXCHANGES = 1_000

test('common exchanges make no timer and no promise', async () => {
  await using plane = await BudgetPlane.start([])
  const asks = [
    request('GET', '/orders/1', [bearer(tenantToken('acme'))]),
    request('POST', '/open/1', [], 'body'),
  ]
  for (const asked of asks) await plane.exchange(50, asked)
  const before = await plane.ask('count')
  // That creations are counted at all: collecting makes some of its own.
  const counted = await plane.ask('collect')
  assert.ok(counted.timers > before.timers && counted.promises > before.promises)
  for (const asked of asks) {
    const start = await plane.ask('read')
    await plane.exchange(EXCHANGES, asked)
    const end = await plane.ask('read')
    assert.deepEqual(
      { timers: end.timers - start.timers, promises: end.promises - start.promises },
      { timers: 0, promises: 0 },
    )
  }
})
