import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonString, logLine, timestamp } from '../../src/observe/log-line.ts'

const NOW_MS = Date.UTC(2026, 10, 24, 2, 27, 23, 109)

test('a line carries the four keys of every line first, then its fields in their order', () => {
  const line = logLine(NOW_MS, 'warning', 'nyro.control', 'Data thread died', {
    row: 1,
    reason: 'memory',
    last: null,
  })
  assert.equal(
    line,
    '{"timestamp":"2026-11-24T02:27:23.109Z","level":"warning","logger":"nyro.control","event":"Data thread died","row":1,"reason":"memory","last":null}',
  )
})

test('every string survives JSON.parse and is written in printable ASCII', () => {
  const texts = [
    '',
    'plain',
    '"quoted"',
    'back\\slash',
    'new\nline',
    '\u0000\u001b[31m',
    '\u007f',
    'é',
    '公司',
    '😀',
    '\ud800',
    '\u2028',
  ]
  for (const text of texts) {
    const literal = jsonString(text)
    assert.equal(JSON.parse(literal), text)
    assert.match(literal, /^[ -~]*$/)
  }
})

test('every UTF-16 unit is written so that it is read back', () => {
  for (let unit = 0; unit <= 0xffff; unit += 1) {
    const text = `a${String.fromCharCode(unit)}b`
    assert.equal(JSON.parse(jsonString(text)), text)
  }
})

test('numbers that JSON cannot hold become null', () => {
  const line = logLine(NOW_MS, 'info', 'a', 'b', {
    nan: Number.NaN,
    all: Number.POSITIVE_INFINITY,
    some: 0.5,
    yes: true,
  })
  const { nan, all, some, yes } = JSON.parse(line)
  assert.deepEqual([nan, all, some, yes], [null, null, 0.5, true])
})

test('a timestamp follows the clock in both directions, to the millisecond', () => {
  assert.equal(timestamp(NOW_MS), '2026-11-24T02:27:23.109Z')
  assert.equal(timestamp(NOW_MS + 0.9), '2026-11-24T02:27:23.109Z')
  assert.equal(timestamp(NOW_MS + 1), '2026-11-24T02:27:23.110Z')
  assert.equal(timestamp(NOW_MS - 3_600_000), '2026-11-24T01:27:23.109Z')
})
