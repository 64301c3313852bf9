import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { delivered, Loopback, socketPair } from '../http1/loopback.ts'
import { until } from '../support/until.ts'
import { LOCAL, OK, OTHER, type StageSettings, send, UpstreamStage, Waiter } from './upstream-stage.ts'

async function staged(settings: StageSettings, use: (stage: UpstreamStage) => Promise<void>): Promise<void> {
  const stage = await UpstreamStage.open(settings)
  try {
    await use(stage)
  } finally {
    await stage[Symbol.asyncDispose]()
  }
}

/** Identity, without a diff of whole connections where it fails. */
function same<T>(one: T, other: T): void {
  assert.ok(one === other, 'not the same connection')
}

function differ<T>(one: T, other: T): void {
  assert.ok(one !== other, 'the same connection')
}

const ONE: StageSettings = { config: { connections: { max: 1, idle: 10, idleTimeoutMs: 4_000 } } }

describe('an idle connection', () => {
  test('is handed over at once, the one used last first', () =>
    staged({}, async (stage) => {
      const [first, second, third] = await stage.idle(3)
      await delivered()
      same(stage.take().connection, third)
      same(stage.take().connection, second)
      same(stage.take().connection, first)
      assert.equal(stage.open, 3)
    }))

  test('is not handed over where a fresh one is needed', () =>
    staged({}, async (stage) => {
      const [idle] = await stage.idle(1)
      await delivered()
      const fresh = await stage.take('fresh').served()
      differ(fresh, idle)
      assert.equal(fresh.uses, 0)
      same(stage.take().connection, idle)
    }))

  test('gives its place to whoever needs a fresh one, where there is no other', () =>
    staged(ONE, async (stage) => {
      const [idle] = await stage.idle(1)
      await delivered()
      const fresh = await stage.take('fresh').served()
      differ(fresh, idle)
      assert.equal(fresh.uses, 0)
      assert.equal(stage.open, 1)
    }))

  test('is gone the moment the server ends it', () =>
    staged(ONE, async (stage) => {
      const [idle] = await stage.idle(1)
      if (idle !== undefined) (await stage.serverOf(idle)).end()
      await until('the close', () => stage.open === 0)
      const next = await stage.take().served()
      differ(next, idle)
    }))

  // The fault: a connection that is given up is not closed before the loop's last phase; a request that takes it until
  // then is lost, and a POST is not tried again.
  test('is not handed over after it was given up, even before it has closed', () =>
    staged({}, async (stage) => {
      const [idle] = await stage.idle(1)
      await delivered()
      const time = stage.times[0]
      if (time === undefined) return
      time.nowMs += 5_000
      stage.upstream.sweep(time.nowMs)
      const waiter = stage.take()
      differ(waiter.connection ?? (await waiter.served()), idle)
    }))
})

describe('an idle connection is trimmed', () => {
  test('when it was idle for its time, and those used since are kept', () =>
    staged({}, async (stage) => {
      await stage.idle(3)
      for (let round = 0; round < 6; round++) {
        stage.pass(900)
        await stage.exchange(await stage.take().served())
      }
      await until('the others to close', () => stage.open === 1)
      stage.pass(4_200)
      await until('the last to close', () => stage.open === 0)
    }))

  test('when more than the share rest for a second, the oldest first', () =>
    staged({ config: { connections: { max: 10, idle: 2, idleTimeoutMs: 4_000 } } }, async (stage) => {
      const connections = await stage.idle(5)
      stage.pass(900)
      await delivered()
      assert.equal(stage.open, 5)
      stage.pass(300)
      await until('three to close', () => stage.open === 2)
      same(stage.take().connection, connections[4])
      same(stage.take().connection, connections[3])
    }))

  test('a second before the server would, where it says so', () =>
    staged({ config: { connections: { max: 10, idle: 10, idleTimeoutMs: 60_000 } } }, async (stage) => {
      const connection = await stage.take().served()
      await stage.exchange(connection, OK.replace('\r\n', '\r\nKeep-Alive: timeout=5\r\n'))
      stage.pass(3_900)
      await delivered()
      assert.equal(stage.open, 1)
      stage.pass(300)
      await until('the close', () => stage.open === 0)
    }))

  // The fault: one that was dialled for a request which another connection served meanwhile would be dialled again for
  // the next.
  test('no sooner because it has not been used yet', () =>
    staged({}, async (stage) => {
      const waiter = stage.take()
      stage.upstream.cancel(waiter)
      await until('the connection', () => stage.loopback.accepted.length === 1)
      await delivered()
      stage.pass(900)
      await delivered()
      assert.equal(stage.open, 1)
      assert.notEqual(stage.take().connection, null)
    }))
})

