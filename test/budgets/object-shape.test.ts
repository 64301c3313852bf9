import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInThisContext } from 'node:vm'
import { ClientConnection, type ResponseReceiver } from '../../src/http1/client-connection.ts'
import type { Head } from '../../src/http1/head.ts'
import type { ServerConnection } from '../../src/http1/server-connection.ts'
import type { Exchange } from '../../src/proxy/exchange.ts'
import { Forward } from '../../src/proxy/forward.ts'
import { Pipeline } from '../../src/proxy/pipeline.ts'
import { delivered, Loopback } from '../http1/loopback.ts'
import { routeTo } from '../support/config-part.ts'
import { echo, Origin, response, type Script } from '../support/origin.ts'
import { chunked, request } from '../support/raw-client.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { until } from '../support/until.ts'
import { PlaneStage, planeConfig, upstreamConfig } from '../worker/open-plane.ts'

// One hidden class each, whatever happened to an object: V8 then reads its fields by fixed offsets everywhere. A
// field that is added late, or deleted, doubles the classes and makes every place that sees both slower.

setFlagsFromString('--allow-natives-syntax')
const haveSameClass = runInThisContext('(one, other) => %HaveSameMap(one, other)') as (
  one: object,
  other: object,
) => boolean
const hasFastProperties = runInThisContext('(one) => %HasFastProperties(one)') as (one: object) => boolean

/** Objects that took part in exchanges, by class. */
const seen = {
  Exchange: new Set<Exchange>(),
  Forward: new Set<Forward>(),
  ServerConnection: new Set<ServerConnection>(),
  ClientConnection: new Set<ClientConnection>(),
  Head: new Set<Head>(),
}

/** Looks on at the places where these objects meet, and gives a way to stop. */
function watch(): () => void {
  const { request: requestOf, finish } = Pipeline.prototype
  const { begin } = ClientConnection.prototype
  const { response: responseOf } = Forward.prototype
  Pipeline.prototype.request = function (client: ServerConnection, head: Head): void {
    seen.ServerConnection.add(client)
    seen.Head.add(head)
    requestOf.call(this, client, head)
  }
  Pipeline.prototype.finish = function (exchange: Exchange): void {
    seen.Exchange.add(exchange)
    finish.call(this, exchange)
  }
  ClientConnection.prototype.begin = function (
    receiver: ResponseReceiver,
    method,
    kind,
    headMs,
    idleMs,
  ): void {
    seen.ClientConnection.add(this)
    if (receiver instanceof Forward) seen.Forward.add(receiver)
    begin.call(this, receiver, method, kind, headMs, idleMs)
  }
  Forward.prototype.response = function (head: Head): void {
    seen.Head.add(head)
    responseOf.call(this, head)
  }
  return () => {
    Forward.prototype.response = responseOf
    Pipeline.prototype.request = requestOf
    Pipeline.prototype.finish = finish
    ClientConnection.prototype.begin = begin
  }
}

const script: Script = async (seenRequest, reply) => {
  await seenRequest.body
  const { target, method } = seenRequest
  if (target.endsWith('/switch')) {
    await reply.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
    return reply.end()
  }
  if (target.endsWith('/until-close')) return reply.end('HTTP/1.1 200 OK\r\n\r\nbody')
  if (target.endsWith('/cut')) return reply.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nb')
  if (target.endsWith('/reset')) return reply.reset()
  if (target.endsWith('/nonsense')) return reply.end('nonsense\r\n\r\n')
  if (target.endsWith('/interim')) {
    return reply.write(
      `HTTP/1.1 103 Early\r\n\r\n${response('200 OK', [['Keep-Alive', 'timeout=9']]).toString()}`,
    )
  }
  if (target.endsWith('/big')) return reply.write(response('200 OK', [], 'x'.repeat(500_000)))
  if (method === 'HEAD') return reply.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')
  return echo(seenRequest, reply)
}

const TOKEN = bearer(tenantToken('acme'))
const MANY = Array.from({ length: 60 }, (_, index) => [`X-${index}`, String(index)] as const)

