import { connect, type Socket } from 'node:net'
import { matches, pieceAt } from './pattern.ts'

/** What to do, as JSON in the first argument. */
export interface BodyWork {
  readonly port: number
  readonly token: string
  readonly direction: 'up' | 'down'
  /** Of one body. */
  readonly bytes: number
  readonly connections: number
  /** No exchange begins later than this; 0: one exchange a connection. */
  readonly seconds: number
  /** The reader (origin or this client) stops for so long after the first mebibyte; 0: never. */
  readonly stallMs: number
}

/** What came of it, as JSON on standard output. */
export interface BodyResult {
  readonly exchanges: number
  readonly durationUs: number
  /** At most one a connection: it ends there. */
  readonly faults: readonly string[]
}

const STALL_AT_BYTES = 2 ** 20

/** One buffer for all connections: a callback is through with it before the next read. */
const readBuffer = Buffer.allocUnsafe(256 * 1024)

class BodyConnection {
  exchanges = 0
  fault: string | null = null
  readonly #work: BodyWork
  readonly #socket: Socket
  readonly #deadline: number
  readonly #done: () => void
  #head = ''
  #expected = 0
  #received = 0
  #text = ''
  #stallMs = 0
  #ended = false

  constructor(work: BodyWork, deadline: number, done: () => void) {
    this.#work = work
    this.#deadline = deadline
    this.#done = done
    this.#socket = connect({
      host: '127.0.0.1',
      port: work.port,
      onread: { buffer: readBuffer, callback: (length) => this.#take(length) },
    })
    this.#socket.setNoDelay(true)
    this.#socket.once('connect', () => this.#begin())
    this.#socket.on('error', (error) => this.#end(error.message))
    this.#socket.on('close', () => this.#end('closed early'))
  }

  #begin(): void {
    const { direction, bytes, token, stallMs } = this.#work
    this.#head = ''
    this.#expected = -1
    this.#received = 0
    this.#text = ''
    const authority = `Host: bench.test\r\nAuthorization: Bearer ${token}\r\n`
    if (direction === 'down') {
      this.#stallMs = stallMs
      this.#socket.write(`GET /api/v1/ingest/source/${bytes} HTTP/1.1\r\n${authority}\r\n`)
      return
    }
    const query = stallMs > 0 ? `?stall=${stallMs}` : ''
    this.#socket.write(
      `POST /api/v1/ingest/sink${query} HTTP/1.1\r\n${authority}Content-Length: ${bytes}\r\n\r\n`,
    )
    let sent = 0
    const more = (): void => {
      while (sent < bytes && !this.#socket.destroyed) {
        const piece = pieceAt(sent, bytes)
        sent += piece.length
        if (!this.#socket.write(piece)) {
          this.#socket.once('drain', more)
          return
        }
      }
    }
    more()
  }

  #take(length: number): boolean {
    let at = 0
    if (this.#expected < 0) {
      this.#head += readBuffer.toString('latin1', 0, length)
      const end = this.#head.indexOf('\r\n\r\n')
      if (end < 0) return true
      at = length - (this.#head.length - end - 4)
      const expected = /^HTTP\/1\.1 200 [\s\S]*\r\ncontent-length: *(\d+)/i.exec(this.#head)?.[1]
      if (expected === undefined) {
        this.#end(`unexpected answer ${this.#head.slice(0, 200)}`)
        return false
      }
      this.#expected = Number(expected)
    }
    const up = this.#work.direction === 'up'
    if (up) this.#text += readBuffer.toString('latin1', at, length)
    else if (!matches(readBuffer, at, length, this.#received)) {
      this.#end(`wrong bytes after ${this.#received}`)
      return false
    }
    this.#received += length - at
    if (this.#received >= this.#expected) this.#finish()
    if (this.#stallMs === 0 || this.#received < STALL_AT_BYTES) return true
    setTimeout(() => this.#socket.resume(), this.#stallMs)
    this.#stallMs = 0
    return false
  }

  #finish(): void {
    const { direction, bytes } = this.#work
    const wanted = direction === 'up' ? `{"received":${bytes},"whole":true}` : ''
    if (this.#text !== wanted) this.#end(`the origin got ${this.#text}`)
    else if (direction === 'down' && this.#received !== bytes)
      this.#end(`${this.#received} bytes for ${bytes}`)
    else {
      this.exchanges++
      if (performance.now() >= this.#deadline) this.#end(null)
      else this.#begin()
    }
  }

  #end(fault: string | null): void {
    if (this.#ended) return
    this.#ended = true
    this.fault = fault
    this.#socket.destroy()
    this.#done()
  }
}

const work: BodyWork = JSON.parse(process.argv[2] ?? '')
const began = performance.now()
const deadline = began + work.seconds * 1000
let open = work.connections
const connections: BodyConnection[] = []
for (let index = 0; index < work.connections; index++) {
  connections.push(new BodyConnection(work, deadline, () => --open === 0 && finish()))
}

function finish(): void {
  const result: BodyResult = {
    exchanges: connections.reduce((sum, connection) => sum + connection.exchanges, 0),
    durationUs: (performance.now() - began) * 1000,
    faults: connections.flatMap(({ fault }) => fault ?? []),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
