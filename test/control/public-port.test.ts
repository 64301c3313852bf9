import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { type TestContext, test } from 'node:test'
import { PublicPort, portsAreShareable } from '../../src/control/public-port.ts'
import { StartRefusal } from '../../src/control/start-refusal.ts'

const HOST = '127.0.0.1'

async function claim(
  t: TestContext,
  ...parameters: Parameters<typeof PublicPort.claim>
): Promise<PublicPort> {
  const port = await PublicPort.claim(...parameters)
  t.after(() => port.release())
  return port
}

/** Another process's listener. */
async function listener(t: TestContext, port = 0, reusePort = false): Promise<Server> {
  const server = createServer().listen({ host: HOST, port, reusePort })
  t.after(() => server.close())
  await once(server, 'listening')
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** Draws what is listed, then as ever, and tells from which ranges. */
function draws(...ports: readonly number[]) {
  const asked: (readonly [number, number])[] = []
  const drawn = (least: number, beyond: number): number => {
    asked.push([least, beyond])
    return ports[asked.length - 1] ?? randomInt(least, beyond)
  }
  return { asked, drawn }
}

/** Two that nobody listens on. */
async function freePorts(): Promise<readonly [number, number]> {
  const [one, two] = [await PublicPort.claim(HOST, 0), await PublicPort.claim(HOST, 0)]
  one.release()
  two.release()
  return [one.port, two.port]
}

function refusedAt(port: number): (error: unknown) => boolean {
  const message = `cannot listen on ${HOST}:${port} (public listener): another process holds this port`
  return (error) => error instanceof StartRefusal && error.message === message
}

test('port 0 becomes a free port, which threads can listen on', async (t) => {
  const { port, listen } = await claim(t, HOST, 0)
  assert.deepEqual(listen, { kind: 'listen', host: HOST, port })
  assert.equal(portOf(await listener(t, port)), port)
})

test('a free port is looked for where connections are given none, past those that are taken', async (t) => {
  const taken = portOf(await listener(t))
  const [free] = await freePorts()
  const { asked, drawn } = draws(taken, taken, free)
  const { port } = await claim(t, HOST, 0, drawn)
  assert.deepEqual([port, asked], [free, Array.from({ length: 3 }, () => [20_000, 32_768])])
  assert.ok(free >= 20_000 && free < 32_768)
})

test('a port that another listener shares is refused all the same', async (t) => {
  const port = portOf(await listener(t, 0, await portsAreShareable()))
  await assert.rejects(claim(t, HOST, port), refusedAt(port))
})

/**
 * Both find the port free, and then the threads of both share it: half of what one gateway's clients send is judged by
 * the other's configuration.
 */
test('of two gateways that start at once, none of whose threads listens yet, one has the port', async (t) => {
  if (!(await portsAreShareable())) return t.skip('1 case was skipped: this system does not share ports')
  const [fixed, other] = await freePorts()
  const first = await claim(t, HOST, fixed)
  await assert.rejects(claim(t, HOST, fixed), refusedAt(fixed))
  const drawing = draws(fixed, other)
  assert.equal((await claim(t, HOST, 0, drawing.drawn)).port, other)
  first.release()
  assert.equal((await claim(t, HOST, fixed)).port, fixed)
})

test('a drawn port that a thread found taken is another one then, however often', async (t) => {
  const [lost, free] = await freePorts()
  const { drawn } = draws(lost, lost, free)
  const port = await claim(t, HOST, 0, drawn)
  await listener(t, lost)
  await port.drawAgain()
  assert.deepEqual([port.port, port.listen.port], [free, free])
  for (let again = 1; again < 20; again++) {
    await port.drawAgain()
    assert.ok(port.port !== lost && port.port >= 20_000)
  }
  await assert.rejects(port.drawAgain(), StartRefusal)
})

test('a port of the settings that a thread found taken is refused', async (t) => {
  const [fixed] = await freePorts()
  const port = await claim(t, HOST, fixed)
  await assert.rejects(port.drawAgain(), refusedAt(fixed))
})

test('what is drawn again after the release is let go too', async (t) => {
  const [lost, free] = await freePorts()
  const { drawn } = draws(lost, free)
  const port = await PublicPort.claim(HOST, 0, drawn)
  const again = port.drawAgain()
  port.release()
  await again
  assert.equal((await claim(t, HOST, free)).port, free)
})

test('an address of another machine and a name that is none are refused in one line', async (t) => {
  for (const host of ['192.0.2.1', 'no-such-name.invalid']) {
    await assert.rejects(claim(t, host, 0), (error) => {
      assert.ok(error instanceof StartRefusal)
      assert.match(error.message, /^cannot listen on [^\n]+ \(public listener\): [^\n]+$/)
      assert.ok(error.message.includes(host))
      return true
    })
  }
})
