import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { echo, Origin, type Reply, response, type Script } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import { request } from '../support/raw-client.ts'
import { scale } from '../support/scale.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

// The fault: an upstream closes a kept connection at the moment a request is sent on it. Whether the request was read
// is then unknown: a GET may be repeated, a POST must not be; and a client should hear of neither.

let stage: Stage
let origin: Origin

before(async () => {
  stage = await openStage()
  origin = stage.ingest
})
after(async () => {
  assert.deepEqual(origin.violations, [])
  await stage[Symbol.asyncDispose]()
})

/** Makes the gateway keep one connection, and gives the upstream's end of it. */
async function keptConnection(): Promise<Reply> {
  let kept: Reply | null = null
  origin.script = async (_, reply) => {
    kept = reply
    await reply.write(response('200 OK', [], 'kept'))
  }
  assert.equal((await stage.askAs('GET', '/api/v1/ingest/keep')).text, 'kept')
  assert.ok(kept !== null)
  return kept
}

function countSeen(target: string): number {
  return origin.seen.filter((seen) => seen.target === target).length
}

describe('a kept connection that the upstream closed', () => {
  test('is not noticed by any request sent afterwards, of whatever method', async () => {
    for (const [index, method] of ['GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'PATCH'].entries()) {
      const kept = await keptConnection()
      const { open } = origin
      kept.end()
      await until('the gateway to close its end', () => origin.open < open)
      origin.script = echo
      const target = `/api/v1/ingest/closed-${index}`
      assert.equal((await stage.askAs(method, target, [], 'body')).status, 200, method)
      assert.equal(countSeen(target), 1)
    }
  })

  test('as the request was sent is repeated for a GET, unseen', async () => {
    for (const [index, end] of (['end', 'reset'] as const).entries())
      for (const method of ['GET', 'HEAD']) {
        await keptConnection()
        const target = `/api/v1/ingest/${method}-${index}`
        const first = origin.seen.length
        origin.script = (seen, reply) => (origin.seen.length === first + 1 ? reply[end]() : echo(seen, reply))
        assert.equal((await stage.askAs(method, target)).status, 200, `${method} ${end}`)
        assert.equal(countSeen(target), 2)
      }
  })

  test('as the request was sent is never repeated for a POST or PATCH', async () => {
    for (const [index, end] of (['end', 'reset'] as const).entries())
      for (const method of ['POST', 'PATCH'])
        for (const body of ['', 'body', 'x'.repeat(300_000)]) {
          await keptConnection()
          const target = `/api/v1/ingest/${method}-${index}-${body.length}`
          origin.script = (_, reply) => reply[end]()
          assertProblem(await stage.askAs(method, target, [], body), 502, 'upstream_invalid')
          assert.equal(countSeen(target), 1, `${method} ${end} ${body.length}`)
        }
  })

  test('is raced against: GETs all succeed, no POST is seen twice', async () => {
    const closesSoon: Script = async (seen, reply) => {
      await echo(seen, reply)
      // Between at once and a few milliseconds later: before, while and after the next request is sent.
      const delayMs = (seen.sequence * 7 + seen.connection) % 5
      if (delayMs === 0) reply.end()
      else setTimeout(() => reply.end(), delayMs)
    }
    origin.script = closesSoon
    const clients = await Promise.all(Array.from({ length: 8 }, () => stage.connect()))
    const rounds = scale(60, 3_000)
    const first = origin.seen.length
    let failed = 0
    await Promise.all(
      clients.map(async (client, lane) => {
        for (let round = 0; round < rounds; round++) {
          const get = await client.ask(request('GET', `/api/v1/ingest/race-get-${lane}-${round}`, [ACME]))
          assert.equal(get.status, 200, get.text)
          const post = await client.ask(
            request('POST', `/api/v1/ingest/race-post-${lane}-${round}`, [ACME], 'b'),
            'POST',
          )
          if (post.status !== 200) {
            assertProblem(post, 502, 'upstream_invalid')
            failed += 1
          }
        }
        client.leave()
      }),
    )
    const posts = origin.seen
      .slice(first)
      .map(({ target }) => target)
      .filter((target) => target.includes('race-post'))
    assert.equal(new Set(posts).size, posts.length, 'no POST was sent twice')
    assert.ok(failed < clients.length * rounds, 'some POSTs came before the end of their connection')
  })
})

describe('an upstream', () => {
  test('that comes back is used again at once', async () => {
    const port = await freePort()
    await using other = await openStage({ GATEWAY_INGEST_SERVICE_URL: `http://127.0.0.1:${port}` })
    for (let round = 0; round < 2; round++) {
      assertProblem(await other.askAs('GET', '/api/v1/ingest/x'), 503, 'connect_failed')
      await using back = await Origin.start(echo, { port })
      assert.equal((await other.askAs('GET', '/api/v1/ingest/x')).status, 200)
      assert.equal(back.accepted, 1)
    }
  })

  test('that hangs holds up nobody who asks another one', async () => {
    origin.script = async (_, reply) => {
      await reply.gone
    }
    const clients = await Promise.all(Array.from({ length: 50 }, () => stage.connect()))
    for (const client of clients) await client.send(request('GET', '/api/v1/ingest/hang', [ACME]))
    await until('all to hang', () => countSeen('/api/v1/ingest/hang') === clients.length)
    for (let round = 0; round < 20; round++)
      assert.equal((await stage.askAs('GET', '/api/v1/query/x')).status, 200)
    for (const client of clients) client.reset()
    await until('their upstream requests to end', () => origin.open === 0)
  })

  test('that closes each connection after one answer loses none of them', async () => {
    const endings: Script[] = [
      (_, reply) => reply.end(response('200 OK', [['Connection', 'close']], 'bye')),
      (_, reply) => reply.end('HTTP/1.1 200 OK\r\n\r\nbye'),
      (_, reply) => reply.end('HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nbye'),
    ]
    for (const script of endings) {
      origin.script = script
      using client = await stage.connect()
      for (let round = 0; round < 30; round++)
        assert.equal((await client.ask(request('POST', '/api/v1/ingest/x', [ACME], 'b'), 'POST')).text, 'bye')
    }
  })
})
