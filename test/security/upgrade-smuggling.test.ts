import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Field } from '../support/message.ts'
import { echo, response, type Script, type Told } from '../support/origin.ts'
import { assertProblem } from '../support/problem.ts'
import { request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'

// The attack: a tunnel is bytes nobody looks at, so a client makes the gateway believe there is one where the upstream
// still speaks HTTP. Then it sends requests through it: without a token, and with a tenant of its choice.

let stage: Stage

before(async () => {
  stage = await openStage()
})
after(async () => {
  assert.deepEqual(stage.ingest.violations, [])
  await stage[Symbol.asyncDispose]()
})

const ASK: Field[] = [
  ACME,
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
  ['Sec-WebSocket-Version', '13'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
]
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
const SMUGGLED = 'GET /api/v1/ingest/smuggled HTTP/1.1\r\nHost: a\r\nX-Company-ID: evil\r\n\r\n'

function smuggled(): number {
  return stage.ingest.seen.filter((seen) => seen.target.includes('smuggled')).length
}

describe('bytes behind a request for an upgrade', () => {
  test('wait for the upstream’s 101, and are then all there', async () => {
    let waiting = 'unknown'
    stage.ingest.script = async (_, reply) => {
      const source = reply.take()
      // Long enough for bytes that did not wait to arrive; they would be on the way already.
      await new Promise((resolve) => setTimeout(resolve, 150))
      waiting = source.peek().toString('latin1')
      await reply.write(SWITCHED)
      await reply.write(await source.text(SMUGGLED.length))
      reply.end()
    }
    using client = await stage.connect()
    const got = await client.ask(
      Buffer.concat([request('GET', '/api/v1/ingest/ws', ASK), Buffer.from(SMUGGLED)]),
    )
    assert.equal(got.status, 101)
    assert.equal(waiting, '', 'nothing went ahead of the answer')
    assert.equal(await client.source.text(SMUGGLED.length), SMUGGLED)
    assert.equal(smuggled(), 0)
  })

  test('are the next request, with its own token to show, when the upstream declines', async () => {
    for (const answer of [
      response('200 OK', [], 'no'),
      response(
        '426 Upgrade Required',
        [
          ['Upgrade', 'websocket'],
          ['Connection', 'Upgrade'],
        ],
        'no',
      ),
    ]) {
      stage.ingest.script = (_, reply) => reply.write(answer)
      using client = await stage.connect()
      await client.send(
        Buffer.concat([
          request('GET', '/api/v1/ingest/ws', ASK),
          Buffer.from(SMUGGLED),
          request('GET', '/api/v1/ingest/next', [ACME]),
        ]),
      )
      assert.equal((await client.read()).text, 'no')
      assertProblem(await client.read(), 401, 'token_missing')
      assert.equal((await client.read()).text, 'no')
      assert.equal(smuggled(), 0)
    }
  })

  test('go nowhere when the request is refused', async () => {
    stage.ingest.script = echo
    using client = await stage.connect()
    await client.send(
      Buffer.concat([request('GET', '/api/v1/ingest/ws', ASK.slice(1)), Buffer.from(SMUGGLED)]),
    )
    assertProblem(await client.read(), 401, 'token_missing')
    const next = await client.tryRead()
    if (next !== null) assertProblem(next, 401, 'token_missing')
    assert.equal(smuggled(), 0)
  })
})

describe('a 101', () => {
  const switches: Script = async (_, reply) => {
    const source = reply.take()
    await reply.write(SWITCHED)
    await source.rest()
    reply.end()
  }

  test('that nobody asked for is 502, and its connection is not used again', async () => {
    const unasked: (readonly Field[])[] = [
      [],
      [['Upgrade', 'websocket']],
      [['Connection', 'Upgrade']],
      [
        ['Connection', 'keep-alive'],
        ['Upgrade', 'websocket'],
      ],
      [
        ['Connection', 'X-Upgrade'],
        ['Upgrade', 'websocket'],
      ],
    ]
    for (const fields of unasked) {
      stage.ingest.script = switches
      using client = await stage.connect()
      const got = await client.ask(request('POST', '/api/v1/ingest/x', [ACME, ...fields], 'b'), 'POST')
      assertProblem(got, 502, 'upstream_invalid')
      const { connection } = stage.ingest.last
      stage.ingest.script = echo
      const next = await client.ask(request('GET', '/api/v1/ingest/next', [ACME]))
      assert.equal(next.json<Told>().target, '/api/v1/ingest/next')
      assert.notEqual(stage.ingest.last.connection, connection)
      assert.equal(smuggled(), 0)
    }
  })

  test('to an HTTP/1.0 request that names an upgrade makes no tunnel', async () => {
    stage.ingest.script = switches
    using client = await stage.connect()
    const head = ASK.map((field) => field.join(': ')).join('\r\n')
    await client.send(`GET /api/v1/ingest/ws HTTP/1.0\r\nHost: a\r\n${head}\r\n\r\n${SMUGGLED}`)
    assert.match((await client.closed()).toString(), /^HTTP\/1\.1 502 /)
    assert.equal(smuggled(), 0)
  })

  // The upstream is still reading the body when it says 101: which bytes are the tunnel's?
  test('to a request with a body does not let the body become a tunnel', async () => {
    for (const [framing, body] of [
      [['Content-Length', String(SMUGGLED.length)], SMUGGLED],
      [['Transfer-Encoding', 'chunked'], `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`],
    ] as [Field, string][]) {
      stage.ingest.script = echo
      using client = await stage.connect()
      const got = await client.ask(request('POST', '/api/v1/ingest/ws', [...ASK, framing], body), 'POST')
      assert.ok([200, 400].includes(got.status), got.statusLine)
      assert.equal(smuggled(), 0)
      if (got.status === 200) assert.equal(got.json<Told>().length, SMUGGLED.length)
    }
  })
})

describe('an upgrade to HTTP/2', () => {
  // h2c: the upstream would take requests in frames that no policy of the gateway ever sees.
  test('is not passed on', async () => {
    stage.ingest.script = echo
    for (const upgrade of ['h2c', 'H2C', 'websocket, h2c', 'h2c, websocket']) {
      const fields: Field[] = [
        ACME,
        ['Connection', 'Upgrade, HTTP2-Settings'],
        ['Upgrade', upgrade],
        ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
      ]
      const got = await stage.ask('GET', '/api/v1/ingest/x', fields)
      assert.equal(got.status, 200, got.text)
      assert.doesNotMatch(stage.ingest.last.get('upgrade') ?? '', /h2c/i)
      assert.equal(stage.ingest.last.get('http2-settings'), null)
    }
  })
})
