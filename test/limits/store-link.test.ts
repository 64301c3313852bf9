import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { errorWord, type StoreConnection } from '../../src/limits/store-connection.ts'
import { StoreLink } from '../../src/limits/store-link.ts'
import { ManualTime } from '../support/manual-time.ts'

/** How a connection that a test makes behaves. */
interface Behaviour {
  readonly connects: 'at once' | 'never' | 'refuses'
  readonly answersAfterMs: number
}

const GOOD: Behaviour = { connects: 'at once', answersAfterMs: 1 }

function stage(random = 0) {
  const time = new ManualTime()
  const changes: string[] = []
  const openedMs: number[] = []
  const behaviour: { now: Behaviour } = { now: GOOD }
  let open = 0
  let most = 0
  let lose: (reason: string) => void = () => {}
  const link = new StoreLink({
    connect: async (lost, signal) => {
      openedMs.push(time.nowMs)
      most = Math.max(most, ++open)
      signal.addEventListener('abort', () => open--)
      lose = lost
      const { connects, answersAfterMs } = behaviour.now
      if (connects === 'refuses') throw Object.assign(new Error('no'), { code: 'ECONNREFUSED' })
      if (connects === 'never') await new Promise<never>(() => {})
      return {
        send: () => new Promise((resolve) => void time.startTimer(answersAfterMs, () => resolve('OK'))),
      }
    },
    probe: ['PING'],
    budgetMs: 25,
    nowMs: () => time.nowMs,
    startTimer: time.startTimer,
    random: () => random,
    changed: (state, reason) => changes.push(`${state}: ${reason}`),
  })
  link.start()
  return {
    time,
    link,
    changes,
    openedMs,
    behaviour,
    lose: (reason: string) => lose(reason),
    most: () => most,
  }
}

function up(link: StoreLink): StoreConnection {
  assert.ok(link.connection !== null)
  return link.connection
}

describe('the link to a store', () => {
  test('is up once a probe was answered in time', async () => {
    const { time, link, changes } = stage()
    assert.equal(link.connection, null)
    await time.pass(1)
    up(link)
    assert.deepEqual(changes, ['up: answers'])
    assert.equal(time.waiting, 0)
  })

  test('waits longer after each failure, up to 2 s, and says once that it is down', async () => {
    for (const [random, longestMs] of [
      [0, 1_000],
      [0.999_999, 2_000],
    ] as const) {
      const { time, changes, openedMs: tries, behaviour, lose } = stage(random)
      await time.pass(1)
      behaviour.now = { ...GOOD, connects: 'refuses' }
      lose('ECONNRESET')
      await time.pass(30_000)
      const pauses = tries.slice(1).map((ms, index) => ms - (index === 0 ? 1 : (tries[index] ?? 0)))
      assert.ok((pauses[0] ?? 0) >= 50 && (pauses[0] ?? 0) <= 100, String(pauses[0]))
      for (const [index, pause] of pauses.entries())
        assert.ok(pause <= longestMs && pause >= (pauses[index - 1] ?? 0) - 1, pauses.join())
      assert.ok(Math.abs((pauses.at(-1) ?? 0) - longestMs) < 1)
      assert.deepEqual(changes, ['up: answers', 'down: ECONNRESET'])
    }
  })

  test('gives up a connection that opens and stays silent, and has one at a time', async () => {
    const { time, link, behaviour, lose, most, openedMs } = stage()
    await time.pass(1)
    behaviour.now = { connects: 'never', answersAfterMs: 0 }
    lose('ECONNRESET')
    await time.pass(20_000)
    assert.equal(link.connection, null)
    assert.equal(most(), 1)
    assert.ok(openedMs.length > 5)
    behaviour.now = GOOD
    await time.pass(1_500 + 2_000)
    up(link)
  })

  test('does not come up for a store that answers too slowly', async () => {
    const { time, link, behaviour, lose } = stage()
    await time.pass(1)
    behaviour.now = { connects: 'at once', answersAfterMs: 26 }
    lose('ECONNRESET')
    await time.pass(20_000)
    assert.equal(link.connection, null)
    behaviour.now = { connects: 'at once', answersAfterMs: 25 }
    await time.pass(2_000)
    up(link)
  })

  test('is given up after more failures than answers forgive', async () => {
    const { time, link, changes } = stage()
    await time.pass(1)
    for (let round = 0; round < 50; round++) {
      link.failed(up(link), 'slow')
      for (let answer = 0; answer < 10; answer++) link.answered()
    }
    for (let failure = 0; failure < 6; failure++) link.failed(up(link), 'slow')
    assert.equal(link.connection, null)
    assert.deepEqual(changes, ['up: answers', 'down: slow'])
  })

  test('does not take what an older connection does for its own', async () => {
    const { time, link, lose } = stage()
    await time.pass(1)
    const older = up(link)
    lose('ECONNRESET')
    await time.pass(200)
    const newer = up(link)
    for (let failure = 0; failure < 50; failure++) link.failed(older, 'slow')
    assert.equal(link.connection, newer)
  })

  test('begins with a short pause again after it was up for long', async () => {
    const { time, openedMs, behaviour, lose } = stage()
    await time.pass(1)
    behaviour.now = { ...GOOD, connects: 'refuses' }
    lose('ECONNRESET')
    await time.pass(20_000)
    behaviour.now = GOOD
    await time.pass(15_000)
    const lostMs = time.nowMs
    lose('ECONNRESET')
    await time.pass(1_000)
    assert.equal((openedMs.at(-1) ?? 0) - lostMs, 50)
  })

  test('leaves nothing behind when it is stopped', async () => {
    const { time, link, changes, openedMs } = stage()
    await time.pass(1)
    link.stop()
    assert.equal(link.connection, null)
    await time.pass(10_000)
    assert.deepEqual([openedMs.length, time.waiting, changes.length], [1, 0, 1])
  })
})

test('an error is told in a word that names no address and no credential', () => {
  const words = [
    Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:6379'), { code: 'ECONNREFUSED' }),
    new Error('WRONGPASS invalid username-password pair'),
    new TypeError('Invalid URL redis://user:secret@host'),
    new Error('redis://user:secret@host'),
    'secret',
  ].map(errorWord)
  assert.deepEqual(words, ['ECONNREFUSED', 'WRONGPASS', 'TypeError', 'Error', 'unknown'])
})
