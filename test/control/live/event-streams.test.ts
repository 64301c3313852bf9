import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { EventStreams } from '../../../src/control/live/event-streams.ts'
import { LiveFigures } from '../../../src/control/live/live-figures.ts'
import { ManualTime } from '../../support/manual-time.ts'
import { until } from '../../support/until.ts'

const MOST_SECONDS = 200

interface Reader {
  readonly socket: Socket
  text: string
  isOver: boolean
}

async function stage(t: TestContext, state: () => object = () => ({ status: 'ready' })) {
  const time = new ManualTime()
  time.nowMs = 1_700_000_000_500
  const events = new EventStreams({
    view: new LiveFigures(() => time.wallMs()),
    state,
    wallMs: () => time.wallMs(),
    startTimer: time.startTimer,
  })
  const refused: ServerResponse[] = []
  /** Which of the streams have ended, by the order they came in. */
  const ended: number[] = []
  let count = 0
  const server = createServer((_request, response) => {
    const number = count++
    response.on('close', () => ended.push(number))
    if (events.open(response)) return
    refused.push(response)
    response.writeHead(503).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  const readers: Reader[] = []
  t.after(() => {
    events.close()
    for (const { socket } of readers) socket.destroy()
    server.close()
  })
  const open = async (): Promise<Reader> => {
    const socket = connect(port, '127.0.0.1')
    const reader = { socket, text: '', isOver: false }
    readers.push(reader)
    socket.setEncoding('utf8').on('data', (text: string) => {
      reader.text += text
    })
    socket.on('close', () => {
      reader.isOver = true
    })
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    return reader
  }
  return { time, events, open, refused, ended }
}

describe('event streams', () => {
  test('begin with what is kept and go on each second', async (t) => {
    const { open, time } = await stage(t)
    const reader = await open()
    await until('the beginning', () => reader.text.includes('event: begin'))
    await time.pass(1_000)
    await until('a second', () => reader.text.split('event: second').length === 2)
    await time.pass(1_000)
    await until('another', () => reader.text.split('event: second').length === 3)
  })

  test('are bounded in number: a thousand more are turned away, and those that are there go on', async (t) => {
    const { open, refused, time } = await stage(t)
    const first = await open()
    await until('the beginning', () => first.text.includes('event: begin'))
    await Promise.all(Array.from({ length: 1_000 }, open))
    await until('those beyond 32', () => refused.length === 1_001 - 32)
    await time.pass(1_000)
    await until('a second', () => first.text.includes('event: second'))
  })

  test('let go of a reader that does not read', async (t) => {
    const big = 'x'.repeat(300_000)
    const { open, time, ended } = await stage(t, () => ({ big }))
    const slow = await open()
    await until('the first', () => slow.text.includes('event: begin'))
    const quick = await open()
    await until('both', () => slow.text.includes('event: begin') && quick.text.includes('event: begin'))
    slow.socket.pause()
    let second = 0
    // What the system itself holds for a reader comes first.
    for (; second < MOST_SECONDS && ended.length === 0; second++) {
      await time.pass(1_000)
      await until('the quick one to follow', () => quick.text.split('event: second').length === second + 2)
    }
    assert.deepEqual(ended, [0])
    assert.equal(quick.isOver, false)
  })

  test('run no timer when nobody looks on', async (t) => {
    const { open, events, time } = await stage(t)
    const reader = await open()
    await until('the beginning', () => reader.text.includes('event: begin'))
    assert.equal(time.waiting, 1)
    reader.socket.destroy()
    await until('its timer is gone', () => time.waiting === 0)
    events.tell()
    assert.equal(time.waiting, 0)
  })
})
