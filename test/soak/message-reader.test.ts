import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BodyBytes } from './body.ts'
import { MessageReader } from './message-reader.ts'
import { planOf } from './plan.ts'
import { requestWire } from './request-wire.ts'

/** What a reader makes of pieces, one word an event; body bytes run together. */
function read(role: 'request' | 'response', pieces: readonly string[]): string[] {
  const events: string[] = []
  let body = ''
  const reader = new MessageReader(role, {
    interim: (head) => events.push(`interim ${head.startLine}`),
    head: (head) => events.push(`head ${head.startLine}`),
    body: (buffer, start, end) => {
      body += buffer.toString('latin1', start, end)
    },
    end: (trailers) => {
      events.push(`end ${body} ${trailers.names.join()}`.trimEnd())
      body = ''
    },
    garbage: () => events.push('garbage'),
  })
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1')
    reader.feed(bytes, 0, bytes.length)
  }
  reader.close()
  return events
}

const STREAM =
  'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' +
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' +
  'HTTP/1.1 204 No Content\r\n\r\n' +
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n' +
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' +
  'HTTP/1.1 200 OK\r\n\r\nto the end'

const EVENTS = [
  'interim HTTP/1.1 103 Early Hints',
  'head HTTP/1.1 200 OK',
  'end hello',
  'head HTTP/1.1 204 No Content',
  'end',
  'head HTTP/1.1 200 OK',
  'end abcde x-t',
  'head HTTP/1.1 200 OK',
  'end',
  'head HTTP/1.1 200 OK',
  'end to the end',
]

test('reads the same messages whatever pieces they come in', () => {
  assert.deepEqual(read('response', [STREAM]), EVENTS)
  assert.deepEqual(read('response', [...STREAM]), EVENTS)
  for (let cut = 1; cut < STREAM.length; cut++) {
    assert.deepEqual(read('response', [STREAM.slice(0, cut), STREAM.slice(cut)]), EVENTS, `cut at ${cut}`)
  }
})

test('refuses what is not a message', () => {
  for (const text of [
    'stray bytes\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nbad field\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n',
  ]) {
    assert.equal(read('response', [text]).at(-1), 'garbage', text)
  }
  assert.equal(
    read('response', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n']).at(-1),
    'garbage',
  )
})

test('every planned request reads back as planned', () => {
  for (let number = 0; number < 300; number++) {
    const plan = planOf(7, number)
    if (plan.minor === 0) continue
    const { bytes } = requestWire(7, plan, 'token')
    const content = new BodyBytes(7, number, 'request')
    let received = 0
    let ends = 0
    const reader = new MessageReader('request', {
      interim: () => {},
      head: () => {},
      body: (buffer, start, end) => {
        assert.ok(content.matches(buffer, start, end, received))
        received += end - start
      },
      end: () => ends++,
      garbage: (reason) => assert.fail(reason),
    })
    for (let at = 0; at < bytes.length; at += 997) reader.feed(bytes, at, Math.min(bytes.length, at + 997))
    assert.equal(received, plan.request.bytes)
    assert.equal(ends, 1)
  }
})

test("a body is not taken for another exchange's, for the other direction's, or for one out of place", () => {
  const length = 4_096
  const body = Buffer.alloc(length)
  const own = new BodyBytes(1, 5, 'response')
  own.fill(body, 0, length, 0)
  assert.ok(own.matches(body, 0, length, 0))
  assert.ok(own.matches(body, 1_001, length, 1_001))
  assert.ok(!own.matches(body, 1_000, 1_064, 1_001))
  assert.ok(!own.matches(body, 0, 8, 64))
  assert.ok(!new BodyBytes(1, 6, 'response').matches(body, 0, length, 0))
  assert.ok(!new BodyBytes(1, 5, 'request').matches(body, 64, length, 64))
  assert.ok(!new BodyBytes(2, 5, 'response').matches(body, 64, length, 64))
})

test('the same seed gives the same plan, another seed another', () => {
  assert.deepEqual(planOf(3, 1_234), planOf(3, 1_234))
  assert.notDeepEqual(planOf(3, 1_234), planOf(4, 1_234))
})
