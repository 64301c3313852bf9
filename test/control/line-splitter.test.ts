import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineSplitter } from '../../src/control/line-splitter.ts'

function split(...pieces: readonly string[]): readonly string[] {
  const lines: string[] = []
  const splitter = new LineSplitter((line) => lines.push(line))
  for (const piece of pieces) splitter.push(piece)
  return lines
}

test('lines are whole however the text arrives, and the last waits for its newline', () => {
  assert.deepEqual(split('one\ntw', 'o\n\nthr', 'ee'), ['one', 'two', ''])
})

test('a line without an end is cut and does not gather memory', () => {
  const lines = split(...Array.from({ length: 100 }, () => 'x'.repeat(1_000)), '\n')
  assert.ok(lines.length > 10)
  for (const line of lines) assert.ok(line.length <= 4096)
})
