import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { queuedBytes } from '../../src/http1/socket.ts'
import { chunked, RawClient, request } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { delivered } from './loopback.ts'
import { LIMITS, ServerStage } from './server-stage.ts'

const MIB = 1 << 20

async function staged(use: (stage: ServerStage, client: RawClient) => Promise<void>): Promise<void> {
  const stage = await ServerStage.open()
  const client = await stage.connect()
  try {
    await use(stage, client)
  } finally {
    client.leave()
    await stage[Symbol.asyncDispose]()
  }
}

/** Lets everything sent so far be read, then waits for it to be true. */
const holds = (what: string, condition: () => boolean): Promise<boolean> => until(what, condition)

describe('requests of one connection', () => {
  test('are told one at a time, each after the answer to the one before, in order', () =>
    staged(async (stage, client) => {
      await client.send(Buffer.concat(['/a', '/b', '/c'].map((target) => request('GET', target))))
      for (const [index, target] of ['/a', '/b', '/c'].entries()) {
        const heard = await stage.hears(index)
        await delivered()
        assert.equal(stage.heard.length, index + 1)
        assert.equal(heard.target, target)
        heard.answer()
        assert.equal((await client.read()).text, target)
      }
    }))

  test('are the same however their bytes arrive', () =>
    staged(async (stage, client) => {
      const bytes = Buffer.concat([
        request('POST', '/a', [], 'four'),
        request('POST', '/b', [['Transfer-Encoding', 'chunked']], chunked(['xy', 'z'], [['X-T', '1']])),
        request('GET', '/c'),
      ])
      void client.sendPieces(Array.from(bytes, (byte) => Buffer.of(byte)))
      for (const [index, body] of ['four', 'xyz', ''].entries()) {
        const heard = await stage.hears(index)
        await holds('the body', () => heard.ended || heard.wasDone)
        assert.equal(heard.text, body)
        heard.answer()
        assert.equal((await client.read('POST')).status, 200)
      }
      assert.equal(stage.heard[1]?.trailers, 'X-T: 1\r\n')
      assert.deepEqual(stage.faults, [])
    }))

  test('are not told behind one that asked to close, or HTTP/1.0', async () => {
    for (const first of [
      'GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      'GET /a HTTP/1.0\r\n\r\n',
    ])
      await staged(async (stage, client) => {
        await client.send(first + request('GET', '/b').toString())
        const heard = await stage.hears(0)
        assert.equal(heard.connection.closeAfter, true)
        heard.answer()
        assert.equal((await client.read()).text, '/a')
        assert.equal((await client.closed()).length, 0)
        assert.equal(stage.heard.length, 1)
      })
  })

  // The attack: whatever follows a message whose end is in doubt is a request to one side and a body to the other.
  test('are not told behind one that is malformed', () =>
    staged(async (stage, client) => {
      await client.send(`GET /a HTTP/1.1\r\nHost : a\r\n\r\n${request('GET', '/b').toString()}`)
      assert.equal((await client.read()).status, 400)
      assert.equal((await client.closed()).length, 0)
      assert.deepEqual([stage.heard.length, stage.faults.length], [0, 1])
    }))

  test('that are large in number keep no more than a read of bytes waiting', () =>
    staged(async (stage, client) => {
      const one = request('GET', '/x')
      void client.send(Buffer.concat(Array.from({ length: 400_000 }, () => one)))
      const { connection } = await stage.hears(0)
      let before = -1
      await holds('reading to stop', () => {
        const read = connection.socket.bytesRead
        const stopped = read === before
        before = read
        return stopped
      })
      assert.ok(
        connection.socket.bytesRead <= 2 * 65_536,
        `${connection.socket.bytesRead} bytes were read ahead`,
      )
    }))
})

// The attack: thousands of small requests for large answers, sent ahead and never read, fill the gateway's memory.
test('requests sent ahead wait while the client does not read the answers, and are served once it does', () =>
  staged(async (stage, client) => {
    const count = 64
    await client.send(Buffer.concat(Array.from({ length: count }, () => request('GET', '/x'))))
    const body = 'x'.repeat(MIB)
    let answered = 0
    const answerAll = async (): Promise<void> => {
      for (let still = 0; still < 20; still++) {
        for (; answered < stage.heard.length; still = 0) stage.heard[answered++]?.answer(body)
        await delivered()
      }
    }
    await answerAll()
    assert.ok(answered < count / 2, `${answered} MiB are on their way`)
    assert.equal(stage.connections[0]?.unsent, true)
    for (let read = 0; read < count; read++) {
      const got = client.read()
      await answerAll()
      assert.equal((await got).body.length, MIB)
    }
    assert.equal(answered, count)
  }))

