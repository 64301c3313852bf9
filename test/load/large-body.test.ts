import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { echo, type Told } from '../support/origin.ts'
import { request } from '../support/raw-client.ts'
import { scale } from '../support/scale.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

// The fault: one side of a large body stops for a while. A proxy that reads on meanwhile holds the rest in memory.

const MIB = 1 << 20
const LENGTH = scale(64, 1_024) * MIB
const GROWTH = 32 * MIB
const PIECE = Buffer.alloc(
  MIB,
  Uint8Array.from({ length: 256 }, (_, byte) => byte),
)

function digest(): string {
  const hash = createHash('sha256')
  for (let sent = 0; sent < LENGTH; sent += PIECE.length) hash.update(PIECE)
  return hash.digest('hex')
}

let stage: Stage
let idle = 0

before(async () => {
  stage = await openStage()
  // Once both ways, small: what the first exchange allocates for good is not growth.
  await stage.askAs('POST', '/api/v1/ingest/x', [], PIECE)
  idle = stage.gateway.residentBytes
})
after(() => stage[Symbol.asyncDispose]())

/** The most the process held while `over` was not yet settled, bytes above idle. */
async function peakGrowth(over: Promise<unknown>): Promise<number> {
  let peak = 0
  let done = false
  const settle = (): void => {
    done = true
  }
  over.then(settle, settle)
  while (!done) {
    peak = Math.max(peak, stage.gateway.residentBytes - idle)
    await pause(20)
  }
  return peak
}

/** Waits until a counter no longer moves: what could be buffered is buffered. */
async function standsStill(what: string, count: () => number): Promise<void> {
  let last = -1
  let since = performance.now()
  await until(
    what,
    () => {
      const now = count()
      if (now !== last) {
        last = now
        since = performance.now()
      }
      return now > 0 && performance.now() - since > 400
    },
    30_000,
  )
}

describe('memory stays flat', () => {
  for (const framing of ['Content-Length', 'Transfer-Encoding'] as const)
    test(`while a stalled upstream is sent a large body (${framing})`, async () => {
      let resume: () => void = () => {}
      stage.ingest.script = async (seen, reply) => {
        // The body is being read already: stop the socket beneath its reader.
        const source = reply.socket
        const read = source.read.bind(source)
        let open = false
        source.read = (size?: number) => (open ? read(size) : null)
        resume = () => {
          open = true
          source.read = read
          source.emit('readable')
        }
        await echo(seen, reply)
      }
      using client = await stage.connect()
      const { socket } = client
      const value = framing === 'Content-Length' ? String(LENGTH) : 'chunked'
      socket.write(request('POST', '/api/v1/ingest/up', [ACME, [framing, value]]))
      const sending = (async () => {
        for (let sent = 0; sent < LENGTH; sent += PIECE.length) {
          if (framing === 'Transfer-Encoding') socket.write(`${PIECE.length.toString(16)}\r\n`)
          if (framing === 'Transfer-Encoding') socket.write(PIECE)
          const last = framing === 'Transfer-Encoding' ? Buffer.from('\r\n') : PIECE
          if (!socket.write(last)) await new Promise((drained) => socket.once('drain', drained))
        }
        if (framing === 'Transfer-Encoding') socket.write('0\r\n\r\n')
      })()
      const reading = client.read('POST')
      const growth = peakGrowth(reading)
      await standsStill('the upload to stall', () => socket.bytesWritten - socket.writableLength)
      assert.ok(socket.bytesWritten - socket.writableLength < LENGTH, 'the client was held back')
      resume()
      await sending
      const told = (await reading).json<Told>()
      assert.deepEqual([told.length, told.sha256], [LENGTH, digest()])
      assert.ok((await growth) < GROWTH, `grew by ${await growth} bytes`)
    })

  test('while a stalled client is sent a large body', async () => {
    let poured = 0
    stage.ingest.script = async (_, reply) => {
      await reply.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LENGTH}\r\n\r\n`)
      for (let sent = 0; sent < LENGTH; sent += PIECE.length) {
        if (!reply.socket.write(PIECE)) await new Promise((drained) => reply.socket.once('drain', drained))
        poured = sent
      }
    }
    using client = await stage.connect()
    await client.send(request('GET', '/api/v1/ingest/down', [ACME]))
    await standsStill('the download to stall', () => poured)
    assert.ok(poured < LENGTH - PIECE.length, 'the upstream was held back')
    const reading = client.read()
    const growth = peakGrowth(reading)
    const { body } = await reading
    assert.deepEqual([body.length, body.sha256, body.complete], [LENGTH, digest(), true])
    assert.ok((await growth) < GROWTH, `grew by ${await growth} bytes`)
  })
})
