import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FreshTraces, traceIdOf } from '../../../src/observe/tracing/fresh-traces.ts'
import { parseTraceParent } from '../../../src/observe/tracing/trace-parent.ts'

const LINE = /^traceparent: (.{55})\r\n$/

function spanIdOf(line: string): string | undefined {
  return /-([0-9a-f]{16})-00\r\n$/.exec(line)?.[1]
}

test('every line is one that a reader of the field takes, unsampled, and says its own ids', () => {
  let next = 0
  const fresh = new FreshTraces((bytes) => {
    for (let index = 0; index < bytes.length; index++) {
      next += 7
      bytes[index] = next & 255
    }
  })
  for (let count = 0; count < 1_000; count++) {
    const line = fresh.next()
    assert.deepEqual(parseTraceParent(LINE.exec(line)?.[1] ?? ''), {
      traceId: traceIdOf(line),
      spanId: spanIdOf(line),
      sampled: false,
    })
  }
})

test('ids are the bytes of the source, none used twice', () => {
  let calls = 0
  const fresh = new FreshTraces((bytes) => {
    for (let at = 0; at < bytes.length; at += 8) bytes.writeBigUInt64BE(BigInt(++calls), at)
  })
  const traces = Array.from({ length: 300 }, () => fresh.next()).flatMap((line) => {
    const trace = traceIdOf(line)
    return [trace.slice(0, 16), trace.slice(16)]
  })
  // The first is the span that all lines have.
  assert.deepEqual(
    traces,
    traces.map((_, index) => (index + 2).toString(16).padStart(16, '0')),
  )
  const spans = Array.from({ length: 300 }, () => fresh.nextSpan())
  assert.equal(new Set([...spans, ...traces, spanIdOf(fresh.next())]).size, 901)
})

test('a source that gives zeros yields no id of zeros', () => {
  const fresh = new FreshTraces((bytes) => bytes.fill(0))
  const line = fresh.next()
  assert.deepEqual(
    [traceIdOf(line), spanIdOf(line), fresh.nextSpan()],
    ['1'.padStart(32, '0'), '1'.padStart(16, '0'), '1'.padStart(16, '0')],
  )
})
