import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { editDistance, nearestName } from '../../src/config/suggestion.ts'

describe('the edit distance', () => {
  const cases: readonly [string, string, number][] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['abc', 'abc', 0],
    ['abc', 'abd', 1],
    ['abc', 'acb', 1],
    ['ab', 'ba', 1],
    ['abcd', 'acbd', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
    ['TIMEOUT', 'TIMEOUTS', 1],
  ]
  for (const [left, right, distance] of cases) {
    test(`of "${left}" and "${right}" is ${distance}, both ways`, () => {
      assert.equal(editDistance(left, right), distance)
      assert.equal(editDistance(right, left), distance)
    })
  }
})

describe('the nearest name', () => {
  test('is the one with the fewest edits', () => {
    assert.equal(nearestName('PROT', ['HOST', 'PORT', 'PORTS']), 'PORT')
  })

  test('is the first of several', () => {
    assert.equal(nearestName('X', ['A', 'B']), 'A')
  })

  test('of nothing is a defect', () => {
    assert.throws(() => nearestName('X', []))
  })
})