describe('a body', () => {
  test('is told piece by piece and says what is still to come', () =>
    staged(async (stage, client) => {
      await client.send(request('POST', '/a', [['Content-Length', '10']], 'four'))
      const heard = await stage.hears(0)
      await holds('the first piece', () => heard.text === 'four')
      assert.equal(heard.connection.requestDone, false)
      assert.equal(heard.connection.bodyRemaining, 6)
      await client.send('567890')
      await holds('the end', () => heard.ended)
      assert.equal(heard.connection.requestDone, true)
    }))

  test('waits while it is held, in the kernel and not in memory', () =>
    staged(async (stage, client) => {
      void client.send(request('POST', '/a', [], Buffer.alloc(64 * MIB)))
      const heard = await stage.hears(0)
      heard.connection.hold()
      const read = heard.connection.socket.bytesRead
      await delivered()
      assert.ok(heard.connection.socket.bytesRead - read <= 65_536)
      const told = heard.length
      await delivered()
      assert.equal(heard.length, told)
      heard.connection.release()
      await holds('all of it', () => heard.ended)
      assert.equal(heard.length, 64 * MIB)
    }))

  test('that breaks its framing is told as broken and nothing behind it is a request', () =>
    staged(async (stage, client) => {
      const body = `5\r\nabcdeX\r\n0\r\n\r\n${request('GET', '/b').toString()}`
      await client.send(request('POST', '/a', [['Transfer-Encoding', 'chunked']], body))
      const heard = await stage.hears(0)
      await holds('the fault', () => heard.fault !== null)
      assert.equal(heard.fault?.code, 'malformed')
      assert.equal(stage.heard.length, 1)
    }))

  test('that nobody wants any more is read and dropped, and the next request is served', () =>
    staged(async (stage, client) => {
      await client.send(request('POST', '/a', [['Content-Length', '10']], 'four'))
      ;(await stage.hears(0)).answer()
      assert.equal((await client.read('POST')).text, '/a')
      await client.send(Buffer.concat([Buffer.from('567890'), request('GET', '/b')]))
      ;(await stage.hears(1)).answer()
      assert.equal((await client.read()).text, '/b')
    }))
})

