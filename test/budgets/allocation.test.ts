import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from '../support/raw-client.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { BudgetPlane } from './budget-plane.ts'

/**
 * Bytes that one exchange may allocate on the JavaScript heap of its thread: a GET with a token seen before, on
 * connections kept alive, access line included. Node's own sockets are in it. Measured 6,890 to 6,970 on Node 26.10 and
 * a tenth added; may only go down, or up by a decision note.
 */
const BUDGET_BYTES = 7_600

const EXCHANGES = 3_000

test('an exchange allocates no more than its budget', async (t) => {
  // Large enough that nothing is collected meanwhile, so that growth is allocation.
  await using plane = await BudgetPlane.start([
    '--expose-gc',
    '--min-semi-space-size=128',
    '--max-semi-space-size=128',
  ])
  const asked = request('GET', '/orders/1?page=2', [
    ['User-Agent', 'budget/1.0'],
    ['Accept', 'application/json'],
    ['Accept-Encoding', 'gzip, deflate'],
    bearer(tenantToken('acme')),
  ])
  await plane.exchange(3 * EXCHANGES, asked)
  const each: number[] = []
  for (let round = 0; round < 3; round++) {
    const before = await plane.ask('collect')
    await plane.exchange(EXCHANGES, asked)
    const after = await plane.ask('read')
    assert.equal(after.collections, before.collections, 'garbage was collected meanwhile')
    each.push((after.usedBytes - before.usedBytes) / EXCHANGES)
  }
  // What differs between rounds is compilation and ticks of the timer, never less than the exchange's own.
  const bytes = Math.round(Math.min(...each))
  t.diagnostic(`${bytes} bytes an exchange (rounds: ${each.map(Math.round).join(', ')})`)
  assert.ok(bytes > 500, `${bytes} bytes: this measures nothing`)
  assert.ok(bytes <= BUDGET_BYTES, `${bytes} bytes an exchange, ${BUDGET_BYTES} are budgeted`)
})
