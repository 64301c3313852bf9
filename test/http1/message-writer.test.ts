import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { MessageWriter } from '../../src/http1/message-writer.ts'

/** A socket that keeps what is written to it, as latin1 text, one entry a write. */
class Recorder {
  readonly writes: string[] = []
  /** Views of the buffers written, to see whether they change afterwards. */
  readonly buffers: Buffer[] = []
  writableNeedDrain = false
  writableLength = 0

  write(piece: string | Buffer): boolean {
    if (typeof piece !== 'string') this.buffers.push(piece)
    this.writes.push(typeof piece === 'string' ? piece : piece.toString('latin1'))
    return true
  }

  get all(): string {
    return this.writes.join('')
  }
}

function recorded(): { socket: Recorder; writer: MessageWriter } {
  const socket = new Recorder()
  return { socket, writer: new MessageWriter(socket as unknown as Socket) } // what the writer uses of a socket
}

function put(writer: MessageWriter, text: string): void {
  const bytes = Buffer.from(`<<${text}>>`, 'latin1')
  writer.body(bytes, 2, bytes.length - 2)
}

const HEAD = 'HTTP/1.1 200 OK\r\n\r\n'

describe('a message', () => {
  test('whose body is small leaves with its head in one write', () => {
    const { socket, writer } = recorded()
    writer.begin(HEAD, 'plain')
    put(writer, 'body \u00e9\u00ff\u0000')
    writer.end('')
    assert.deepEqual(socket.writes, [])
    writer.flush()
    assert.deepEqual(socket.writes, [`${HEAD}body \u00e9\u00ff\u0000`])
  })

  test('whose body is large leaves with its head in one write too', () => {
    const { socket, writer } = recorded()
    writer.begin(HEAD, 'plain')
    const body = 'x'.repeat(50_000)
    put(writer, body)
    writer.flush()
    assert.deepEqual(socket.writes, [HEAD + body])
  })

  test('is the same bytes however its body is cut, chunk framing aside', () => {
    const body = Array.from({ length: 40_000 }, (_, at) => String.fromCharCode(at % 256)).join('')
    for (const size of [1, 7, 4_096, 8_191, 8_192, 8_193, 40_000]) {
      const { socket, writer } = recorded()
      writer.begin(HEAD, 'plain')
      for (let at = 0; at < body.length; at += size) put(writer, body.slice(at, at + size))
      writer.end('')
      writer.flush()
      assert.ok(socket.all === HEAD + body, `pieces of ${size}`)
    }
  })

  test('that is chunked frames each piece, and ends with its trailers', () => {
    const { socket, writer } = recorded()
    writer.begin(HEAD, 'chunked')
    put(writer, 'abc')
    put(writer, 'x'.repeat(0x4000))
    put(writer, '')
    put(writer, 'd')
    writer.end('X-Sum: 5\r\n')
    writer.flush()
    assert.equal(
      socket.all,
      `${HEAD}3\r\nabc\r\n4000\r\n${'x'.repeat(0x4000)}\r\n1\r\nd\r\n0\r\nX-Sum: 5\r\n\r\n`,
    )
  })

  test('that is chunked and empty is only its end', () => {
    const { socket, writer } = recorded()
    writer.begin(HEAD, 'chunked')
    writer.end('')
    writer.flush()
    assert.equal(socket.all, `${HEAD}0\r\n\r\n`)
  })

  test('that is plain has no end of its own, trailers neither', () => {
    const { socket, writer } = recorded()
    writer.begin(HEAD, 'plain')
    put(writer, 'abc')
    writer.end('X-Sum: 5\r\n')
    writer.flush()
    assert.equal(socket.all, `${HEAD}abc`)
  })

  test('is framed by its own head, whatever the one before was', () => {
    const { socket, writer } = recorded()
    writer.begin(HEAD, 'chunked')
    writer.end('')
    writer.begin(HEAD, 'plain')
    put(writer, 'abc')
    writer.end('')
    writer.flush()
    assert.equal(socket.all, `${HEAD}0\r\n\r\n${HEAD}abc`)
  })

  // The fault: all sockets of a thread read into one buffer, so a piece that is written without a copy shows another
  // tenant's bytes by the time it leaves.
  test('keeps nothing of the buffer its pieces came in', () => {
    const { socket, writer } = recorded()
    const shared = Buffer.alloc(20_000, 'a')
    writer.begin(HEAD, 'plain')
    writer.body(shared, 0, 100)
    writer.body(shared, 0, 20_000)
    shared.fill('b')
    writer.flush()
    assert.ok(!socket.all.includes('b'))
    for (const buffer of socket.buffers) assert.ok(!buffer.includes('b'))
  })
})

describe('a body that nobody will change', () => {
  test('is written as it is where it is large, behind its head', () => {
    const { socket, writer } = recorded()
    const body = Buffer.alloc(50_000, 'x')
    writer.begin(HEAD, 'plain')
    writer.shared(body)
    writer.flush()
    assert.ok(socket.all === HEAD + body.toString())
    assert.ok(socket.buffers.includes(body))
  })

  test('leaves with its head in one write where it is small', () => {
    const { socket, writer } = recorded()
    writer.begin(HEAD, 'plain')
    writer.shared(Buffer.from('small'))
    writer.flush()
    assert.deepEqual(socket.writes, [`${HEAD}small`])
  })
})

describe('a writer', () => {
  test('writes nothing where there is nothing', () => {
    const { socket, writer } = recorded()
    writer.flush()
    assert.deepEqual(socket.writes, [])
  })

  test('holds small pieces up to a bound, so that memory stays flat without a flush', () => {
    const { socket, writer } = recorded()
    writer.begin(HEAD, 'plain')
    for (let piece = 0; piece < 1_000; piece++) put(writer, 'x'.repeat(100))
    assert.ok(socket.all.length > 100_000 - 8_192)
  })

  test('is blocked while the socket wants to be drained and something is in it', () => {
    const { socket, writer } = recorded()
    assert.equal(writer.blocked, false)
    socket.writableNeedDrain = true
    assert.equal(writer.blocked, false)
    socket.writableLength = 1
    assert.equal(writer.blocked, true)
  })
})
