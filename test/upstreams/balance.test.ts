import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BalanceConfig } from '../../src/config/config.ts'
import { Balance, type Candidate } from '../../src/upstreams/balance.ts'
import { hashText } from '../../src/upstreams/hash.ts'
import { Random } from '../http1/random.ts'

function seededRandom(seed: number): () => number {
  const random = new Random(seed)
  return () => random.below(2 ** 30) / 2 ** 30
}

class Fake implements Candidate {
  readonly name: string
  readonly hash: number
  inFlight = 0
  inService = true
  refusing = false
  shareNow = 1
  readonly state = {
    isRefusing: () => this.refusing,
    share: (slowStartMs: number) => (slowStartMs === 0 ? 1 : this.shareNow),
  }

  constructor(name: string) {
    this.name = name
    this.hash = hashText(name)
  }

  isInService(): boolean {
    return this.inService
  }
}

function fakes(count: number): readonly [Fake, Fake, Fake, ...Fake[]] {
  const [one, other, third, ...rest] = Array.from(
    { length: count },
    (_, index) => new Fake(`10.0.0.${index}:80`),
  )
  if (one === undefined || other === undefined || third === undefined) throw new Error('three at least')
  return [one, other, third, ...rest]
}

const DRAWS = 30_000

interface Draw {
  readonly kind?: BalanceConfig['kind']
  readonly key?: (index: number) => string | null
  readonly tried?: readonly Fake[]
  readonly slowStartMs?: number
}

/** How often each was picked, as a share. */
function shares(endpoints: readonly Fake[], draw: Draw = {}): number[] {
  const { kind = 'least-loaded', key = () => null, tried = [], slowStartMs = 0 } = draw
  const balance = new Balance<Fake>(seededRandom(7))
  const counts = new Map(endpoints.map((endpoint) => [endpoint, 0]))
  for (let index = 0; index < DRAWS; index++) {
    const picked = balance.pick(endpoints, kind, key(index), tried, slowStartMs, 0)
    if (picked !== null) counts.set(picked, (counts.get(picked) ?? 0) + 1)
  }
  return [...counts.values()].map((count) => count / DRAWS)
}

function near(found: readonly number[], expected: readonly number[]): void {
  for (const [index, share] of expected.entries())
    assert.ok(Math.abs((found[index] ?? 0) - share) < 0.02, `${found} is not ${expected}`)
}

describe('least loaded of two', () => {
  test('spreads evenly over equals', () => near(shares(fakes(4)), [0.25, 0.25, 0.25, 0.25]))

  test('never picks the one that has most to do', () => {
    const endpoints = fakes(3)
    endpoints[1].inFlight = 5
    near(shares(endpoints), [0.5, 0, 0.5])
  })

  test('follows the load of all threads as it moves', () => {
    const endpoints = fakes(5)
    const balance = new Balance<Fake>(seededRandom(3))
    for (let index = 0; index < 5_000; index++) {
      const picked = balance.pick(endpoints, 'least-loaded', null, [], 0, 0)
      if (picked !== null) picked.inFlight++
    }
    const loads = endpoints.map(({ inFlight }) => inFlight)
    // One choice would leave them some 100 apart (Mitzenmacher 2001).
    assert.ok(Math.max(...loads) - Math.min(...loads) < 15, `${loads}`)
  })
})

test('round robin takes each in turn', () => {
  const endpoints = fakes(3)
  const balance = new Balance<Fake>(() => 0)
  const names = Array.from({ length: 6 }, () => balance.pick(endpoints, 'round-robin', null, [], 0, 0)?.name)
  assert.deepEqual(
    names,
    [...endpoints, ...endpoints].map(({ name }) => name),
  )
})

describe('a consistent hash', () => {
  const keyOf = (index: number) => `tenant-${index % 1_000}`

  function placed(endpoints: readonly Fake[], slowStartMs = 0): (Fake | null)[] {
    const balance = new Balance<Fake>(() => 0)
    return Array.from({ length: 1_000 }, (_, index) =>
      balance.pick(endpoints, 'hash', keyOf(index), [], slowStartMs, 0),
    )
  }

  test('gives a key the same endpoint in every thread, and each its part of the keys', () => {
    const endpoints = fakes(4)
    assert.deepEqual(placed(endpoints), placed(endpoints))
    const counts = endpoints.map((endpoint) => placed(endpoints).filter((one) => one === endpoint).length)
    for (const count of counts) assert.ok(count > 180 && count < 320, `${counts}`)
  })

  test('moves only the keys of an endpoint that goes out of service', () => {
    const endpoints = fakes(4)
    const before = placed(endpoints)
    endpoints[2].inService = false
    for (const [index, endpoint] of placed(endpoints).entries()) {
      if (before[index] === endpoints[2]) assert.notEqual(endpoint, endpoints[2])
      else assert.equal(endpoint, before[index])
    }
  })

  test('moves keys to an endpoint that comes back once each, and none back', () => {
    const endpoints = fakes(4)
    const whole = placed(endpoints)
    let moved = 0
    for (const share of [0.1, 0.3, 0.6, 0.9, 1]) {
      endpoints[1].shareNow = share
      const now = placed(endpoints, 1_000)
      const there = now.filter((one) => one === endpoints[1]).length
      assert.ok(there >= moved, `${there} after ${moved}`)
      moved = there
      for (const [index, one] of now.entries()) if (one === endpoints[1]) assert.equal(whole[index], one)
    }
    assert.deepEqual(placed(endpoints, 1_000), whole)
  })

  test('balances by load what has no key', () => {
    near(shares(fakes(4), { kind: 'hash' }), [0.25, 0.25, 0.25, 0.25])
  })
})

for (const kind of ['least-loaded', 'round-robin', 'hash'] as const) {
  const key = (index: number) => (kind === 'hash' ? `key-${index}` : null)

  describe(`with ${kind}`, () => {
    test('an endpoint out of service is never picked', () => {
      const endpoints = fakes(3)
      endpoints[0].inService = false
      near(shares(endpoints, { kind, key }), [0, 0.5, 0.5])
    })

    test('nothing is picked when none is in service', () => {
      const endpoints = fakes(3)
      for (const endpoint of endpoints) endpoint.inService = false
      assert.deepEqual(shares(endpoints, { kind, key }), [0, 0, 0])
      assert.deepEqual(shares(endpoints.slice(0, 1), { kind, key }), [0])
      assert.deepEqual(shares([], { kind, key }), [])
    })

    test('those that refused, or were tried, are picked only where there is no other', () => {
      const endpoints = fakes(3)
      endpoints[0].refusing = true
      near(shares(endpoints, { kind, key, tried: [endpoints[1]] }), [0, 0, 1])
      endpoints[2].inService = false
      near(shares(endpoints, { kind, key, tried: [endpoints[1]] }), [0.5, 0.5, 0])
    })

    test('one that comes back gets its part of a share', () => {
      const endpoints = fakes(4)
      endpoints[2].shareNow = 0.4
      const [, , found = 0] = shares(endpoints, { kind, key, slowStartMs: 1_000 })
      // What it leaves goes to the others, so its own part is a little less than 0.4 of a quarter.
      assert.ok(found > 0.07 && found < 0.13, `${found}`)
    })

    test('all that come back at once share what there is', () => {
      const endpoints = fakes(3)
      for (const endpoint of endpoints) endpoint.shareNow = 0.1
      for (const share of shares(endpoints, { kind, key, slowStartMs: 1_000 }))
        assert.ok(share > 0.25, `${share}`)
    })
  })
}
