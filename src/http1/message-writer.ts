import type { Socket } from 'node:net'

/** Text waits here so that a head and a small body leave in one system call; Node writes strings below this from the stack. */
const HOLD_BYTES = 8_192
const LAST_CHUNK = '0\r\n'

/** A read buffer's worth of body, with whatever is held before it. */
const WRITE_BUFFER_BYTES = 65_536 + HOLD_BYTES + 64
const MAX_SPARE_BUFFERS = 32

/**
 * Write buffers that have left, for the next pieces: a large body would otherwise leave a new one behind at every read,
 * and some 50 MiB of them at a time until the collector comes by.
 */
const spareBuffers: Buffer[] = []

function takeWriteBuffer(byteCount: number): Buffer {
  if (byteCount > WRITE_BUFFER_BYTES) return Buffer.allocUnsafeSlow(byteCount)
  return spareBuffers.pop() ?? Buffer.allocUnsafeSlow(WRITE_BUFFER_BYTES)
}

function giveWriteBuffer(buffer: Buffer): void {
  if (buffer.length === WRITE_BUFFER_BYTES && spareBuffers.length < MAX_SPARE_BUFFERS)
    spareBuffers.push(buffer)
}

/**
 * Writes one message after another to a socket: a head as text, then its body in the framing the head announced.
 * Small pieces are held until `flush`; whoever has written something calls it before returning to the event loop.
 */
export class MessageWriter {
  readonly socket: Socket
  #held = ''
  #chunked = false

  constructor(socket: Socket) {
    this.socket = socket
  }

  /** `head` is complete, with the empty line; `chunked` says how its body is framed. */
  begin(head: string, framing: 'chunked' | 'plain'): void {
    this.#held += head
    this.#chunked = framing === 'chunked'
  }

  body(bytes: Buffer, start: number, end: number): void {
    const length = end - start
    if (length === 0) return
    if (this.#held.length + length <= HOLD_BYTES) {
      const piece = bytes.toString('latin1', start, end)
      this.#held += this.#chunked ? `${length.toString(16)}\r\n${piece}\r\n` : piece
      return
    }
    const prefix = this.#chunked ? `${this.#held}${length.toString(16)}\r\n` : this.#held
    const suffix = this.#chunked ? 2 : 0
    this.#held = ''
    // The read buffer is used again at once, so the piece is copied; with its frame, into one buffer for one call.
    const total = prefix.length + length + suffix
    const out = takeWriteBuffer(total)
    out.write(prefix, 0, 'latin1')
    bytes.copy(out, prefix.length, start, end)
    if (suffix !== 0) out.write('\r\n', prefix.length + length, 'latin1')
    this.socket.write(out.subarray(0, total), () => giveWriteBuffer(out))
  }

  /** A whole plain body that nobody will change: written without a copy. */
  shared(body: Buffer): void {
    if (body.length <= HOLD_BYTES) {
      this.body(body, 0, body.length)
      return
    }
    this.flush()
    this.socket.write(body)
  }

  /** Ends a body; `trailers` are complete field lines. */
  end(trailers: string): void {
    if (this.#chunked) this.#held += `${LAST_CHUNK}${trailers}\r\n`
  }

  flush(): void {
    if (this.#held === '') return
    const held = this.#held
    this.#held = ''
    this.socket.write(held, 'latin1')
  }

  /** The socket takes no more for now: its `drained` will come. */
  get blocked(): boolean {
    return this.socket.writableNeedDrain && this.socket.writableLength > 0
  }
}
