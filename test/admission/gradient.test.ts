import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Gradient } from '../../src/admission/gradient.ts'

const OPTIONS = { initial: 20, min: 2, max: 200 }

function after(gradient: Gradient, windows: number, latencyOf: (limit: number) => number): Gradient {
  for (let window = 0; window < windows; window++) {
    const { limit } = gradient
    gradient.update(latencyOf(limit), limit)
  }
  return gradient
}

describe('a limit that follows latency', () => {
  test('grows while latency stays as usual, to its most', () => {
    assert.equal(after(new Gradient(OPTIONS), 500, () => 10).limit, 200)
  })

  test('shrinks when exchanges take longer, never below its least', () => {
    const gradient = after(new Gradient(OPTIONS), 50, () => 10)
    const before = gradient.limit
    after(gradient, 10, () => 100)
    assert.ok(gradient.limit < before / 2, `${before} to ${gradient.limit}`)
    after(gradient, 100, () => 10_000)
    assert.ok(gradient.limit >= 2)
  })

  // A service worth 16 at once: what is above waits inside it, and latency says so. Ten minutes of it.
  test('settles near what the upstream can do at once, and stays there', () => {
    const gradient = after(new Gradient({ ...OPTIONS, initial: 3 }), 50, () => 40)
    for (let minute = 0; minute < 10; minute++) {
      after(gradient, 590, (limit) => 40 * Math.max(1, limit / 16))
      assert.ok(gradient.limit <= 30, `minute ${minute}: ${gradient.limit}`)
    }
    assert.ok(gradient.limit >= 3)
  })

  test('comes down from a limit that began too high, once the best latency is measured', () => {
    const gradient = after(
      new Gradient({ ...OPTIONS, initial: 200 }),
      3_000,
      (limit) => 40 * Math.max(1, limit / 16),
    )
    assert.ok(gradient.limit <= 30, String(gradient.limit))
  })

  test('takes an upstream that has become slower for what it is, in time', () => {
    const gradient = after(new Gradient(OPTIONS), 300, () => 10)
    after(gradient, 100, () => 50)
    const shrunk = gradient.limit
    after(gradient, 1_500, () => 50)
    assert.ok(gradient.limit > shrunk * 2, `${shrunk} to ${gradient.limit}`)
  })

  test('stays where half of it is not used: latency then says nothing', () => {
    const gradient = new Gradient(OPTIONS)
    for (let window = 0; window < 100; window++) gradient.update(10, 3)
    assert.equal(gradient.limit, 20)
  })

  test('takes no notice of a window without exchanges', () => {
    const gradient = new Gradient(OPTIONS)
    gradient.update(Number.NaN, 20)
    gradient.update(0, 20)
    assert.equal(gradient.limit, 20)
  })
})
