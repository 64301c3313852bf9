/**
 * `node examples/websocket-and-sse/client.ts URL TOKEN`: what a page in a browser does, where no script can set a field.
 * Says hello, and tells when and how the connection ends.
 */
const [url = '', token = ''] = process.argv.slice(2)
const say = (text: string): void => void process.stdout.write(`${text}\n`)

const socket = new WebSocket(url, ['chat', `nyro.bearer.${token}`])
socket.onopen = () => {
  say(`open, protocol ${socket.protocol}`)
  socket.send('hello')
}
socket.onmessage = ({ data }) => say(`echo: ${data}`)
socket.onclose = ({ code }) => say(`closed: ${code}`)
socket.onerror = () => say('failed')