/** Requests of every kind, each on a connection of its own or, pipelined, on one. */
const KINDS: readonly Buffer[] = [
  request('GET', '/orders/1', [TOKEN]),
  request('GET', '/orders/1', [TOKEN, ['Origin', 'https://app.test'], ['X-Request-ID', 'mine']]),
  request('HEAD', '/open/1'),
  request('POST', '/open/1', [], 'body'),
  request('POST', '/open/1', [], 'x'.repeat(200_000)),
  request('PUT', '/open/1', [['Transfer-Encoding', 'chunked']], chunked(['a', 'bc'], [['X-Sum', '1']])),
  request('GET', '/open/many?a=b', MANY),
  Buffer.from('GET /open/old HTTP/1.0\r\n\r\n'),
  Buffer.from(
    'GET http://gw.test/open/absolute HTTP/1.1\r\nHost: a\r\nConnection: close, X-A\r\nX-A: 1\r\n\r\n',
  ),
  request('GET', '/open/interim'),
  request('GET', '/open/big'),
  request('GET', '/open/until-close'),
  request('GET', '/open/cut'),
  request('GET', '/open/reset'),
  request('POST', '/open/reset', [], 'body'),
  request('GET', '/open/nonsense'),
  request('GET', '/open/switch', [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
  ]),
  request('GET', '/dead/1'),
  request('GET', '/orders/1'),
  request('GET', '/orders/1', [bearer('x.y.z')]),
  request('GET', '/nowhere'),
  request('TRACE', '/open/1'),
  request('GET', '/health'),
  request('GET', '/open/../1'),
  Buffer.from('NONSENSE\r\n\r\n'),
  Buffer.concat([request('GET', '/open/1'), request('GET', '/open/2'), request('POST', '/open/3', [], 'x')]),
]

async function runAll(plane: PlaneStage): Promise<void> {
  for (const bytes of KINDS) {
    using client = await plane.connect()
    client.socket.on('error', () => {})
    void client.send(bytes)
    client.finish()
    await client.closed()
  }
  // One that leaves while it waits, one that leaves within its body.
  for (const bytes of [
    request('GET', '/open/slow'),
    request('POST', '/open/1', [['Content-Length', '9']], 'x'),
  ]) {
    const client = await plane.connect()
    await client.send(bytes)
    await delivered()
    client.reset()
  }
}

describe('objects of one class have one shape after every kind of exchange', () => {
  let origin: Origin
  let plane: PlaneStage
  let dead: Loopback

  before(async () => {
    origin = await Origin.start(script)
    dead = await Loopback.listen()
    const unreachable = { ...upstreamConfig(`http://127.0.0.1:${dead.port}`), name: 'dead' }
    await dead.close()
    const config = planeConfig(origin.url)
    plane = await PlaneStage.open({
      ...config,
      upstreams: [...config.upstreams, unreachable],
      routes: [...config.routes, routeTo('dead', '/dead/*', 'none')],
    })
    // Before: V8 learns what each field holds, and makes its classes final.
    for (let round = 0; round < 2; round++) await runAll(plane)
    const stop = watch()
    for (let round = 0; round < 2; round++) await runAll(plane)
    await until('the last to end', () => plane.lines.length >= 4 * (KINDS.length + 4))
    stop()
  })
  after(async () => {
    await plane[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
  })

  const expected = { Exchange: 40, Forward: 20, ServerConnection: 40, ClientConnection: 8, Head: 8 } as const
  for (const name of Object.keys(expected) as (keyof typeof expected)[])
    test(name, (t) => {
      const objects: object[] = [...seen[name]]
      t.diagnostic(`${objects.length} objects`)
      assert.ok(objects.length >= expected[name], `only ${objects.length} were seen`)
      const classes: object[] = []
      for (const object of objects) {
        assert.ok(hasFastProperties(object), 'its fields are in a dictionary')
        if (!classes.some((known) => haveSameClass(known, object))) classes.push(object)
      }
      assert.equal(classes.length, 1, `${classes.length} shapes`)
    })

  test('and an object with a field more is seen to have another', () => {
    const [one] = seen.Exchange
    assert.ok(one !== undefined)
    const other = Object.assign(Object.create(Object.getPrototypeOf(one) as object) as object, one, {
      late: 1,
    })
    assert.equal(haveSameClass(one, other), false)
    assert.equal(haveSameClass(one, one), true)
  })
})