describe('the limit', () => {
  test('makes the next wait for a connection, which is handed over when it returns', () =>
    staged(ONE, async (stage) => {
      const connection = await stage.take().served()
      const [second, third] = [stage.take(), stage.take()]
      await delivered()
      assert.deepEqual([second.told, third.told], [0, 0])
      await stage.exchange(connection)
      same(await second.served(), connection)
      assert.equal(third.told, 0)
      await stage.exchange(connection)
      same(await third.served(), connection)
      assert.equal(stage.loopback.accepted.length, 1)
    }))

  test('holds for all threads together, and a thread that waits gets the place another has to spare', () =>
    staged(
      { config: { connections: { max: 2, idle: 10, idleTimeoutMs: 4_000 } }, threads: 2 },
      async (stage) => {
        const [first, second] = [await stage.take().served(), await stage.take().served()]
        const elsewhere = stage.take('any', 1)
        await delivered()
        stage.pass(200, 1)
        assert.equal(elsewhere.told, 0)
        assert.equal(stage.open, 2)
        await stage.exchange(first)
        await until('the place', () => stage.open === 1)
        stage.pass(50, 1)
        await elsewhere.served()
        assert.equal(stage.open, 2)
        await stage.exchange(second)
        assert.equal(stage.open, 2)
        await delivered()
        same(stage.take().connection, second)
      },
    ))

  test('refuses who waited for the connect limit as saturated', () =>
    staged(ONE, async (stage) => {
      await stage.take().served()
      const waiter = stage.take()
      stage.pass(1_000)
      assert.equal(waiter.told, 0)
      stage.pass(100)
      assert.deepEqual([waiter.fault, waiter.told], ['saturated', 1])
    }))

  test('forgets who cancelled and serves the next', () =>
    staged(ONE, async (stage) => {
      const connection = await stage.take().served()
      const [gone, next] = [stage.take(), stage.take()]
      stage.upstream.cancel(gone)
      await stage.exchange(connection)
      same(await next.served(), connection)
      stage.pass(2_000)
      assert.equal(gone.told, 0)
    }))

  test('costs no tick of the timer: who asks in the batch in which a connection returns is served after it', () =>
    staged(ONE, async (stage) => {
      const connection = await stage.take().served()
      const server = await stage.serverOf(connection)
      const heard = send(connection)
      const waiter = new Waiter()
      const asked = new Promise<void>((resolve) => {
        heard.onEnd = () => {
          // After the connection is back: as the next event of the same batch would.
          queueMicrotask(() => {
            stage.upstream.take(waiter, 'any')
            resolve()
          })
        }
      })
      server.write(OK)
      await asked
      // Nobody sweeps here.
      same(await waiter.served(), connection)
    }))

  test('is not touched by connections that closed', () =>
    staged({ config: { connections: { max: 3, idle: 10, idleTimeoutMs: 4_000 } } }, async (stage) => {
      for (let round = 0; round < 4; round++) {
        const waiters = [stage.take(), stage.take(), stage.take()]
        for (const waiter of waiters) (await waiter.served()).abandon()
        await until('the places', () => stage.open === 0)
      }
    }))
})

