// The attack: one tenant gets another tenant's response. It takes no malice, only a gateway that re-uses a connection
// which still holds bytes of an exchange that ended badly: a client that left, an upstream that broke off, answered
// early, twice or with bytes too many, pipelined requests. So every exchange carries a nonce of its own in target,
// fields and bodies, both sides misbehave at random, and whatever arrives is held against its nonce. The long form is
// `npm run soak`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSeed } from './seed-run.ts'

test('no exchange gets what belongs to another while clients and upstreams misbehave', async () => {
  const exchanges = 3_000
  const { counts, faults } = await runSeed({
    seed: 1,
    exchanges,
    lanes: 24,
    boundMs: 20_000,
    progress: () => {},
  })
  assert.deepEqual(faults, [])
  const settled = Object.values(counts).reduce((sum, count) => sum + count, 0)
  assert.equal(settled, exchanges)
})
