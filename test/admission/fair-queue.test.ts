import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FairQueue, type Waiter } from '../../src/admission/fair-queue.ts'

interface Numbered extends Waiter {
  readonly n: number
}

function waiter(tenant: string, n: number, weight = 1): Numbered {
  return { tenant, n, weight, deadlineMs: n }
}

function filled(...waiters: readonly Numbered[]): FairQueue<Numbered> {
  const queue = new FairQueue<Numbered>()
  for (const each of waiters) assert.equal(queue.push(each, 1_000), 'queued')
  return queue
}

function drained(queue: FairQueue<Numbered>): string {
  let order = ''
  for (let next = queue.pop(); next !== null; next = queue.pop()) order += next.tenant
  return order
}

function many(tenant: string, count: number, weight = 1): Numbered[] {
  return Array.from({ length: count }, (_, n) => waiter(tenant, n, weight))
}

describe('a fair queue', () => {
  test('serves one tenant in the order it came', () => {
    const queue = filled(...many('a', 4))
    assert.deepEqual(
      [0, 1, 2, 3].map(() => queue.pop()?.n),
      [0, 1, 2, 3],
    )
    assert.equal(queue.pop(), null)
    assert.deepEqual([queue.size, queue.tenants], [0, 0])
  })

  // The attack: a tenant that floods; whoever comes later must not wait behind it.
  test('lets whoever comes late wait for one turn, whatever another has waiting', () => {
    const queue = filled(...many('a', 500))
    queue.pop()
    queue.push(waiter('b', 0), 10)
    assert.deepEqual([queue.pop()?.tenant, queue.pop()?.tenant].includes('b'), true)
  })

  test('shares by weight', () => {
    const order = drained(filled(...many('a', 8, 1), ...many('b', 32, 4)))
    for (let turns = 5; turns <= 40; turns += 5) {
      assert.equal(order.slice(0, turns).split('b').length - 1, (turns / 5) * 4, order)
    }
  })

  test('shares by weights below one and between', () => {
    const order = drained(filled(...many('a', 20, 0.5), ...many('b', 30, 1.5)))
    const served = order.slice(0, 40).split('b').length - 1
    assert.ok(Math.abs(served - 30) <= 2, order)
  })

  test('lets nobody save turns up while idle', () => {
    const queue = filled(...many('a', 1, 100))
    queue.pop()
    for (const each of [...many('a', 50), ...many('b', 50)]) queue.push(each, 1_000)
    const order = drained(queue)
    assert.ok(Math.abs(order.slice(0, 20).split('a').length - 1 - 10) <= 1, order)
  })

  test('looks at whose turn it is without taking it', () => {
    const queue = filled(...many('a', 2), ...many('b', 2))
    for (let left = 4; left > 0; left--) {
      const first = queue.peek()
      assert.equal(queue.peek(), first)
      assert.equal(queue.pop(), first)
    }
  })

  test('takes no more of a tenant than it may have waiting, and of others all the same', () => {
    const queue = new FairQueue<Numbered>()
    assert.deepEqual(
      many('a', 3).map((each) => queue.push(each, 2)),
      ['queued', 'queued', 'full'],
    )
    assert.equal(queue.push(waiter('b', 0), 2), 'queued')
    assert.equal(queue.push(waiter('c', 0), 0), 'full')
    assert.deepEqual([queue.size, queue.tenants, queue.waitingOf('a'), queue.waitingOf('c')], [3, 2, 2, 0])
  })

  test('sheds the newest of the longest queue', () => {
    const queue = filled(...many('a', 2), ...many('b', 3))
    assert.deepEqual([queue.shed()?.n, queue.waitingOf('b'), queue.size], [2, 2, 4])
    assert.equal(new FairQueue<Numbered>().shed(), null)
  })

  test('lets go of one that left, and of all whose time is over', () => {
    const waiters = many('a', 4)
    const queue = filled(...waiters)
    assert.equal(queue.remove(waiters[2] as Numbered), true)
    assert.equal(queue.remove(waiters[2] as Numbered), false)
    assert.deepEqual(
      queue.sweep(({ deadlineMs }) => deadlineMs < 1).map(({ n }) => n),
      [0],
    )
    assert.deepEqual([queue.pop()?.n, queue.pop()?.n, queue.pop()], [1, 3, null])
  })

  test('gives everybody within weight of the fair share, in random order', () => {
    let seed = 7
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
      return seed % below
    }
    const weights = [1, 2, 3, 5]
    const queue = new FairQueue<Numbered>()
    const served = weights.map(() => 0)
    for (let round = 0; round < 20_000; round++) {
      for (const [tenant, weight] of weights.entries()) {
        while (queue.waitingOf(String(tenant)) < 5 + random(20))
          queue.push(waiter(String(tenant), round, weight), 50)
      }
      for (let taken = random(4); taken >= 0; taken--) {
        const tenant = Number(queue.pop()?.tenant)
        served[tenant] = (served[tenant] ?? 0) + 1
      }
    }
    const total = served.reduce((sum, each) => sum + each, 0)
    for (const [tenant, weight] of weights.entries()) {
      const share = (served[tenant] ?? 0) / total
      assert.ok(Math.abs(share - weight / 11) < 0.01, `${tenant}: ${share}`)
    }
  })
})
