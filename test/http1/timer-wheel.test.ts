import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Deadline, TimerWheel } from '../../src/http1/timer-wheel.ts'
import { Random } from './random.ts'

/** What a thread promises of its limits: a tick is 50 ms. */
const TICK_MS = 50
const MOST_LATE_MS = 2 * TICK_MS

/** A wheel whose clock stands still until a test moves it; turned by hand. */
class HandWheel {
  nowMs: number
  readonly wheel: TimerWheel

  constructor(startMs = 0) {
    this.nowMs = startMs
    this.wheel = new TimerWheel(() => this.nowMs)
  }

  /** Turns once a tick until `ms` have passed, as the timer does. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms
    while (this.nowMs < endMs) {
      this.nowMs = Math.min(endMs, this.nowMs + TICK_MS)
      this.wheel.turn()
    }
  }

  [Symbol.dispose](): void {
    this.wheel.stop()
  }
}

/** A deadline that keeps when it expired. */
class Alarm extends Deadline {
  readonly firedMs: number[]

  constructor(clock: HandWheel, then: () => void = () => {}) {
    const firedMs: number[] = []
    super({
      expire() {
        firedMs.push(clock.nowMs)
        then()
      },
    })
    this.firedMs = firedMs
  }
}

describe('a limit', () => {
  test('fires once, never early and at most two ticks late, at whatever phase it is set and looked at', () => {
    const random = new Random(1)
    for (let round = 0; round < 2_000; round++) {
      using hand = new HandWheel(random.below(100_000))
      const other = new Alarm(hand)
      hand.wheel.set(other, 60_000_000) // keeps the wheel turning
      hand.pass(random.below(500))
      hand.wheel.turn()
      // Requests come between ticks and bring the clock with them.
      hand.nowMs += random.below(TICK_MS)
      hand.wheel.touch(hand.nowMs)
      const alarm = new Alarm(hand)
      const delayMs = random.below(30_000)
      const dueMs = hand.nowMs + delayMs
      hand.wheel.set(alarm, delayMs)
      hand.nowMs += random.below(TICK_MS)
      hand.wheel.turn()
      hand.pass(delayMs + 1_000)
      assert.equal(alarm.firedMs.length, 1)
      const lateMs = (alarm.firedMs[0] ?? 0) - dueMs
      assert.ok(lateMs >= 0, `${-lateMs} ms early`)
      assert.ok(lateMs <= MOST_LATE_MS, `${lateMs} ms late`)
    }
  })

  test('longer than the wheel goes round fires in its time', () => {
    using hand = new HandWheel()
    const alarm = new Alarm(hand)
    hand.wheel.set(alarm, 75_000)
    hand.pass(74_999)
    assert.deepEqual(alarm.firedMs, [])
    hand.pass(200)
    assert.equal(alarm.firedMs.length, 1)
  })

  test('that is pushed back again and again fires after the last time', () => {
    using hand = new HandWheel()
    const alarm = new Alarm(hand)
    for (let round = 0; round < 100; round++) {
      hand.wheel.set(alarm, 500)
      hand.pass(400)
    }
    assert.deepEqual(alarm.firedMs, [])
    hand.pass(300)
    assert.equal(alarm.firedMs.length, 1)
  })

  test('that is brought forward fires at the earlier time and not again at the later', () => {
    using hand = new HandWheel()
    const alarm = new Alarm(hand)
    hand.wheel.set(alarm, 10_000)
    hand.wheel.set(alarm, 200)
    hand.pass(400)
    assert.equal(alarm.firedMs.length, 1)
    hand.pass(12_000)
    assert.equal(alarm.firedMs.length, 1)
  })

  test('that is cleared does not fire, and may be set again', () => {
    using hand = new HandWheel()
    const alarm = new Alarm(hand)
    hand.wheel.set(alarm, 500)
    hand.wheel.clear(alarm)
    hand.pass(1_000)
    assert.deepEqual(alarm.firedMs, [])
    hand.wheel.set(alarm, 500)
    hand.pass(700)
    assert.equal(alarm.firedMs.length, 1)
  })

  test('that is removed is no longer held', () => {
    using hand = new HandWheel()
    const alarm = new Alarm(hand)
    hand.wheel.set(alarm, 500)
    hand.wheel.remove(alarm)
    assert.equal(alarm.slot, -1)
    hand.wheel.remove(alarm)
    hand.pass(1_000)
    assert.deepEqual(alarm.firedMs, [])
  })

  test('may be set anew by what its expiry does', () => {
    using hand = new HandWheel()
    let left = 3
    const alarm: Alarm = new Alarm(hand, () => {
      if (--left > 0) hand.wheel.set(alarm, 500)
    })
    hand.wheel.set(alarm, 500)
    hand.pass(5_000)
    assert.equal(alarm.firedMs.length, 3)
  })

  test('that stood through a stall of the thread fires at the next look, however long it was', () => {
    for (const stallMs of [700, 13_000, 1_000_000]) {
      using hand = new HandWheel(7)
      const alarms = [100, 500, 12_000].map((delayMs) => {
        const alarm = new Alarm(hand)
        hand.wheel.set(alarm, delayMs)
        return { alarm, delayMs }
      })
      hand.nowMs += stallMs
      hand.wheel.turn()
      for (const { alarm, delayMs } of alarms)
        assert.equal(alarm.firedMs.length, delayMs < stallMs ? 1 : 0, `${delayMs} in ${stallMs}`)
    }
  })

  // A gateway that nobody has called since it started has a wheel that never turned.
  test('counts from now where the wheel stood still before', () => {
    using hand = new HandWheel()
    hand.nowMs = 100_000
    const alarm = new Alarm(hand)
    hand.wheel.set(alarm, 1_000)
    hand.pass(900)
    assert.deepEqual(alarm.firedMs, [])
    hand.pass(300)
    assert.equal(alarm.firedMs.length, 1)
  })
})

describe('many limits', () => {
  test('each fire once and in their time, while others are set, cleared and removed', () => {
    using hand = new HandWheel()
    const random = new Random(2)
    const rows = Array.from({ length: 500 }, () => ({ alarm: new Alarm(hand), dueMs: 0 }))
    for (let round = 0; round < 200; round++) {
      for (let change = 0; change < 20; change++) {
        const row = rows[random.below(rows.length)]
        if (row === undefined) continue
        const draw = random.below(10)
        const delayMs = random.below(20_000)
        row.dueMs = draw < 8 ? hand.nowMs + delayMs : 0
        if (draw < 8) hand.wheel.set(row.alarm, delayMs)
        else if (draw < 9) hand.wheel.clear(row.alarm)
        else hand.wheel.remove(row.alarm)
      }
      hand.pass(TICK_MS * (1 + random.below(3)))
      for (const row of rows) {
        const firedMs = row.alarm.firedMs.splice(0)
        if (firedMs.length === 0) {
          assert.ok(row.dueMs === 0 || hand.nowMs <= row.dueMs + MOST_LATE_MS, 'a limit is missing')
          continue
        }
        assert.equal(firedMs.length, 1)
        assert.ok(row.dueMs !== 0 && (firedMs[0] ?? 0) >= row.dueMs, 'a limit fired unasked or early')
        row.dueMs = 0
      }
    }
  })

  test('in one slot may be removed by the expiry of the one before, and the wheel turns on for the rest', (t) => {
    const stops = t.mock.method(globalThis, 'clearInterval')
    using hand = new HandWheel()
    const later = new Alarm(hand)
    const second = new Alarm(hand)
    const first = new Alarm(hand, () => hand.wheel.remove(second))
    // The slot is a stack: the one set last is looked at first.
    for (const alarm of [second, first]) hand.wheel.set(alarm, 200)
    hand.wheel.set(later, 1_000)
    hand.pass(400)
    assert.deepEqual([first.firedMs.length, second.firedMs.length], [1, 0])
    assert.equal(stops.mock.callCount(), 0)
    hand.pass(2_000)
    assert.equal(later.firedMs.length, 1)
    assert.equal(stops.mock.callCount(), 1)
  })
})

describe('the wheel', () => {
  test('has one timer while there is something to watch, and none otherwise', (t) => {
    const starts = t.mock.method(globalThis, 'setInterval')
    const stops = t.mock.method(globalThis, 'clearInterval')
    using hand = new HandWheel()
    assert.equal(starts.mock.callCount(), 0)
    for (const delayMs of [0, 200, 300]) hand.wheel.set(new Alarm(hand), delayMs)
    assert.equal(starts.mock.callCount(), 1)
    hand.pass(200)
    assert.equal(stops.mock.callCount(), 0)
    hand.pass(400)
    assert.equal(stops.mock.callCount(), 1)
    hand.wheel.set(new Alarm(hand), 100)
    assert.equal(starts.mock.callCount(), 2)
  })

  test('turns by itself', async () => {
    let nowMs = 0
    const wheel = new TimerWheel(() => nowMs)
    // The wheel's own timer keeps no process alive.
    const alive = setInterval(() => {}, 1_000)
    await new Promise<void>((resolve) => {
      wheel.set(new Deadline({ expire: resolve }), 0)
      nowMs = 1_000
    })
    clearInterval(alive)
    wheel.stop()
  })

  test('runs its tasks on every tick, after what was due', () => {
    using hand = new HandWheel()
    const order: string[] = []
    hand.wheel.everyTick(() => order.push('task'))
    hand.wheel.set(new Alarm(hand, () => order.push('limit')), 0)
    hand.pass(3 * TICK_MS)
    assert.ok(order.indexOf('limit') < order.lastIndexOf('task'))
    assert.equal(order.filter((word) => word === 'task').length, 3)
  })

  test('shares its clock with whoever touched it', () => {
    using hand = new HandWheel()
    hand.wheel.touch(1_234)
    assert.equal(hand.wheel.nowMs, 1_234)
    hand.nowMs = 2_000
    hand.wheel.turn()
    assert.equal(hand.wheel.nowMs, 2_000)
  })
})
