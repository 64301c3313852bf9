import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResponseDate } from '../../src/proxy/response-date.ts'

test('the Date line is the second of the wall clock, and follows it both ways', () => {
  let wallMs = 784_111_777_000
  const date = new ResponseDate(() => wallMs)
  assert.equal(date.line(), 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n')
  wallMs += 999
  assert.equal(date.line(), 'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n')
  wallMs += 1
  assert.equal(date.line(), 'Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n')
  wallMs -= 10_000
  assert.equal(date.line(), 'Date: Sun, 06 Nov 1994 08:49:28 GMT\r\n')
})
