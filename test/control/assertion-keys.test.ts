import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createSigningKey, type SigningKey } from '../../src/assertion/signing-key.ts'
import { AssertionKeys } from '../../src/control/assertion-keys.ts'
import { ManualTime } from '../support/manual-time.ts'

const DAY_MS = 86_400_000

interface Stage {
  readonly keys: AssertionKeys
  readonly time: ManualTime
  readonly announced: SigningKey[]
  /** By kid, in the order in which they are published. */
  published(): readonly string[]
}

function open(own: string | null = null): Stage {
  const time = new ManualTime()
  const announced: SigningKey[] = []
  const keys = new AssertionKeys({
    own,
    startTimer: time.startTimer,
    changed: (key) => void announced.push(key),
  })
  return { keys, time, announced, published: () => keys.published.map(({ kid }) => kid) }
}

describe('the keys of assertions', () => {
  test('change every day; each is published a day before it signs and a day after', async () => {
    const { keys, time, announced, published } = open()
    const first = keys.current.kid
    const [signing, second = ''] = published()
    assert.equal(signing, first)
    await time.pass(DAY_MS)
    assert.deepEqual([keys.current.kid, announced.at(-1)?.kid], [second, second])
    assert.deepEqual([published().length, published()[0], published()[2]], [3, second, first])
    await time.pass(DAY_MS)
    assert(!published().includes(first))
    assert(published().includes(second))
    assert.equal(announced.length, 2)
  })

  test('are the operator’s alone where there is one, for longer than a day', async () => {
    const own = createSigningKey()
    const { time, published } = open(own.pem)
    assert.deepEqual(published(), [own.kid])
    await time.pass(3 * DAY_MS)
    assert.deepEqual(published(), [own.kid])
  })

  test('that a reload replaced are published for a day still', async () => {
    const { keys, time, published } = open()
    const first = keys.current.kid
    const own = createSigningKey()
    const other = createSigningKey()
    keys.useOwn(own.pem)
    assert.deepEqual(published(), [own.kid, first])
    keys.useOwn(own.pem)
    assert.deepEqual(published(), [own.kid, first])
    keys.useOwn(other.pem)
    assert.deepEqual(published(), [other.kid, first, own.kid])
    await time.pass(2 * DAY_MS)
    assert.deepEqual(published(), [other.kid])
  })

  test('wait for nothing once they are closed', () => {
    const { keys, time } = open()
    keys.close()
    assert.equal(time.waiting, 0)
  })
})