describe('an address', () => {
  test('that refused is asked last for a second', () =>
    staged({ addresses: [OTHER, LOCAL], config: { balance: { kind: 'round-robin' } } }, async (stage) => {
      const waiter = stage.take()
      await until('the refusal', () => waiter.fault)
      assert.equal(waiter.endpoint?.live.address, OTHER)
      for (let round = 0; round < 4; round++) {
        const connection = await stage.take('fresh').served()
        assert.equal(connection.socket.remoteAddress, LOCAL)
      }
    }))

  // The fault: a second after it refused, everybody who comes at that moment tries it, and all of them fail.
  test('that refused a while ago is tried by one, and by the others when that one was accepted', () =>
    staged({ addresses: [OTHER, LOCAL], config: { balance: { kind: 'round-robin' } } }, async (stage) => {
      const refused = stage.take()
      await until('the refusal', () => refused.fault)
      stage.pass(1_100)
      const waiters = Array.from({ length: 4 }, () => stage.take('fresh'))
      await until('another refusal', () => waiters.some(({ fault }) => fault === 'refused'))
      for (const waiter of waiters) if (waiter.fault === null) await waiter.served()
      const addresses = waiters.map(({ endpoint }) => endpoint?.live.address)
      assert.deepEqual(addresses.toSorted(), [LOCAL, LOCAL, LOCAL, OTHER])
    }))

  test('is taken in turn with the others', () =>
    staged({ addresses: [OTHER, LOCAL], config: { balance: { kind: 'round-robin' } } }, async (stage) => {
      const other = await Loopback.listen(OTHER, stage.loopback.port)
      try {
        const seen = []
        for (let round = 0; round < 4; round++) {
          seen.push((await stage.take('fresh').served()).socket.remoteAddress)
        }
        assert.deepEqual(seen, [OTHER, LOCAL, OTHER, LOCAL])
      } finally {
        await other.close()
      }
    }))

  test('that refuses, where there is no other, is a refusal', () =>
    staged({ addresses: [OTHER] }, async (stage) => {
      const waiter = stage.take()
      await until('the refusal', () => waiter.fault)
      assert.deepEqual([waiter.fault, waiter.told], ['refused', 1])
      await until('the place', () => stage.open === 0)
    }))

  test('that is not known yet is waited for', () =>
    staged({ addresses: null }, async (stage) => {
      const [early, late] = [stage.take(), stage.take()]
      await delivered()
      assert.equal(early.told, 0)
      stage.upstream.setEndpoints(stage.endpoints(LOCAL))
      await early.served()
      await late.served()
    }))

  test('that is not known in time is a timeout', () =>
    staged({ addresses: null }, async (stage) => {
      const waiter = stage.take()
      stage.pass(1_100)
      assert.equal(waiter.fault, 'timeout')
    }))

  test('that does not exist is told at once, to those who wait too', () =>
    staged({ addresses: null }, async (stage) => {
      const waiting = stage.take()
      stage.upstream.setEndpoints('unknown')
      assert.equal(waiting.fault, 'unknown')
      assert.equal(stage.take().fault, 'unknown')
    }))

  test('that does not answer is a timeout', () =>
    staged({}, async (stage) => {
      const waiter = stage.take()
      stage.pass(1_200)
      assert.deepEqual([waiter.fault, waiter.told], ['timeout', 1])
      await until('the place', () => stage.open === 0)
    }))

  // Here the other one takes connections and never finishes the TLS handshake, so it is still being tried.
  test('that refuses does not end the wait for another', () =>
    staged(
      { addresses: [OTHER, LOCAL], tls: 'tls', config: { balance: { kind: 'round-robin' } } },
      async (stage) => {
        const waiters = [stage.take(), stage.take()]
        await until('the connection that hangs', () => stage.loopback.accepted.length > 0)
        await until('the refusal', () => waiters[0]?.fault)
        for (let look = 0; look < 20; look++) await delivered()
        assert.deepEqual(
          waiters.map(({ fault }) => fault),
          ['refused', null],
        )
      },
    ))
})

// The fault behind these: what an upstream sends behind one response answers a request of somebody else.
describe('bytes behind a response never answer the request that waits for its connection', () => {
  const STRAY = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray'

  /** A connection with a request on it, and a second request that waits for that connection. */
  async function waitedFor(
    use: (
      stage: UpstreamStage,
      parts: {
        readonly server: Awaited<ReturnType<UpstreamStage['serverOf']>>
        readonly first: ReturnType<typeof send>
        /** The second request's answer, on whatever connection it got. */
        readonly second: () => ReturnType<typeof send> | null
      },
    ) => Promise<void>,
  ): Promise<void> {
    await staged(ONE, async (stage) => {
      const connection = await stage.take().served()
      const server = await stage.serverOf(connection)
      const first = send(connection)
      await delivered()
      let second: ReturnType<typeof send> | null = null
      const waiter = stage.take()
      waiter.onConnected = (own) => {
        second = send(own)
        if (own === connection) return
        void stage.serverOf(own).then((fresh) => fresh.write(OK))
      }
      await use(stage, { server, first, second: () => second })
    })
  }

  async function answersItself(second: () => ReturnType<typeof send> | null): Promise<void> {
    const heard = await until('an end', () => {
      const own = second()
      return own !== null && own.endings > 0 ? own : null
    })
    assert.notEqual(heard.text, 'stray')
    if (heard.fault === null) assert.equal(heard.text, 'ok')
  }

  test('where they come in one piece', () =>
    waitedFor(async (stage, { server, first, second }) => {
      server.write(OK + STRAY)
      await answersItself(second)
      assert.equal(first.text, 'ok')
      assert.equal(stage.loopback.accepted.length, 2)
    }))

  test('where they come in a piece of their own', () =>
    waitedFor(async (_, { server, first, second }) => {
      server.write(OK)
      server.write(STRAY)
      await answersItself(second)
      assert.equal(first.text, 'ok')
    }))

  test('where they come after the response was read and before the next request is written', async () => {
    const [near, far] = await socketPair()
    try {
      await waitedFor(async (_, { server, second }) => {
        // Read in the same batch, after the response: the stray bytes are in the kernel by the batch's end.
        near.once('data', () => void server.write(STRAY))
        await delivered()
        server.write(OK)
        far.write('go')
        await answersItself(second)
      })
    } finally {
      near.destroy()
      far.destroy()
    }
  })
})

