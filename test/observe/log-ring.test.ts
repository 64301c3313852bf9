import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createLogRing, LOG_RING_BYTES, LogRingReader, LogRingWriter } from '../../src/observe/log-ring.ts'
import { until } from '../support/until.ts'

function ring() {
  const memory = createLogRing()
  return { memory, writer: new LogRingWriter(memory), reader: new LogRingReader(memory) }
}

/** Everything unread, consumed; every run handed out must be whole lines. */
function drain(reader: LogRingReader): string {
  let text = ''
  for (let length = reader.unread(); length > 0; length = reader.unread()) {
    const run = reader.bytes.toString('latin1', reader.start, reader.start + length)
    assert.ok(run.endsWith('\n'), 'a run ends with a line')
    text += run
    reader.consume(length)
  }
  return text
}

test('lines come out whole and in order, each ended by a newline', () => {
  const { writer, reader } = ring()
  assert.equal(reader.unread(), 0)
  writer.write('one')
  writer.write('')
  writer.write('three')
  assert.equal(drain(reader), 'one\n\nthree\n')
  assert.equal(reader.unread(), 0)
})

test('lines of every length survive many laps of the ring', () => {
  const { writer, reader } = ring()
  let written = ''
  let read = ''
  for (let index = 0; index < 20_000; index++) {
    const line = `${index}:${'x'.repeat((index * 7919) % 1500)}`
    assert.equal(writer.write(line), true)
    written += `${line}\n`
    if (index % 100 === 99) read += drain(reader)
  }
  read += drain(reader)
  assert.ok(written.length > 3 * LOG_RING_BYTES)
  assert.ok(read === written)
})

test('a lap that lines fill to the last byte is followed by the next one', () => {
  const { writer, reader } = ring()
  const line = 'y'.repeat(1023)
  for (let lap = 0; lap < 3; lap++) {
    for (let index = 0; index < LOG_RING_BYTES / 1024; index++) assert.equal(writer.write(line), true)
    assert.equal(writer.write(''), false)
    reader.unread()
    reader.consume(512 * 1024)
    for (let index = 0; index < 512; index++) assert.equal(writer.write(line), true)
    assert.equal(drain(reader).length, LOG_RING_BYTES)
  }
})

test('a full ring drops whole lines, counts them, and goes on when there is room', () => {
  const { writer, reader } = ring()
  const line = 'z'.repeat(999)
  let kept = 0
  while (writer.write(line)) kept++
  assert.equal(writer.write(line), false)
  assert.equal(reader.takeDropped(), 2)
  assert.equal(reader.takeDropped(), 0)
  assert.equal(drain(reader).length, kept * 1000)
  assert.equal(writer.write('after'), true)
  assert.equal(drain(reader), 'after\n')
})

test('a line larger than the ring is dropped without harm', () => {
  const { writer, reader } = ring()
  writer.write('before')
  assert.equal(writer.write('w'.repeat(LOG_RING_BYTES)), false)
  writer.write('after')
  assert.equal(drain(reader), 'before\nafter\n')
})

test('attention is asked for once per filling beyond half', () => {
  const { writer, reader } = ring()
  const line = 'a'.repeat(LOG_RING_BYTES / 8 - 1)
  for (let index = 0; index < 4; index++) writer.write(line)
  assert.equal(writer.takeAttention(), false)
  writer.write(line)
  assert.equal(writer.takeAttention(), true)
  writer.write(line)
  assert.equal(writer.takeAttention(), false)
  drain(reader)
  for (let index = 0; index < 5; index++) writer.write(line)
  assert.equal(writer.takeAttention(), true)
})

test('a resting reader is asked for attention by the next line, once', () => {
  const { writer, reader } = ring()
  writer.write('before')
  assert.equal(reader.rest(), false)
  drain(reader)
  assert.equal(reader.rest(), true)
  writer.write('first')
  assert.equal(writer.takeAttention(), true)
  writer.write('second')
  assert.equal(writer.takeAttention(), false)
  drain(reader)
  writer.write('third')
  assert.equal(writer.takeAttention(), false)
})

test('a reader rests again after a thread that died before it could ask', () => {
  const { memory, writer, reader } = ring()
  assert.equal(reader.rest(), true)
  writer.write('last words')
  assert.equal(drain(reader), 'last words\n')
  assert.equal(reader.rest(), true)
  const replacement = new LogRingWriter(memory)
  replacement.write('first words')
  assert.equal(replacement.takeAttention(), true)
})

test('a reader that stops within a line resumes at the exact byte', () => {
  const { writer, reader } = ring()
  writer.write('abcdef')
  writer.write('ghi')
  assert.equal(reader.unread(), 11)
  reader.consume(3)
  assert.equal(drain(reader), 'def\nghi\n')
})

test('the replacement of a dead thread goes on in the same ring', () => {
  const { memory, writer, reader } = ring()
  writer.write('of the first')
  new LogRingWriter(memory).write('of the second')
  assert.equal(drain(reader), 'of the first\nof the second\n')
})

const PRODUCER = `
const { workerData } = require('node:worker_threads')
import(workerData.module).then(({ LogRingWriter }) => {
  const writer = new LogRingWriter(workerData.memory)
  for (let index = 0; ; index++) writer.write(index + ':' + 'x'.repeat(index % 300) + ':' + index)
})`

test('a thread killed while it writes leaves whole lines only', async () => {
  const module = new URL('../../src/observe/log-ring.ts', import.meta.url).href
  const { memory, reader } = ring()
  for (let death = 0; death < 3; death++) {
    const worker = new Worker(PRODUCER, { eval: true, workerData: { memory, module } })
    await until('lines', () => reader.unread() > 0, 30_000)
    await worker.terminate()
    for (const line of drain(reader).trimEnd().split('\n')) assert.match(line, /^(\d+):x*:\1$/)
  }
})
