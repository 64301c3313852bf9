import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { until } from '../support/until.ts'
import { ClientStage, GET, HeardResponse, LIMITS } from './client-stage.ts'
import { delivered, Loopback, socketPair } from './loopback.ts'

const MIB = 1 << 20
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const STRAY = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray'

async function staged(use: (stage: ClientStage) => Promise<void>): Promise<void> {
  const stage = await ClientStage.connect()
  try {
    await use(stage)
  } finally {
    await stage[Symbol.asyncDispose]()
  }
}

/** The request answered with these bytes, and what was heard once it was over. */
async function answered(
  stage: ClientStage,
  bytes: string,
  method = 'GET',
  kind: 'plain' | 'upgrade' = 'plain',
): Promise<HeardResponse> {
  const heard = stage.ask(method, kind)
  await delivered()
  stage.server.write(bytes, 'latin1')
  await until('the end', () => heard.endings > 0)
  return heard
}

const closes = (stage: ClientStage): Promise<boolean> =>
  until('the close', () => stage.events.includes('closed'))

describe('a response', () => {
  test('is told with its head, body and end, and the connection is idle again', () =>
    staged(async (stage) => {
      for (let use = 1; use <= 3; use++) {
        const heard = await answered(stage, OK)
        assert.deepEqual([heard.status, heard.reason, heard.text, heard.fault], [200, 'OK', 'ok', null])
        assert.equal(stage.connection.uses, use)
      }
      assert.deepEqual(stage.events, ['connected', 'idle', 'idle', 'idle'])
      assert.equal(stage.settledAtOnce, 0)
    }))

  test('is the same however its bytes arrive', () =>
    staged(async (stage) => {
      const bytes =
        'HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 299 Odd Reason\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '2\r\nab\r\n3\r\ncde\r\n0\r\nX-Sum: 5\r\n\r\n'
      const heard = stage.ask()
      for (const byte of bytes) {
        await delivered()
        stage.server.write(byte)
      }
      await until('the end', () => heard.ended)
      assert.deepEqual([heard.interims, heard.status, heard.reason], [[103], 299, 'Odd Reason'])
      assert.deepEqual([heard.text, heard.trailers], ['abcde', 'X-Sum: 5\r\n'])
      await until('idle', () => stage.events.includes('idle'))
    }))

  test('has no body where the request or the status says so, whatever its fields say', async () => {
    for (const [method, head] of [
      ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'],
      ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
      ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n'],
      ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ] as const)
      await staged(async (stage) => {
        const heard = await answered(stage, head, method)
        assert.deepEqual([heard.ended, heard.length], [true, 0], head)
        assert.equal((await answered(stage, OK)).text, 'ok')
      })
  })

  test('that ends with the connection is whole when the server shuts down, and only then', () =>
    staged(async (stage) => {
      const heard = stage.ask()
      await delivered()
      stage.server.write('HTTP/1.1 200 OK\r\n\r\npart')
      await until('the body', () => heard.text === 'part')
      assert.equal(heard.ended, false)
      stage.server.end('ial')
      await until('the end', () => heard.ended)
      assert.equal(heard.text, 'partial')
      await closes(stage)
      assert.ok(!stage.events.includes('idle'))
    }))

  test('that ends with the connection is broken when the server resets', () =>
    staged(async (stage) => {
      const heard = stage.ask()
      await delivered()
      stage.server.write('HTTP/1.1 200 OK\r\n\r\npart')
      await until('the body', () => heard.text === 'part')
      stage.server.resetAndDestroy()
      await until('the end', () => heard.endings > 0)
      assert.deepEqual([heard.ended, heard.fault], [false, 'reset'])
    }))

  test('tells how long the server keeps the connection', async () => {
    for (const [value, keptMs] of [
      ['timeout=5, max=100', 5_000],
      ['max=1, timeout=120', 120_000],
      ['timeout=0', 0],
      ['timeout=x', 0],
      ['timeout=99999999', 0],
    ] as const)
      await staged(async (stage) => {
        await answered(stage, `HTTP/1.1 200 OK\r\nKeep-Alive: ${value}\r\nContent-Length: 0\r\n\r\n`)
        assert.equal(stage.connection.keepAliveMs, keptMs, value)
      })
  })
})

