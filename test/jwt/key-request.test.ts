import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UnknownKidMessage } from '../../src/jwt/key-message.ts'
import { KeyRequests } from '../../src/jwt/key-request.ts'
import { ManualTime } from '../support/manual-time.ts'

const COOLDOWN_MS = 30_000

class Fixture {
  readonly time = new ManualTime()
  readonly sent: UnknownKidMessage[] = []
  readonly requests = new KeyRequests({
    nowMs: () => this.time.nowMs,
    startTimer: this.time.startTimer,
    send: (message) => void this.sent.push(message),
  })

  ask(kid: string, issuer = 'idp'): Promise<void> | null {
    return this.requests.ask(issuer, kid, COOLDOWN_MS)
  }

  answer(retryMs = COOLDOWN_MS): void {
    this.requests.answered({ kind: 'keys-checked', issuer: 'idp', retryMs })
  }
}

test('all who ask while a question is open wait for its answer, whatever kid they name', async () => {
  const fixture = new Fixture()
  const waits = [fixture.ask('a'), fixture.ask('a'), fixture.ask('b')]
  assert.equal(fixture.sent.length, 1)
  assert.ok(waits.every((wait) => wait !== null))
  fixture.answer()
  await Promise.all(waits)
  assert.equal(fixture.time.waiting, 0, 'and no timer is left')
})

test('nobody waits for more than two seconds', async () => {
  const fixture = new Fixture()
  let over = false
  void fixture.ask('a')?.then(() => {
    over = true
  })
  await fixture.time.pass(1_999)
  assert.equal(over, false)
  await fixture.time.pass(1)
  assert.equal(over, true)
  fixture.answer()
})

test('between two questions lies a cooldown, or what control says is left of it', async () => {
  const fixture = new Fixture()
  void fixture.ask('a')
  fixture.answer(5_000)
  assert.equal(fixture.ask('b'), null)
  await fixture.time.pass(4_999)
  assert.equal(fixture.ask('b'), null)
  await fixture.time.pass(1)
  assert.notEqual(fixture.ask('b'), null)
  await fixture.time.pass(2_000)
  assert.equal(fixture.ask('b'), null, 'control did not answer: the whole cooldown counts')
  await fixture.time.pass(COOLDOWN_MS - 2_000)
  assert.notEqual(fixture.ask('b'), null)
  assert.equal(fixture.sent.length, 3)
})

test('each issuer has questions of its own', () => {
  const fixture = new Fixture()
  void fixture.ask('a')
  assert.notEqual(fixture.ask('a', 'other'), null)
  assert.deepEqual(
    fixture.sent.map(({ issuer }) => issuer),
    ['idp', 'other'],
  )
})

// Each that waits holds its token: without a bound a silent provider would be a way to fill the memory.
test('so many wait and no more', () => {
  const fixture = new Fixture()
  const waits = Array.from({ length: 1_100 }, () => fixture.ask('a'))
  assert.equal(waits.filter((wait) => wait !== null).length, 1_024)
})
