import { connect, type Socket } from 'node:net'

/**
 * Opens connections, has every one of them do an exchange, and keeps them all open. Arguments: port, count, token.
 * Says READY on standard output once all are idle, or FAILED and why.
 */
const [, , port = '0', wanted = '0', token = ''] = process.argv
const AT_ONCE = 100
const request =
  `GET /api/v1/query/search?tenant=acme-1 HTTP/1.1\r\nHost: bench.test\r\n` +
  `Authorization: Bearer ${token}\r\nAccept: application/json\r\n\r\n`

const readBuffer = Buffer.allocUnsafe(64 * 1024)
const sockets: Socket[] = []
let idle = 0
let over = false

function say(line: string): void {
  if (over) return
  over = true
  process.stdout.write(`${line}\n`)
}

function openOne(): void {
  if (sockets.length >= Number(wanted)) return
  let answer = ''
  const take = (length: number): boolean => {
    answer += readBuffer.toString('latin1', 0, length)
    const end = answer.indexOf('\r\n\r\n')
    if (end < 0 || answer.length < end + 4 + 87) return true
    if (!answer.startsWith('HTTP/1.1 200')) say(`FAILED ${JSON.stringify(answer.slice(0, 600))}`)
    answer = ''
    if (++idle === Number(wanted)) say('READY')
    else openOne()
    return true
  }
  const socket = connect({
    host: '127.0.0.1',
    port: Number(port),
    onread: { buffer: readBuffer, callback: take },
  })
  sockets.push(socket)
  socket.once('connect', () => socket.write(request))
  socket.on('error', (error) => say(`FAILED connection ${sockets.length}: ${error.message}`))
  socket.on('close', () => say(`FAILED a connection was closed, ${idle} idle`))
}

for (let index = 0; index < AT_ONCE; index++) openOne()
