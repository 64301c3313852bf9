import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlotBook } from '../../src/control/slot-book.ts'

function stage(capacity = 4) {
  const threads = { asked: 0, answered: 0 }
  const busy = new Set<number>()
  const resets: number[] = []
  const book = new SlotBook(capacity, {
    isIdle: (slot) => !busy.has(slot),
    reset: (slot) => resets.push(slot),
    ask: () => ++threads.asked,
    answered: () => threads.answered,
  })
  /** Everything a thread could still hold is let go of. */
  const letGo = (): void => {
    book.collect()
    threads.answered = threads.asked
    book.collect()
  }
  return { book, threads, busy, resets, letGo }
}

test('a key keeps its slot however often it is taken and given back, while somebody holds it', () => {
  const { book, resets, letGo } = stage()
  assert.deepEqual([book.take('a'), book.take('b'), book.take('a')], [0, 1, 0])
  book.give('a')
  letGo()
  assert.deepEqual([book.take('a'), book.take('c')], [0, 2])
  assert.deepEqual(resets, [0, 1, 2])
})

test('a key that comes back before its slot is free gets the same slot, with what stands in it', () => {
  const { book, resets } = stage()
  book.take('a')
  book.give('a')
  book.collect()
  assert.equal(book.take('a'), 0)
  assert.deepEqual([book.left, resets], [0, [0]])
})

test('a slot is free only once every thread has answered a question asked after it was given back', () => {
  const { book, threads } = stage(1)
  threads.answered = 0
  book.take('a')
  book.give('a')
  book.collect()
  book.collect()
  assert.deepEqual([book.left, book.take('b')], [1, null])
  threads.answered = threads.asked
  book.collect()
  assert.deepEqual([book.left, book.take('b')], [0, 0])
})

test('a slot is not free while something is in flight in it, and is reset before its next use', () => {
  const { book, busy, resets, letGo } = stage(1)
  book.take('a')
  book.give('a')
  busy.add(0)
  letGo()
  assert.equal(book.take('b'), null)
  busy.clear()
  letGo()
  assert.equal(book.take('b'), 0)
  assert.deepEqual(resets, [0, 0])
})

test('a key that came back and left again is asked about anew', () => {
  const { book, threads } = stage(1)
  book.take('a')
  book.give('a')
  book.collect()
  book.take('a')
  book.give('a')
  threads.answered = threads.asked
  book.collect()
  assert.equal(book.left, 1)
})