test('after bytes that belong to no response no connection is used twice, until trust is back', () =>
  staged({}, async (stage) => {
    const [first, second] = await stage.idle(2)
    if (first === undefined || second === undefined) return
    ;(await stage.serverOf(first)).write('surplus')
    await until('both to close', () => stage.open === 0)
    assert.equal(stage.surpluses, 1)
    const third = await stage.take().served()
    await stage.exchange(third)
    await until('the close', () => stage.open === 0)
    stage.pass(5_100)
    const fourth = await stage.take().served()
    await stage.exchange(fourth)
    same(stage.take().connection, fourth)
  }))

test('a destroyed upstream leaves nothing open', () =>
  staged({}, async (stage) => {
    await stage.idle(2)
    send(await stage.take().served())
    stage.upstream.destroy()
    await until('the close', () => stage.open === 0)
  }))

describe('endpoints of one upstream', () => {
  const TURNS: StageSettings = { addresses: [LOCAL, OTHER], config: { balance: { kind: 'round-robin' } } }

  /** Both addresses listen. */
  async function bothListen(
    settings: StageSettings,
    use: (stage: UpstreamStage) => Promise<void>,
  ): Promise<void> {
    await staged(settings, async (stage) => {
      const other = await Loopback.listen(OTHER, stage.loopback.port, (socket) => {
        socket.on('error', () => {})
        stage.loopback.accepted.push(socket)
      })
      try {
        await use(stage)
      } finally {
        for (const socket of stage.loopback.accepted) socket.destroy()
        await other.close()
      }
    })
  }

  function addressOf(waiter: Waiter): string | undefined {
    return waiter.endpoint?.live.address
  }

  test('keep connections of their own, and are asked for theirs although another has some to spare', () =>
    bothListen(TURNS, async (stage) => {
      const [first, second] = [stage.take(), stage.take()]
      const local = await first.served()
      const other = await second.served()
      assert.deepEqual([addressOf(first), addressOf(second)], [LOCAL, OTHER])
      for (const connection of [local, other]) await stage.exchange(connection)
      await delivered()
      same(stage.take().connection, local)
      same(stage.take().connection, other)
    }))

  test('count what is in flight until it leaves', () =>
    bothListen(TURNS, async (stage) => {
      const [first, second, third] = [stage.take(), stage.take(), stage.take()]
      for (const waiter of [first, second, third]) await waiter.served()
      assert.deepEqual([stage.inFlight(LOCAL), stage.inFlight(OTHER)], [2, 1])
      first.endpoint?.leave(first)
      second.endpoint?.leave(second)
      assert.deepEqual([stage.inFlight(LOCAL), stage.inFlight(OTHER)], [1, 0])
      stage.upstream.cancel(stage.take('fresh'))
      assert.equal(stage.inFlight(OTHER), 0)
    }))

  test('give way to each other where the limit is reached', () =>
    bothListen(
      { ...TURNS, config: { ...TURNS.config, connections: { max: 1, idle: 10, idleTimeoutMs: 4_000 } } },
      async (stage) => {
        const local = await stage.take().served()
        await stage.exchange(local)
        await delivered()
        const waiter = stage.take()
        const other = await waiter.served()
        assert.equal(addressOf(waiter), OTHER)
        differ(other, local)
        assert.equal(stage.open, 1)
      },
    ))

  test('serve whoever waits for a place, whichever of them has one first', () =>
    bothListen(
      { ...TURNS, config: { ...TURNS.config, connections: { max: 2, idle: 10, idleTimeoutMs: 4_000 } } },
      async (stage) => {
        const [local, other] = [await stage.take().served(), await stage.take().served()]
        const waiting = [stage.take(), stage.take()]
        await stage.exchange(other)
        same(await (waiting[0] as Waiter).served(), other)
        await stage.exchange(local)
        same(await (waiting[1] as Waiter).served(), local)
        assert.deepEqual([stage.inFlight(LOCAL), stage.inFlight(OTHER)], [2, 2])
      },
    ))

  test('keep a key to its own although another has a connection to spare', () =>
    bothListen(
      {
        addresses: [LOCAL, OTHER],
        config: {
          balance: { kind: 'hash', on: 'tenant' },
          connections: { max: 1, idle: 10, idleTimeoutMs: 4_000 },
        },
      },
      async (stage) => {
        const seen = new Map<string, string | undefined>()
        // Ports are drawn, and with them who gets which key: that one endpoint gets all of them takes 1 in 2^23.
        for (const key of 'abcdefghijklmnopqrstuvwxabcdefghijklmnopqrstuvwx') {
          const waiter = new Waiter()
          stage.times[0]?.wire.epoch.count()
          stage.upstream.take(waiter, 'any', key)
          await stage.exchange(await waiter.served())
          assert.equal(addressOf(waiter), seen.get(key) ?? addressOf(waiter))
          seen.set(key, addressOf(waiter))
        }
        assert.deepEqual([...new Set(seen.values())].sort(), [LOCAL, OTHER])
      },
    ))

  test('are passed over while they are out of service, and refused when all are', () =>
    bothListen(TURNS, async (stage) => {
      stage.setHealth(LOCAL, 'down')
      for (let round = 0; round < 3; round++) {
        const waiter = stage.take()
        await waiter.served()
        assert.equal(addressOf(waiter), OTHER)
      }
      stage.setHealth(OTHER, 'down')
      assert.deepEqual([stage.take().fault, stage.take('fresh').fault], ['unavailable', 'unavailable'])
      stage.setHealth(OTHER, 'up')
      assert.notEqual(stage.take('fresh').fault, 'unavailable')
    }))

  test('stay what they are when the resolver’s order changes, and close when they are gone', () =>
    bothListen(TURNS, async (stage) => {
      const [local, other] = [await stage.take().served(), await stage.take().served()]
      await stage.exchange(local)
      stage.upstream.setEndpoints(stage.endpoints(OTHER, LOCAL))
      await delivered()
      assert.equal(stage.open, 2)
      stage.upstream.setEndpoints(stage.endpoints(LOCAL))
      await stage.exchange(other)
      await until('what the gone one had to close', () => stage.open === 1)
      same(stage.take().connection, local)
    }))

  test('whoever waits for one that goes is served by another', () =>
    bothListen(
      { ...TURNS, config: { ...TURNS.config, connections: { max: 1, idle: 10, idleTimeoutMs: 4_000 } } },
      async (stage) => {
        const local = await stage.take().served()
        const waiter = stage.take()
        stage.upstream.setEndpoints(stage.endpoints(OTHER))
        local.abandon()
        await waiter.served()
        assert.equal(addressOf(waiter), OTHER)
        await stage.exchange(await waiter.served())
        await delivered()
        assert.equal(stage.open, 1)
      },
    ))
})

