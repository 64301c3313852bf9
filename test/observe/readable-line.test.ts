import assert from 'node:assert/strict'
import { test } from 'node:test'
import { logLine } from '../../src/observe/log-line.ts'
import { readableLine } from '../../src/observe/readable-line.ts'

const NOW_MS = Date.UTC(2026, 10, 24, 2, 27, 23, 109)
const PLAIN = { colors: false }
const COLORED = { colors: true }

test('a line reads as time, level, event and fields', () => {
  const line = logLine(NOW_MS, 'info', 'nyro.control', 'Gateway listening', {
    host: '::',
    port: 8080,
    token: null,
    note: 'two words',
  })
  assert.equal(
    readableLine(line, PLAIN),
    '02:27:23.109 INFO     Gateway listening host=:: port=8080 token=null note="two words"',
  )
})

test('a stack has lines of its own', () => {
  const line = logLine(NOW_MS, 'error', 'a', 'Broken', { row: 1, stack: 'Error: x\n    at here' })
  assert.equal(readableLine(line, PLAIN), '02:27:23.109 ERROR    Broken row=1\n    Error: x\n        at here')
})

test('colours mark the level and are left out when unwanted', () => {
  const line = logLine(NOW_MS, 'error', 'a', 'Broken', { row: 1 })
  assert.ok(readableLine(line, COLORED).includes('\u001b[31mERROR'))
  assert.ok(!readableLine(line, PLAIN).includes('\u001b'))
})

// A client that gets terminal escapes or line ends into a logged value could move the cursor, retitle the window or
// forge lines on the operator's terminal.
test('no value can move the cursor or make a line of its own', () => {
  const evil = '\u001b]0;title\u0007\u001b[2J\n12:00:00 forged\r\u0085\u009b\u202e"'
  const line = logLine(NOW_MS, 'info', 'a', evil, { path: evil, [evil]: 1, stack: `x\r${evil}` })
  const text = readableLine(line, PLAIN)
  assert.match(text, /^[ -~\n]*$/)
  assert.ok(text.split('\n').every((each, index) => index === 0 || each.startsWith('    ')))
})

test('a line that is no record is shown as it is', () => {
  for (const line of ['', 'text', '7', 'null', '{"cut']) assert.equal(readableLine(line, PLAIN), line)
})

test('a record without the usual keys is still shown', () => {
  assert.equal(typeof readableLine('{"a":1}', COLORED), 'string')
})
