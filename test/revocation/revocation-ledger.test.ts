import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  applyRevocations,
  RevocationLedger,
  type RevocationStore,
  type RevocationsMessage,
} from '../../src/revocation/revocation-ledger.ts'
import { type Revocation, RevocationSet } from '../../src/revocation/revocation-set.ts'
import { identityOf } from '../support/identity.ts'
import { settled } from '../support/manual-time.ts'

const NOW_S = 1_000
const TENANT: Revocation = { kind: 'tenant', value: 'acme', untilS: NOW_S + 60 }

class Store implements RevocationStore {
  kept: Revocation[] = []
  failing = false

  async load(): Promise<readonly Revocation[]> {
    return this.kept
  }

  async put(revocation: Revocation): Promise<void> {
    if (this.failing) throw new Error('gone')
    this.kept.push(revocation)
  }

  async remove(kind: string, value: string): Promise<void> {
    this.kept = this.kept.filter((entry) => entry.kind !== kind || entry.value !== value)
  }
}

/** Control and its data threads; messages arrive when the test says so. */
class Stage {
  nowS = NOW_S
  readonly store = new Store()
  readonly threads: RevocationSet[] = []
  readonly #sent: RevocationsMessage[] = []
  readonly ledger: RevocationLedger

  constructor(maxEntries = 100) {
    this.ledger = new RevocationLedger({
      ...{ nowS: () => this.nowS, store: this.store, maxEntries },
      send: (message) => void this.#sent.push(message),
    })
  }

  join(): RevocationSet {
    const set = new RevocationSet()
    applyRevocations(set, this.ledger.join(this.threads.length))
    this.threads.push(set)
    return set
  }

  deliver(...rows: readonly number[]): void {
    for (const message of this.#sent.splice(0)) {
      for (const row of rows) {
        const set = this.threads[row]
        if (set !== undefined) this.ledger.applied(row, applyRevocations(set, message))
      }
    }
  }
}

function refuses(set: RevocationSet, nowS = NOW_S): boolean {
  return set.covers(identityOf({ tenant: 'acme', subject: 'user-1', jti: 'token-1' }), nowS)
}

describe('a set of revocations', () => {
  test('covers whoever has the tenant, the subject or the token, until its time', () => {
    for (const [kind, value] of [
      ['tenant', 'acme'],
      ['subject', 'user-1'],
      ['jti', 'token-1'],
    ] as const) {
      const set = new RevocationSet()
      assert.equal(refuses(set), false)
      set.revoke({ kind, value, untilS: NOW_S + 1 })
      assert.equal(refuses(set), true)
      assert.equal(refuses(set, NOW_S + 1), false, 'over')
      set.revoke({ kind, value, untilS: null })
      assert.equal(refuses(set, Number.MAX_SAFE_INTEGER), true, 'without end')
      assert.equal(set.size, 1)
      assert.equal(set.lift(kind, value), true)
      assert.equal(set.lift(kind, value), false)
      assert.equal(refuses(set), false)
    }
  })

  test('covers nobody by another kind of name, or by none', () => {
    const set = new RevocationSet()
    for (const kind of ['tenant', 'subject', 'jti'] as const)
      for (const value of ['acme', 'user-1', 'token-1', 'null'])
        if (!(kind === 'tenant' && value === 'acme')) set.revoke({ kind, value, untilS: null })
    set.lift('subject', 'user-1')
    set.lift('jti', 'token-1')
    assert.equal(refuses(set), false)
    assert.equal(set.covers(identityOf({ jti: null, subject: 'x', tenant: 'y' }), NOW_S), false)
  })
})

describe('a revocation', () => {
  test('is done when every data thread has it, and not before', async () => {
    const stage = new Stage()
    const [one, two] = [stage.join(), stage.join()]
    let outcome = ''
    const revoking = stage.ledger.revoke(TENANT).then((done) => {
      outcome = done
    })
    stage.deliver(0)
    await settled()
    assert.equal(outcome, '')
    assert.deepEqual([refuses(one), refuses(two)], [true, false])
    stage.ledger.leave(1)
    await revoking
    assert.equal(outcome, 'done', 'nobody waits for a thread that died')
  })

  test('is what a thread that comes later begins with', async () => {
    const stage = new Stage()
    assert.equal(await stage.ledger.revoke(TENANT), 'done')
    assert.equal(refuses(stage.join()), true)
  })

  test('survives a restart in the store, and is in force when the start is over', async () => {
    const before = new Stage()
    await before.ledger.revoke(TENANT)
    const after = new Stage()
    after.store.kept = before.store.kept
    await after.ledger.start()
    assert.equal(refuses(after.join()), true)
  })

  test('holds in this process although the store does not take it, and says so', async () => {
    const stage = new Stage()
    const set = stage.join()
    stage.store.failing = true
    const revoking = stage.ledger.revoke(TENANT)
    stage.deliver(0)
    assert.equal(await revoking, 'unstored')
    assert.equal(refuses(set), true)
  })

  test('is lifted everywhere, and only if it was there', async () => {
    const stage = new Stage()
    await stage.ledger.revoke(TENANT)
    const set = stage.join()
    assert.equal(await stage.ledger.lift('subject', 'acme'), null)
    const lifting = stage.ledger.lift('tenant', 'acme')
    stage.deliver(0)
    assert.equal(await lifting, 'done')
    assert.deepEqual([refuses(set), stage.store.kept.length], [false, 0])
  })

  test('of another replica is in force here without being put into the store again', async () => {
    const stage = new Stage()
    await stage.ledger.merge([TENANT])
    assert.equal(refuses(stage.join()), true)
    assert.deepEqual(stage.store.kept, [])
  })

  // Dropping the oldest would let somebody back in unnoticed.
  test('is refused when the book is full of others that hold, and taken once they are over', async () => {
    const stage = new Stage(2)
    for (const value of ['a', 'b']) await stage.ledger.revoke({ ...TENANT, value })
    assert.equal(await stage.ledger.revoke(TENANT), 'full')
    assert.equal(refuses(stage.join()), false)
    assert.equal(stage.store.kept.length, 2)
    const longer = stage.ledger.revoke({ ...TENANT, value: 'a', untilS: NOW_S + 30 })
    stage.deliver(0)
    assert.equal(await longer, 'done', 'one that is there may change its end')
    stage.nowS += 60
    const revoking = stage.ledger.revoke({ ...TENANT, untilS: null })
    for (let round = 0; round < 3; round++) {
      stage.deliver(0)
      await settled()
    }
    assert.equal(await revoking, 'done')
    assert.equal(stage.ledger.size, 1)
    assert.equal(stage.threads[0]?.size, 1, 'threads forget what is over too')
  })
})
