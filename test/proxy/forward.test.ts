import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, test } from 'node:test'
import type { Config } from '../../src/config/config.ts'
import { delivered, Loopback, readText } from '../http1/loopback.ts'
import { echo, Origin, response, type Script, type Told } from '../support/origin.ts'
import { chunked, type RawClient, request } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { PlaneStage, planeConfig, upstreamConfig } from '../worker/open-plane.ts'

const MIB = 1 << 20
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const STRAY = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray'
const WEBSOCKET = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
] as const

interface Stage {
  readonly plane: PlaneStage
  readonly origin: Origin
  readonly client: RawClient
}

type Connections = Partial<Config['upstreams'][number]>

/** A gateway in this process between a client and a scripted origin. */
async function staged(
  script: Script,
  use: (stage: Stage) => Promise<void>,
  upstream: Connections = {},
): Promise<void> {
  const origin = await Origin.start(script)
  const plane = await PlaneStage.open(
    planeConfig(origin.url, { upstreams: [upstreamConfig(origin.url, upstream)] }),
  )
  const client = await plane.connect()
  try {
    await use({ plane, origin, client })
  } finally {
    client.leave()
    await plane[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
  }
}

/** The same with a server whose sockets are in the test's hands. */
async function byHand(
  use: (parts: { plane: PlaneStage; loopback: Loopback; client: RawClient }) => Promise<void>,
  upstream: Connections = {},
): Promise<void> {
  const loopback = await Loopback.listen()
  const url = `http://127.0.0.1:${loopback.port}`
  const plane = await PlaneStage.open(planeConfig(url, { upstreams: [upstreamConfig(url, upstream)] }))
  const client = await plane.connect()
  try {
    await use({ plane, loopback, client })
  } finally {
    client.leave()
    await plane[Symbol.asyncDispose]()
    await loopback.close()
  }
}

async function accepted(loopback: Loopback, index: number): Promise<Socket> {
  const socket = await loopback.socket(index)
  socket.resume()
  return socket
}

/** The connection a request is sent on again; null if it was answered without. */
async function retriedOn(loopback: Loopback, answer: Promise<unknown>): Promise<Socket | null> {
  let isOver = false
  const over = (): void => {
    isOver = true
  }
  answer.then(over, over)
  await until('an answer or another try', () => isOver || loopback.accepted.length > 1)
  loopback.accepted[1]?.resume()
  return loopback.accepted[1] ?? null
}

describe('pipelined requests', () => {
  test('are answered in order, one at a time, whatever each of them takes', () => {
    let inFlight = 0
    return staged(
      async (seen, reply) => {
        assert.equal(++inFlight, 1)
        await seen.body
        if (seen.target.endsWith('/0')) await delivered()
        await reply.write(response('200 OK', [], seen.target))
        inFlight--
      },
      async ({ client, origin }) => {
        const targets = Array.from({ length: 20 }, (_, index) => `/open/${index}`)
        const kinds = [
          (target: string) => request('GET', target),
          (target: string) => request('POST', target, [], 'body'),
          (target: string) =>
            request('POST', target, [['Transfer-Encoding', 'chunked']], chunked(['a', 'bc'])),
        ]
        void client.send(
          Buffer.concat(
            targets.map((target, index) => (kinds[index % 3] ?? kinds[0])?.(target) ?? Buffer.of()),
          ),
        )
        for (const target of targets) assert.equal((await client.read()).text, target)
        assert.deepEqual(origin.violations, [])
      },
    )
  })

  test('are answered although one of them is refused between', () =>
    staged(echo, async ({ client }) => {
      void client.send(
        Buffer.concat([
          request('GET', '/open/a'),
          request('POST', '/orders/b', [], 'dropped'),
          request('GET', '/nowhere'),
          request('GET', '/open/c'),
        ]),
      )
      const statuses = []
      for (let index = 0; index < 4; index++) statuses.push((await client.read()).status)
      assert.deepEqual(statuses, [200, 401, 404, 200])
    }))

  test('need no second connection and no tick where the limit is one', () =>
    staged(
      echo,
      async ({ client, origin }) => {
        void client.send(Buffer.concat(Array.from({ length: 10 }, () => request('GET', '/open/x'))))
        for (let index = 0; index < 10; index++) assert.equal((await client.read()).status, 200)
        assert.equal(origin.accepted, 1)
      },
      { connections: { max: 1, idle: 1, idleTimeoutMs: 4_000 } },
    ))
})

describe('a client that shut down its side', () => {
  test('is answered, and its request’s connection used on', () =>
    staged(echo, async ({ plane, client, origin }) => {
      await client.send(request('POST', '/open/a', [], 'body'))
      client.finish()
      assert.equal((await client.read()).json<Told>().length, 4)
      assert.equal((await client.closed()).length, 0)
      assert.equal((await plane.access('/open/a')).aborted, undefined)
      assert.equal(origin.open, 1)
    }))

  test('within its body ends the upstream’s request', () =>
    byHand(async ({ plane, loopback, client }) => {
      await client.send(request('POST', '/open/a', [['Content-Length', '10']], 'four'))
      const server = await accepted(loopback, 0)
      client.finish()
      await until('the end', () => server.readableEnded || server.destroyed)
      assert.equal((await plane.access('/open/a')).aborted, true)
    }))
})

describe('a client that goes away', () => {
  test('while it waits ends the upstream’s request at once', () =>
    byHand(async ({ plane, loopback, client }) => {
      await client.send(request('GET', '/open/a'))
      const server = await accepted(loopback, 0)
      await delivered()
      client.reset()
      await until('the end', () => server.readableEnded || server.destroyed)
      const { status_code, aborted } = await plane.access('/open/a')
      assert.deepEqual([status_code, aborted], [0, true])
    }))

  test('while it waits for a connection frees its place in the queue', () =>
    byHand(
      async ({ plane, loopback, client }) => {
        await client.send(request('GET', '/open/a'))
        const server = await accepted(loopback, 0)
        const second = await plane.connect()
        await second.send(request('GET', '/open/b'))
        await delivered()
        second.reset()
        await plane.access('/open/b')
        const third = await plane.connect()
        void third.send(request('GET', '/open/c'))
        await delivered()
        server.write(OK)
        assert.equal((await client.read()).text, 'ok')
        const head = await readText(server, 30)
        assert.match(head, /^GET \/open\/c /)
        server.write(OK)
        assert.equal((await third.read()).text, 'ok')
        third.leave()
      },
      { connections: { max: 1, idle: 1, idleTimeoutMs: 4_000 } },
    ))
})

describe('a slow reader', () => {
  test('stops the upstream: what is between them stays small whatever the body’s size', () =>
    byHand(async ({ loopback, client }) => {
      await client.send(request('GET', '/open/big'))
      const server = await accepted(loopback, 0)
      const length = 128 * MIB
      server.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`)
      const piece = Buffer.alloc(MIB, 'x')
      let sent = 0
      // Until the kernel’s buffers on both ways are full and nothing moves any more.
      for (let still = 0; still < 20; ) {
        if (server.writableNeedDrain) still++
        else {
          still = 0
          server.write(piece)
          sent += piece.length
          // Four socket buffers of at most 6 MiB each lie between the two ends; the gateway's own part is what is left.
          assert.ok(sent < 40 * MIB, 'nothing holds the upstream back')
        }
        await delivered()
      }
      let rest = length - sent
      const feed = (): void => {
        while (rest > 0 && !server.writableNeedDrain) {
          server.write(piece)
          rest -= piece.length
        }
      }
      server.on('drain', feed)
      feed()
      const got = await client.read()
      assert.deepEqual([got.body.length, got.body.complete], [length, true])
    }))

  test('among upstreams stops the client the same way', () =>
    byHand(async ({ loopback, client }) => {
      await client.send(request('PUT', '/open/big', [['Content-Length', String(128 * MIB)]]))
      const server = await loopback.socket(0)
      server.pause()
      const piece = Buffer.alloc(MIB, 'x')
      let sent = 0
      for (let still = 0; still < 20; ) {
        if (client.socket.writableNeedDrain) still++
        else {
          still = 0
          client.socket.write(piece)
          sent += piece.length
          assert.ok(sent < 40 * MIB, 'nothing holds the client back')
        }
        await delivered()
      }
      server.on('data', () => {})
      server.resume()
      await until('the rest to move', () => !client.socket.writableNeedDrain)
      server.write(OK)
      assert.equal((await client.read()).text, 'ok')
    }))
})

describe('an upstream that answers before the upload ends', () => {
  test('is believed: the client gets that answer, and the connection ends', () =>
    byHand(async ({ plane, loopback, client }) => {
      await client.send(request('POST', '/open/a', [['Content-Length', '100000000']], 'start'))
      const server = await accepted(loopback, 0)
      client.socket.on('error', () => {})
      const upload = client.send(Buffer.alloc(8 * MIB))
      await delivered()
      server.write('HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig')
      const got = await client.read('POST')
      assert.deepEqual([got.status, got.text, got.get('connection')], [413, 'big', 'close'])
      await until('the end', () => server.readableEnded || server.destroyed)
      assert.equal((await plane.access('/open/a')).status_code, 413)
      client.leave()
      await upload.catch(() => {})
    }))

  test('with a 100 lets the client go on', () =>
    byHand(async ({ loopback, client }) => {
      await client.send(
        request('POST', '/open/a', [
          ['Expect', '100-continue'],
          ['Content-Length', '4'],
        ]),
      )
      const server = await loopback.socket(0)
      const head = await readText(server, 20)
      assert.match(head, /Expect: 100-continue/)
      server.resume()
      server.write('HTTP/1.1 100 Continue\r\n\r\n')
      assert.equal(await until('the 100', () => client.source.more()), true)
      await client.send('body')
      server.write(OK)
      const got = await client.read('POST')
      assert.deepEqual([got.interim.map(({ status }) => status), got.text], [[100], 'ok'])
    }))

  test('with a final answer instead of a 100 ends the connection: nobody knows whether the body comes', () =>
    byHand(async ({ loopback, client }) => {
      await client.send(
        request('POST', '/open/a', [
          ['Expect', '100-continue'],
          ['Content-Length', '4'],
        ]),
      )
      const server = await accepted(loopback, 0)
      await delivered()
      server.write(OK)
      assert.equal((await client.read('POST')).get('connection'), 'close')
      assert.equal((await client.closed()).length, 0)
    }))
})

test('a request that expects 100 and is refused ends its connection', () =>
  staged(echo, async ({ client, origin }) => {
    const expecting = request('POST', '/orders/a', [
      ['Expect', '100-continue'],
      ['Content-Length', '4'],
    ])
    const got = await client.ask(expecting, 'POST')
    assert.deepEqual([got.status, got.get('connection')], [401, 'close'])
    assert.equal(origin.accepted, 0)
  }))

describe('a connection that was dead already', () => {
  async function ended(method: string, use: (status: number, retries: number) => void): Promise<void> {
    await byHand(async ({ loopback, client }) => {
      void client.send(request('GET', '/open/first'))
      const server = await accepted(loopback, 0)
      await delivered()
      server.write(OK)
      assert.equal((await client.read()).text, 'ok')
      // The server ends it as the request arrives: the request is read by nobody.
      server.once('data', () => server.resetAndDestroy())
      void client.send(request(method, '/open/second'))
      await until('the reset', () => server.destroyed)
      const answer = client.read(method)
      const fresh = await retriedOn(loopback, answer)
      await delivered()
      fresh?.write(OK)
      use((await answer).status, fresh === null ? 0 : 1)
    })
  }

  test('costs a GET nothing: it is sent again on a fresh one', () =>
    ended('GET', (status, retries) => assert.deepEqual([status, retries], [200, 1])))

  // The fault: a POST that is sent twice may be acted on twice.
  test('costs a POST its answer: it is never sent again', () =>
    ended('POST', (status, retries) => assert.deepEqual([status, retries], [502, 0])))

  // The fault: the end of a body was already told and is gone, so what is sent again would wait for it for ever.
  test('costs a request its answer whose body, even an empty one, was handed over', () =>
    byHand(async ({ loopback, client }) => {
      void client.send(request('GET', '/open/first'))
      const server = await accepted(loopback, 0)
      await delivered()
      server.write(OK)
      await client.read()
      server.once('data', () => server.resetAndDestroy())
      void client.send(request('GET', '/open/second', [['Transfer-Encoding', 'chunked']], chunked([])))
      const answer = client.read()
      assert.equal(await retriedOn(loopback, answer), null)
      assert.equal((await answer).status, 502)
    }))

  test('is not tried again twice', () =>
    byHand(async ({ loopback, client }) => {
      void client.send(request('GET', '/open/first'))
      const server = await accepted(loopback, 0)
      await delivered()
      server.write(OK)
      await client.read()
      server.once('data', () => server.resetAndDestroy())
      void client.send(request('GET', '/open/second'))
      const fresh = await accepted(loopback, 1)
      fresh.resetAndDestroy()
      assert.equal((await client.read()).status, 502)
      assert.equal(loopback.accepted.length, 2)
    }))

  // The fault: the connection's end and the next request are seen in one turn of the loop. Nothing was sent, so there
  // is nothing to fear from a fresh connection, not even for a POST.
  test('and known to be so costs not even a POST anything', () =>
    byHand(async ({ loopback, client }) => {
      void client.send(request('GET', '/open/first'))
      const server = await accepted(loopback, 0)
      await delivered()
      server.write(OK)
      await client.read()
      await delivered()
      // Both are readable at the loop's next look, in this order.
      server.destroy()
      client.socket.write(request('POST', '/open/second', [], 'body'))
      const answer = client.read('POST')
      const fresh = await retriedOn(loopback, answer)
      await delivered()
      fresh?.write(OK)
      assert.equal((await answer).status, 200)
    }))
})

// The attack: an upstream, or whoever controls one of its answers, sends another response behind it, which must never
// be the answer to the next request, of another tenant.
describe('a second response behind the first', () => {
  async function mixed(use: (write: (text: string) => void, server: Socket) => void): Promise<void> {
    await byHand(async ({ plane, loopback, client }) => {
      const other = await plane.connect()
      void client.send(request('GET', '/open/first'))
      const server = await accepted(loopback, 0)
      await delivered()
      use((text) => void server.write(text), server)
      assert.equal((await client.read()).text, 'ok')
      void other.send(request('GET', '/open/second'))
      const fresh = await accepted(loopback, 1)
      await delivered()
      fresh.write(OK.replace('ok', 'no'))
      assert.equal((await other.read()).text, 'no')
      other.leave()
    })
  }

  test('in one piece with it', () => mixed((write) => write(OK + STRAY)))

  test('in a piece of its own', () =>
    mixed((write) => {
      write(OK)
      write(STRAY)
    }))

  test('that arrives together with the next request', () =>
    byHand(async ({ plane, loopback, client }) => {
      const other = await plane.connect()
      void client.send(request('GET', '/open/first'))
      const server = await accepted(loopback, 0)
      await delivered()
      server.write(OK)
      assert.equal((await client.read()).text, 'ok')
      await delivered()
      // Both are readable at the loop's next look, the request first.
      other.socket.write(request('GET', '/open/second'))
      server.write(STRAY)
      const fresh = await accepted(loopback, 1)
      await delivered()
      fresh.write(OK.replace('ok', 'no'))
      assert.equal((await other.read()).text, 'no')
      other.leave()
    }))
})

describe('an upstream that breaks its response', () => {
  test('breaks the client’s connection, so that it is not taken for whole', async () => {
    const heads = ['Content-Length: 9', 'Transfer-Encoding: chunked']
    for (const version of ['1.1', '1.0'])
      for (const head of heads)
        await byHand(async ({ plane, loopback, client }) => {
          await client.send(`GET /open/a HTTP/${version}\r\nHost: a\r\n\r\n`)
          const server = await accepted(loopback, 0)
          await delivered()
          server.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n3\r\nabc\r\n`)
          const got = await client.read().catch((error: Error) => error)
          const isCut =
            got instanceof Error || !got.body.complete || client.source.error?.message.includes('ECONNRESET')
          assert.ok(isCut, `${version} ${head}`)
          const record = await plane.access('/open/a')
          assert.deepEqual([record.status_code, record.code], [200, 'upstream_invalid'])
        })
  })
})

