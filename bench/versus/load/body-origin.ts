import { createServer, type Socket } from 'node:net'
import { matches, pieceAt } from './pattern.ts'

/**
 * The upstream of the body cases. `POST …/sink` takes a sized body and answers whether it was whole; `GET …/source/N`
 * answers with N bytes. `?stall=MS` makes the sink stop reading for so long, once the first mebibyte is in.
 */
const STALL_AT_BYTES = 2 ** 20

function serve(socket: Socket): void {
  let head = ''
  let remaining = 0
  let received = 0
  let whole = true
  let stallMs = 0
  socket.on('error', () => {})
  socket.setNoDelay(true)
  socket.on('data', (chunk: Buffer) => {
    let at = 0
    if (remaining === 0) {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      at = chunk.length - (head.length - end - 4)
      const source = /^GET \S*\/source\/(\d+)/.exec(head)
      remaining = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      stallMs = Number(/^\S+ \S*[?&]stall=(\d+)/.exec(head)?.[1] ?? 0)
      received = 0
      whole = true
      head = ''
      if (source !== null) return send(socket, Number(source[1]))
      if (remaining === 0) return answer(socket, 0, true)
    }
    const length = Math.min(remaining, chunk.length - at)
    whole &&= matches(chunk, at, at + length, received)
    received += length
    remaining -= length
    if (stallMs > 0 && received >= STALL_AT_BYTES) {
      socket.pause()
      setTimeout(() => socket.resume(), stallMs)
      stallMs = 0
    }
    if (remaining === 0) answer(socket, received, whole)
  })
}

function answer(socket: Socket, received: number, whole: boolean): void {
  const body = JSON.stringify({ received, whole })
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
}

function send(socket: Socket, bytes: number): void {
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes}\r\n\r\n`,
  )
  let sent = 0
  const more = (): void => {
    while (sent < bytes && !socket.destroyed) {
      const piece = pieceAt(sent, bytes)
      sent += piece.length
      if (!socket.write(piece)) {
        socket.once('drain', more)
        return
      }
    }
  }
  more()
}

createServer({ allowHalfOpen: true }, serve).listen(Number(process.argv[2]), '127.0.0.1')