describe('a breaker', () => {
  const BREAKING: StageSettings = {
    addresses: [OTHER],
    config: { breaker: { failures: 0.5, windowMs: 10_000, minimum: 2, openMs: 5_000 } },
  }

  test('opens when dials fail, probes once in a while, and closes when a probe is answered', () =>
    staged(BREAKING, async (stage) => {
      for (const waiter of [stage.take(), stage.take()])
        await until('the refusal', () => waiter.fault === 'refused')
      assert.equal(stage.take().fault, 'unavailable')
      stage.pass(5_050)
      const probe = stage.take()
      assert.equal(stage.take().fault, 'unavailable')
      await until('the probe to be refused', () => probe.fault === 'refused')
      assert.equal(stage.take().fault, 'unavailable')
      stage.pass(5_050)
      const other = await Loopback.listen(OTHER, stage.loopback.port)
      try {
        const last = stage.take()
        await last.served()
        last.endpoint?.succeeded(last)
        last.endpoint?.leave(last)
        assert.equal(stage.breaker(OTHER), 'closed')
        await stage.take('fresh').served()
      } finally {
        await other.close()
      }
    }))

  test('lets another probe when the one that does leaves without a word', () =>
    staged(BREAKING, async (stage) => {
      for (const waiter of [stage.take(), stage.take()])
        await until('the refusal', () => waiter.fault === 'refused')
      stage.pass(5_050)
      const probe = stage.take()
      assert.equal(stage.breaker(OTHER), 'probing')
      stage.upstream.cancel(probe)
      assert.equal(stage.breaker(OTHER), 'open')
      assert.equal(stage.take().fault, null)
      assert.equal(stage.breaker(OTHER), 'probing')
    }))
})