describe('a client', () => {
  test('that shuts down its side after a whole request is answered, pipelined ones too', () =>
    staged(async (stage, client) => {
      await client.send(Buffer.concat([request('GET', '/a'), request('GET', '/b')]))
      client.finish()
      for (const [index, target] of ['/a', '/b'].entries()) {
        const heard = await stage.hears(index)
        await delivered()
        assert.equal(heard.gone, 0)
        heard.answer()
        assert.equal((await client.read()).text, target)
      }
      assert.equal((await client.closed()).length, 0)
      await holds('the close', () => stage.closes === 1)
    }))

  test('that shuts down within a head or a body is gone', async () => {
    await staged(async (stage, client) => {
      await client.send('GET /a HTTP/1.1\r\nHo')
      client.finish()
      assert.equal((await client.closed()).length, 0)
      assert.equal(stage.heard.length, 0)
    })
    await staged(async (stage, client) => {
      await client.send(request('POST', '/a', [['Content-Length', '10']], 'four'))
      const heard = await stage.hears(0)
      client.finish()
      await holds('the end', () => heard.gone === 1)
      assert.equal(heard.ended, false)
    })
  })

  test('that resets is gone, told once', () =>
    staged(async (stage, client) => {
      await client.send(request('GET', '/a'))
      const heard = await stage.hears(0)
      client.reset()
      await holds('the end', () => stage.closes === 1)
      assert.equal(heard.gone, 1)
      heard.answer()
      await delivered()
      assert.deepEqual([heard.gone, stage.closes], [1, 1])
    }))

  // The fault: a socket that is paused for a byte nobody may use yet reports neither end nor reset of its peer.
  test('that leaves behind the first byte of another request is gone all the same', () =>
    staged(async (stage, client) => {
      await client.send(`${request('GET', '/a').toString()}G`)
      const heard = await stage.hears(0)
      await delivered()
      client.reset()
      await holds('the end', () => heard.gone === 1)
    }))

  test('that sends nothing is closed after the idle limit, without an answer', () =>
    staged(async (stage, client) => {
      await holds('the connection', () => stage.connections.length === 1)
      stage.time.pass(LIMITS.idleMs - 100)
      await delivered()
      assert.equal(stage.closes, 0)
      stage.time.pass(300)
      assert.equal((await client.closed()).length, 0)
      assert.deepEqual(stage.faults, [])
    }))

  test('is idle between requests, and not within one', () =>
    staged(async (stage, client) => {
      await client.send(request('GET', '/a').subarray(0, 10))
      await holds('the bytes', () => stage.connections[0]?.socket.bytesRead === 10)
      assert.equal(stage.connections[0]?.idle, false)
      await client.send(request('GET', '/a').subarray(10))
      const heard = await stage.hears(0)
      assert.equal(heard.connection.idle, false)
      heard.answer()
      assert.equal(heard.connection.idle, true)
    }))

  // The attack: a byte now and then keeps a slot for ever (Slowloris).
  test('that trickles a head is refused when the head’s limit is over, however many bytes came', () =>
    staged(async (stage, client) => {
      await client.send('GET /a HTTP/1.1\r\n')
      await holds('the bytes', () => (stage.connections[0]?.socket.bytesRead ?? 0) >= 17)
      for (let part = 0; part < 9; part++) {
        stage.time.pass(LIMITS.headMs / 10)
        const before = stage.connections[0]?.socket.bytesRead ?? 0
        await client.send('X: y\r\n')
        await holds('the bytes', () => (stage.connections[0]?.socket.bytesRead ?? 0) > before)
      }
      assert.deepEqual(stage.faults, [])
      stage.time.pass(LIMITS.headMs / 10 + 200)
      assert.deepEqual(
        stage.faults.map(({ code }) => code),
        ['timeout'],
      )
      assert.equal((await client.read()).status, 400)
      assert.equal((await client.closed()).length, 0)
    }))

  test('that pauses within a body is broken off by the body’s limit, one that goes on is not', () =>
    staged(async (stage, client) => {
      await client.send(request('POST', '/a', [['Content-Length', '100']], 'x'))
      const heard = await stage.hears(0)
      for (let part = 0; part < 5; part++) {
        stage.time.pass(LIMITS.bodyMs - 100)
        const before = heard.length
        await client.send('x')
        await holds('the byte', () => heard.length > before)
        assert.equal(heard.fault, null)
      }
      stage.time.pass(LIMITS.bodyMs + 200)
      assert.equal(heard.fault?.code, 'timeout')
    }))

  test('that waits for its answer has no limit here: the upstream’s hold', () =>
    staged(async (stage, client) => {
      await client.send(request('GET', '/a'))
      const heard = await stage.hears(0)
      stage.time.pass(600_000)
      await delivered()
      assert.equal(heard.gone, 0)
      heard.answer()
      assert.equal((await client.read()).text, '/a')
    }))

  test('that does not read is noticed, and given up when nothing moved for the body’s limit', () =>
    staged(async (stage, client) => {
      await client.send(request('GET', '/a'))
      const heard = await stage.hears(0)
      heard.connection.writer.begin('HTTP/1.1 200 OK\r\n\r\n', 'plain')
      const piece = Buffer.alloc(65_536)
      let pushed = 0
      while (heard.push(piece)) {
        pushed += piece.length
        await delivered()
        assert.ok(pushed < 64 * MIB, 'the kernel takes everything')
      }
      stage.time.pass(LIMITS.bodyMs - 200)
      await delivered()
      assert.equal(heard.gone, 0)
      stage.time.pass(600)
      await holds('the end', () => heard.gone === 1)
      // What it got so far must not look like a whole answer.
      const rest = await client.source.rest()
      assert.ok(rest.length < pushed + 200)
      assert.equal((client.source.error as NodeJS.ErrnoException | null)?.code, 'ECONNRESET')
    }))

  test('that reads slowly but reads is not given up, and told when it can take more', () =>
    staged(async (stage, client) => {
      await client.send(request('GET', '/a'))
      const heard = await stage.hears(0)
      heard.connection.writer.begin('HTTP/1.1 200 OK\r\n\r\n', 'plain')
      heard.push(Buffer.alloc(16 * MIB))
      assert.equal(heard.connection.congested(), true)
      let rounds = 0
      while (heard.drains === 0) {
        stage.time.pass(LIMITS.bodyMs - 100)
        const before = queuedBytes(heard.connection.socket)
        while (heard.drains === 0 && queuedBytes(heard.connection.socket) === before) {
          await client.source.take(65_536, () => {})
          await delivered()
        }
        rounds++
      }
      assert.ok(rounds > 1, 'the kernel took it all at once')
      stage.time.pass(600_000)
      await delivered()
      assert.equal(heard.gone, 0)
    }))
})