describe('no whole response', () => {
  const cut = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'
  const faults = [
    ['closed', '', 'end'],
    ['closed', 'HTTP/1.1 200 O', 'end'],
    ['closed', cut, 'end'],
    ['closed', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n', 'end'],
    ['reset', '', 'reset'],
    ['reset', cut, 'reset'],
    ['malformed', 'this is not HTTP\r\n\r\n', 'stay'],
    ['malformed', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 'stay'],
    ['malformed', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 'stay'],
    ['malformed', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', 'stay'],
    ['malformed', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2x\r\nab\r\n', 'stay'],
    ['malformed', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(40_000)}`, 'stay'],
    ['malformed', 'HTTP/1.1 103 Early\r\n\r\n'.repeat(33), 'stay'],
    ['unasked', 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n', 'stay'],
  ] as const

  for (const [fault, bytes, then] of faults)
    test(`is told as ${fault}: ${JSON.stringify(bytes.slice(0, 60))}, then ${then}`, () =>
      staged(async (stage) => {
        const heard = stage.ask()
        await delivered()
        if (bytes !== '') stage.server.write(bytes)
        await delivered()
        if (then === 'end') stage.server.end()
        if (then === 'reset') stage.server.resetAndDestroy()
        await until('the end', () => heard.endings > 0)
        assert.equal(heard.fault, fault)
        await closes(stage)
        assert.deepEqual([heard.endings, heard.ended], [1, false])
        assert.ok(!stage.events.includes('idle'))
      }))

  test('is told in time where the head does not come', () =>
    staged(async (stage) => {
      const heard = stage.ask()
      stage.time.pass(LIMITS.headMs - 100)
      assert.equal(heard.fault, null)
      stage.time.pass(300)
      assert.equal(heard.fault, 'timeout')
      await closes(stage)
    }))

  test('is told in time where the body pauses, and not while it goes on', () =>
    staged(async (stage) => {
      const heard = stage.ask()
      await delivered()
      stage.server.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n')
      await until('the head', () => heard.status === 200)
      for (let part = 1; part < 5; part++) {
        stage.time.pass(LIMITS.idleMs - 100)
        stage.server.write('x')
        await until('the byte', () => heard.length === part)
        assert.equal(heard.fault, null)
      }
      stage.time.pass(LIMITS.idleMs + 200)
      assert.equal(heard.fault, 'timeout')
    }))

  test('is waited for without a limit while the request is not whole: that is the client’s to be', () =>
    staged(async (stage) => {
      const heard = new HeardResponse()
      stage.connection.begin(heard, 'POST', 'plain', LIMITS.headMs, LIMITS.idleMs)
      stage.connection.writer.begin(GET, 'chunked')
      stage.connection.writer.body(Buffer.from('x'), 0, 1)
      stage.connection.writer.flush()
      stage.time.pass(600_000)
      assert.equal(heard.fault, null)
      stage.connection.writer.end('')
      stage.connection.requestEnd()
      stage.time.pass(LIMITS.headMs + 200)
      assert.equal(heard.fault, 'timeout')
    }))
})

// The fault behind all of these: one response reaching another request. A connection is used again only if both
// messages ended exactly where their framing said.
describe('a connection is not used again', () => {
  const lasts = [
    ['behind which another response came', OK + STRAY],
    ['behind which a single byte came', `${OK}\n`],
    ['that asked to close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok'],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
    ['of a 204 that names a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n'],
    ['of a 304 that is chunked', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['of a 204 with a body', 'HTTP/1.1 204 No Content\r\n\r\nok'],
    ['to HEAD with a body', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ] as const

  /** The server sent more than its framing said. */
  const SURPLUS = /behind which|with a body/

  for (const [name, bytes] of lasts)
    test(`after a response ${name}, which itself is told whole`, () =>
      staged(async (stage) => {
        const heard = await answered(stage, bytes, name.includes('HEAD') ? 'HEAD' : 'GET')
        assert.equal(heard.ended, true)
        assert.ok(!heard.text.includes('stray'))
        await closes(stage)
        assert.equal(stage.surpluses, SURPLUS.test(name) ? 1 : 0)
        assert.ok(!stage.events.includes('idle'))
      }))

  test('after a response that came before its request had ended', () =>
    staged(async (stage) => {
      const heard = new HeardResponse()
      stage.connection.begin(heard, 'POST', 'plain', LIMITS.headMs, LIMITS.idleMs)
      stage.connection.writer.begin('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n', 'plain')
      stage.connection.writer.flush()
      await delivered()
      stage.server.write(OK)
      await until('the end', () => heard.ended)
      await closes(stage)
      assert.ok(!stage.events.includes('idle'))
    }))

  test('when bytes come while it is idle', () =>
    staged(async (stage) => {
      await answered(stage, OK)
      assert.ok(stage.events.includes('idle'))
      stage.server.write('\r\n')
      await closes(stage)
      assert.equal(stage.surpluses, 1)
    }))

  test('when the server ended it while it was idle', () =>
    staged(async (stage) => {
      await answered(stage, OK)
      stage.server.end()
      await closes(stage)
    }))

  test('when the stray bytes stand exactly behind a full read', () =>
    staged(async (stage) => {
      const head = 'HTTP/1.1 200 OK\r\nContent-Length: '
      const length = 65_536 - `${head}00000\r\n\r\n`.length
      const whole = `${head}${length}\r\n\r\n${'x'.repeat(length)}`
      assert.equal(whole.length, 65_536)
      const heard = stage.ask()
      await delivered()
      // All of it is in the kernel before the connection looks.
      stage.connection.socket.pause()
      await new Promise<void>((resolve) => stage.server.write(whole + STRAY, 'latin1', () => resolve()))
      await delivered()
      stage.connection.socket.resume()
      await until('the end', () => heard.ended)
      assert.equal(heard.length, length)
      await closes(stage)
      assert.equal(stage.settledAtOnce, 0)
    }))

  // The attack: an upstream (or whoever controls one answer) sends a second response; its bytes lie in the kernel
  // when the next request, of another tenant, is written.
  test('for a request written in the batch in which bytes lay there already: they are no answer', async () => {
    const [near, far] = await socketPair()
    try {
      await staged(async (stage) => {
        await answered(stage, OK)
        const heard = new HeardResponse()
        const asked = new Promise<void>((resolve) => {
          near.once('data', () => {
            stage.time.wire.epoch.count()
            stage.connection.begin(heard, 'GET', 'plain', LIMITS.headMs, LIMITS.idleMs)
            stage.connection.writer.begin(GET, 'plain')
            stage.connection.requestEnd()
            resolve()
          })
        })
        await delivered()
        // Both are readable at the loop's next look, in this order.
        far.write('go')
        stage.server.write(STRAY)
        await asked
        await until('the end', () => heard.endings > 0)
        assert.deepEqual([heard.fault, heard.status, heard.text], ['stray', 0, ''])
        assert.equal(stage.surpluses, 1)
        await closes(stage)
      })
    } finally {
      near.destroy()
      far.destroy()
    }
  })
})

describe('a dial', () => {
  test('that nobody answers in time fails, once, and nothing follows', async () => {
    const stage = await ClientStage.dial()
    // Before the loop has looked at the socket at all.
    stage.time.pass(LIMITS.connectMs + 200)
    assert.deepEqual(stage.events, ['dial failed: timeout'])
    await closes(stage)
    assert.deepEqual(stage.events, ['dial failed: timeout', 'closed'])
    await stage[Symbol.asyncDispose]()
  })

  test('that is refused says so', async () => {
    const loopback = await Loopback.listen()
    const { port } = loopback
    await loopback.close()
    await staged(async (stage) => {
      const { ClientConnection } = await import('../../src/http1/client-connection.ts')
      const dial = { address: '127.0.0.1', port, tlsName: null, security: null }
      void new ClientConnection(dial, stage, LIMITS.connectMs, stage.time.wire)
      await closes(stage)
      assert.deepEqual(stage.events, ['connected', 'dial failed: ECONNREFUSED', 'closed'])
    })
  })
})

describe('back-pressure', () => {
  test('stops the server: no more than one read is taken while held, and the rest comes after', () =>
    staged(async (stage) => {
      const heard = stage.ask()
      await delivered()
      stage.server.write(`HTTP/1.1 200 OK\r\nContent-Length: ${32 * MIB}\r\n\r\n`)
      await until('the head', () => heard.status === 200)
      stage.connection.hold()
      stage.server.write(Buffer.alloc(32 * MIB))
      await until('the kernel is full', () => stage.server.writableNeedDrain)
      await delivered()
      assert.ok(heard.length <= 65_536)
      stage.time.pass(600_000)
      assert.equal(heard.fault, null)
      stage.connection.release()
      await until('the end', () => heard.ended)
      assert.equal(heard.length, 32 * MIB)
    }))

  test('is told of a server that does not read, which is given up when nothing moved', async () => {
    const stage = await ClientStage.connect()
    try {
      stage.server.pause()
      const heard = new HeardResponse()
      stage.connection.begin(heard, 'POST', 'plain', LIMITS.headMs, LIMITS.idleMs)
      stage.connection.writer.begin(GET, 'plain')
      const piece = Buffer.alloc(MIB)
      let pieces = 0
      do {
        stage.connection.writer.body(piece, 0, piece.length)
        stage.connection.writer.flush()
        await delivered()
        assert.ok(++pieces < 64, 'the kernel takes everything')
      } while (!stage.connection.congested())
      stage.time.pass(LIMITS.idleMs - 100)
      assert.equal(heard.fault, null)
      stage.time.pass(LIMITS.idleMs)
      assert.equal(heard.fault, 'timeout')
    } finally {
      await stage[Symbol.asyncDispose]()
    }
  })

  test('ends when the server reads on', () =>
    staged(async (stage) => {
      stage.server.pause()
      const heard = new HeardResponse()
      stage.connection.begin(heard, 'POST', 'plain', LIMITS.headMs, LIMITS.idleMs)
      stage.connection.writer.begin(GET, 'plain')
      stage.connection.writer.body(Buffer.alloc(16 * MIB), 0, 16 * MIB)
      assert.equal(stage.connection.congested(), true)
      stage.server.resume()
      await until('the drain', () => heard.drains > 0)
      assert.equal(stage.connection.congested(), false)
    }))
})

describe('a protocol switch', () => {
  const SWITCH = 'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'

  test('that was asked for makes it a tunnel, the bytes behind it included', () =>
    staged(async (stage) => {
      const heard = stage.ask('GET', 'upgrade')
      await delivered()
      stage.server.write(`${SWITCH}${OK}`)
      await until('the bytes', () => heard.text === OK)
      assert.deepEqual([heard.hasSwitched, heard.status], [true, 0])
      stage.server.end()
      await until('the end', () => heard.serverEnded)
      assert.equal(heard.endings, 0)
      stage.connection.finish()
      await closes(stage)
      assert.equal(heard.endings, 1)
    }))

  test('that was asked for and refused is a response like any other', () =>
    staged(async (stage) => {
      const heard = await answered(stage, OK, 'GET', 'upgrade')
      assert.deepEqual([heard.hasSwitched, heard.text], [false, 'ok'])
      assert.ok(stage.events.includes('idle'))
    }))

  test('ends a tunnel in which nothing moves', () =>
    staged(async (stage) => {
      const heard = stage.ask('GET', 'upgrade')
      await delivered()
      stage.server.write(SWITCH)
      await until('the switch', () => heard.hasSwitched)
      stage.connection.allowSilence()
      stage.time.pass(LIMITS.idleMs - 100)
      assert.equal(heard.endings, 0)
      stage.time.pass(300)
      assert.equal(heard.fault, 'timeout')
    }))
})

test('what is abandoned tells nothing any more', () =>
  staged(async (stage) => {
    const heard = stage.ask()
    await delivered()
    stage.server.write(OK)
    stage.connection.abandon()
    await closes(stage)
    assert.deepEqual([heard.status, heard.endings], [0, 0])
  }))