describe('a tunnel', () => {
  const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

  async function tunnelled(
    use: (parts: { plane: PlaneStage; server: Socket; client: RawClient }) => Promise<void>,
    upstream: Connections = {},
  ): Promise<void> {
    await byHand(async ({ plane, loopback, client }) => {
      await client.send(request('GET', '/open/ws', WEBSOCKET))
      const server = await accepted(loopback, 0)
      await delivered()
      server.write(SWITCH)
      assert.equal((await client.read()).status, 101)
      await use({ plane, server, client })
    }, upstream)
  }

  test('half-closed by the client carries the upstream’s bytes on', () =>
    tunnelled(async ({ plane, server, client }) => {
      client.finish()
      await until('the end', () => server.readableEnded)
      server.end('still here')
      assert.equal((await client.closed()).toString(), 'still here')
      const record = await plane.access('/open/ws')
      assert.deepEqual([record.status_code, record.bytes_out, record.aborted], [101, 10, undefined])
    }))

  test('half-closed by the upstream carries the client’s bytes on', () =>
    tunnelled(async ({ plane, server, client }) => {
      server.end('bye')
      assert.equal((await client.closed()).toString(), 'bye')
      const rest = readText(server, 10)
      await client.send('still here')
      assert.equal(await rest, 'still here')
      client.finish()
      assert.equal((await plane.access('/open/ws')).bytes_in, 10)
    }))

  test('in which nothing moves ends by the idle limit', () =>
    tunnelled(
      async ({ plane, client }) => {
        assert.equal((await client.closed()).length, 0)
        assert.equal((await plane.access('/open/ws')).status_code, 101)
      },
      { timeouts: { connectMs: 1_000, headMs: 1_000, idleMs: 200, totalMs: null } },
    ))

  test('reset by the upstream ends at the client', () =>
    tunnelled(async ({ server, client }) => {
      server.resetAndDestroy()
      await client.closed()
    }))
})

describe('limits', () => {
  const LIMITS = { connectMs: 150, headMs: 150, idleMs: 150, totalMs: null }

  test('of the response head end in 504', () =>
    byHand(
      async ({ plane, client }) => {
        const got = await client.ask(request('GET', '/open/a'))
        assert.equal(got.status, 504)
        assert.equal((await plane.access('/open/a')).code, 'upstream_timeout')
        // The client's own connection goes on.
        assert.equal((await client.ask(request('GET', '/health'))).status, 200)
      },
      { timeouts: LIMITS },
    ))

  test('of a place among the connections end in 503 with Retry-After', () =>
    byHand(
      async ({ plane, loopback, client }) => {
        void client.send(request('GET', '/open/a'))
        await accepted(loopback, 0)
        using other = await plane.connect()
        const got = await other.ask(request('GET', '/open/b'))
        assert.deepEqual([got.status, got.get('retry-after')], [503, '1'])
        assert.equal(got.json<{ code: string }>().code, 'upstream_saturated')
      },
      {
        timeouts: { ...LIMITS, headMs: 10_000 },
        connections: { max: 1, idle: 1, idleTimeoutMs: 4_000 },
      },
    ))
})