describe('an ending', () => {
  test('lets a client that is still sending read the whole answer', () =>
    staged(async (stage, client) => {
      client.socket.on('error', () => {})
      void client.send(request('POST', '/a', [['Content-Length', String(8 * MIB)]], Buffer.alloc(4 * MIB)))
      const heard = await stage.hears(0)
      heard.connection.closeAfter = true
      heard.answer('x'.repeat(100_000))
      const got = await client.read('POST')
      assert.equal(got.text.length, 100_000)
      assert.equal(got.body.complete, true)
    }))

  test('cuts nothing off that a slow reader has still to come, as long as it reads', () =>
    staged(async (stage, client) => {
      await client.send('GET /a HTTP/1.0\r\n\r\n')
      const heard = await stage.hears(0)
      heard.answer('x'.repeat(24 * MIB))
      const head = await client.source.head()
      assert.match(head ?? '', /200 OK/)
      let left = 24 * MIB
      while (left > 0) {
        stage.time.pass(LIMITS.bodyMs - 100)
        const before = queuedBytes(heard.connection.socket)
        do {
          await client.source.take(Math.min(65_536, left), (chunk) => {
            left -= chunk.length
          })
          await delivered()
        } while (left > 0 && before > 0 && queuedBytes(heard.connection.socket) === before)
        if (before === 0) break
      }
      assert.equal((await client.closed()).length, left)
    }))

  test('waits a while for the client to end too, and not for ever', () =>
    staged(async (stage, client) => {
      await client.send('GET /a HTTP/1.0\r\n\r\n')
      ;(await stage.hears(0)).answer()
      await client.read()
      assert.equal((await client.closed()).length, 0)
      await delivered()
      assert.equal(stage.closes, 0)
      stage.time.pass(3_000)
      await holds('the close', () => stage.closes === 1)
    }))

  test('by reset is seen by the client as one', () =>
    staged(async (stage, client) => {
      await client.send(request('GET', '/a'))
      const heard = await stage.hears(0)
      heard.connection.writer.begin('HTTP/1.1 200 OK\r\n\r\npart', 'plain')
      heard.connection.writer.flush()
      heard.connection.abort('reset')
      await client.source.rest()
      assert.equal((client.source.error as NodeJS.ErrnoException | null)?.code, 'ECONNRESET')
      await holds('the close', () => stage.closes === 1)
    }))
})

describe('a tunnel', () => {
  async function tunnelled(
    use: (stage: ServerStage, client: RawClient) => Promise<void>,
    early = '',
  ): Promise<void> {
    await staged(async (stage, client) => {
      await client.send(request('GET', '/a').toString() + early)
      const heard = await stage.hears(0)
      heard.connection.writer.begin('HTTP/1.1 101 Switching Protocols\r\n\r\n', 'plain')
      heard.connection.writer.flush()
      heard.connection.becomeTunnel()
      assert.equal((await client.read()).status, 101)
      await use(stage, client)
    })
  }

  test('gets the bytes that came behind the request, as bytes', () =>
    tunnelled(async (stage) => {
      const heard = await stage.hears(0)
      await holds('the bytes', () => heard.tunnelled === 'GET /b HTTP/1.1\r\n\r\n')
      assert.equal(stage.heard.length, 1)
    }, 'GET /b HTTP/1.1\r\n\r\n'))

  test('carries bytes until one side ends, then the other way still', () =>
    tunnelled(async (stage, client) => {
      const heard = await stage.hears(0)
      await client.send('up')
      await holds('the bytes', () => heard.tunnelled === 'up')
      client.finish()
      await holds('the end', () => heard.tunnelEnded)
      assert.equal(heard.gone, 0)
      heard.push(Buffer.from('down'))
      heard.connection.finish()
      assert.equal((await client.closed()).toString(), 'down')
      await holds('the close', () => stage.closes === 1)
    }))
})

test('an IPv4 client of a listener for both families has its IPv4 address', async (t) => {
  let stage: ServerStage
  try {
    stage = await ServerStage.open(LIMITS, '::')
  } catch {
    t.skip('this machine has no IPv6')
    return
  }
  const client = await RawClient.connect(stage.port)
  try {
    await client.send(request('GET', '/a'))
    assert.equal((await stage.hears(0)).connection.remoteAddress, '127.0.0.1')
  } finally {
    client.leave()
    await stage[Symbol.asyncDispose]()
  }
})
