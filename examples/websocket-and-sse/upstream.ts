/** `node examples/websocket-and-sse/upstream.ts PORT`: an event every 200 ms, and WebSockets that echo short texts. */
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'

const EVENT_INTERVAL_MS = 200
/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export function startUpstream(port: number): Promise<Server> {
  const server = createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
    response.flushHeaders()
    const event = JSON.stringify({ url: request.url, tenant: request.headers['x-company-id'] })
    const timer = setInterval(() => response.write(`event: tick\ndata: ${event}\n\n`), EVENT_INTERVAL_MS)
    response.once('close', () => clearInterval(timer))
  })
  server.on('upgrade', (request, socket) => {
    const { 'sec-websocket-key': key, 'sec-websocket-protocol': protocols } = request.headers
    const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64')
    const fields = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`]
    // The gateway took the entry with the token; what is left is the client's own protocol.
    if (protocols !== undefined) fields.push(`Sec-WebSocket-Protocol: ${protocols}`)
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields.join('\r\n')}\r\n\r\n`)
    socket.on('data', (frame) => socket.write(echo(frame)))
    socket.on('error', () => socket.destroy())
  })
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)))
}

/** A masked frame below 126 bytes, unmasked; anything else ends the connection (RFC 6455 section 5.2). */
function echo(frame: Buffer): Buffer {
  const [head = 0, masked = 0] = frame
  const length = masked & 0x7f
  if (head !== 0x81 || length > 125 || frame.length < 6 + length) return Buffer.from([0x88, 0])
  const mask = frame.subarray(2, 6)
  const text = frame.subarray(6, 6 + length).map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  return Buffer.concat([Buffer.from([head, length]), text])
}

if (import.meta.main) await startUpstream(Number(process.argv[2] ?? 8081))
