import type { Socket } from 'node:net'

/** A peer sent something that is not HTTP/1.1. */
export class WireError extends Error {}

/** A peer stopped in the middle of a line or a head. */
export class CutShort extends WireError {}

const END_OF_HEAD = Buffer.from('\r\n\r\n')
const END_OF_LINE = Buffer.from('\r\n')

/**
 * Bytes of a socket, pulled: nothing is read ahead beyond one stream buffer, so a test that does not read is a
 * slow reader. Text is latin1, one character a byte.
 */
export class ByteSource {
  readonly #socket: Socket
  #pending: Buffer[] = []
  #received = 0
  #over = false
  #error: Error | null = null
  #waiting: (() => void)[] = []

  constructor(socket: Socket) {
    this.#socket = socket
    const wake = (): void => {
      for (const resume of this.#waiting.splice(0)) resume()
    }
    const finish = (): void => {
      this.#over = true
      wake()
    }
    socket.on('readable', wake)
    socket.on('end', finish)
    socket.on('close', finish)
    socket.on('error', (error) => {
      this.#error = error
      finish()
    })
  }

  /** The socket's error, such as ECONNRESET; null while there is none. */
  get error(): Error | null {
    return this.#error
  }

  /** Waits for more bytes; false when the peer sent its last. */
  async more(): Promise<boolean> {
    const received = this.#received
    for (;;) {
      const chunk = this.#socket.read() as Buffer | null
      if (chunk !== null) {
        this.#pending.push(chunk)
        this.#received += chunk.length
      }
      // Somebody else who waited may have read it.
      if (this.#received !== received) return true
      if (this.#over) return false
      await new Promise<void>((resolve) => void this.#waiting.push(resolve))
    }
  }

  /** A head up to its empty line, without it; null when the peer ended before its first byte. */
  async head(): Promise<string | null> {
    return this.#until(END_OF_HEAD, 'head')
  }

  /** A line without its CRLF; null when the peer ended before its first byte. */
  async line(): Promise<string | null> {
    return this.#until(END_OF_LINE, 'line')
  }

  /** Exactly `length` bytes handed to `sink` as they arrive; false when the peer ended before. */
  async take(length: number, sink: (chunk: Buffer) => void | Promise<void>): Promise<boolean> {
    let left = length
    while (left > 0) {
      if (this.#pending.length === 0 && !(await this.more())) return false
      const first = this.#pending.shift() as Buffer // there is one: `more` said so
      const chunk = first.length > left ? first.subarray(0, left) : first
      if (chunk !== first) this.#pending.unshift(first.subarray(left))
      left -= chunk.length
      await sink(chunk)
    }
    return true
  }

  /** Exactly `length` bytes as text. */
  async text(length: number): Promise<string> {
    const chunks: Buffer[] = []
    const whole = await this.take(length, (chunk) => void chunks.push(chunk))
    const text = Buffer.concat(chunks).toString('latin1')
    if (!whole) throw new CutShort(`expected ${length} bytes, got ${JSON.stringify(text)} and the end`)
    return text
  }

  /** Whatever comes until the peer ends. */
  async rest(): Promise<Buffer> {
    const chunks: Buffer[] = []
    await this.take(Number.MAX_SAFE_INTEGER, (chunk) => void chunks.push(chunk))
    return Buffer.concat(chunks)
  }

  /** What arrived and nobody took yet. */
  peek(): Buffer {
    return Buffer.concat(this.#pending)
  }

  async #until(mark: Buffer, what: string): Promise<string | null> {
    for (;;) {
      if (this.#pending.length > 1) this.#pending = [Buffer.concat(this.#pending)]
      const bytes = this.#pending[0]
      const at = bytes === undefined ? -1 : bytes.indexOf(mark)
      if (bytes !== undefined && at >= 0) {
        const left = bytes.subarray(at + mark.length)
        this.#pending = left.length === 0 ? [] : [left]
        return bytes.toString('latin1', 0, at)
      }
      if (await this.more()) continue
      if (bytes === undefined) return null
      throw new CutShort(`ended within a ${what}: ${JSON.stringify(bytes.toString('latin1').slice(0, 200))}`)
    }
  }
}
