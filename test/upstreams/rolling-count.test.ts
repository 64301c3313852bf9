import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  addRolling,
  clearRolling,
  ROLLING_CELLS,
  subRolling,
  sumRolling,
} from '../../src/upstreams/rolling-count.ts'

function cells(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * ROLLING_CELLS * Int32Array.BYTES_PER_ELEMENT))
}

describe('a rolling count', () => {
  test('sums the periods asked for and forgets the rest', () => {
    const memory = cells()
    for (let period = 100; period < 120; period++) addRolling(memory, 0, period)
    assert.equal(sumRolling(memory, 0, 119, 10), 10)
    assert.equal(sumRolling(memory, 0, 124, 10), 5)
    assert.equal(sumRolling(memory, 0, 129, 10), 0)
  })

  test('starts anew where a cell is left from long ago', () => {
    const memory = cells()
    for (let times = 0; times < 5; times++) addRolling(memory, 0, 7)
    addRolling(memory, 0, 7 + ROLLING_CELLS)
    assert.equal(sumRolling(memory, 0, 7 + ROLLING_CELLS, 1), 1)
    assert.equal(sumRolling(memory, 0, 7, 1), 0)
  })

  test('holds for periods far beyond a cell’s bits', () => {
    const memory = cells()
    const period = 2 ** 33 + 5
    addRolling(memory, 0, period)
    addRolling(memory, 0, period)
    assert.equal(sumRolling(memory, 0, period, 10), 2)
    assert.equal(sumRolling(memory, 0, period + 9, 10), 2)
    assert.equal(sumRolling(memory, 0, period + 10, 10), 0)
  })

  test('is taken back in its own period only, and never below nothing', () => {
    const memory = cells()
    addRolling(memory, 0, 3)
    subRolling(memory, 0, 3 + ROLLING_CELLS)
    assert.equal(sumRolling(memory, 0, 3, 1), 1)
    subRolling(memory, 0, 3)
    subRolling(memory, 0, 3)
    assert.equal(sumRolling(memory, 0, 3, 1), 0)
  })

  test('touches no other count beside it', () => {
    const memory = cells()
    addRolling(memory, ROLLING_CELLS, 5)
    addRolling(memory, 0, 5)
    clearRolling(memory, 0)
    assert.deepEqual([sumRolling(memory, 0, 5, 10), sumRolling(memory, ROLLING_CELLS, 5, 10)], [0, 1])
  })
})
