import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Field } from '../support/message.ts'
import { response, type Script } from '../support/origin.ts'
import { RawClient, type RawResponse, request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

let stage: Stage

before(async () => {
  stage = await openStage()
})
after(() => stage[Symbol.asyncDispose]())

/** What the client gets when the upstream answers with these bytes. */
async function relayed(bytes: string | Buffer, method = 'GET'): Promise<RawResponse> {
  stage.ingest.script = (_, reply) => reply.write(bytes)
  return stage.askAs(method, '/api/v1/ingest/x')
}

const OWNED = ['x-request-id', 'x-process-time', 'date', 'connection']

function upstreamFields({ fields }: RawResponse): Field[] {
  return fields.filter(([name]) => !OWNED.includes(name.toLowerCase()))
}

/** An HTTP/1.0 client's whole conversation: the connection ends with the response. */
async function asOldClient(script: Script): Promise<string> {
  stage.ingest.script = script
  using client = await stage.connect()
  await client.send(`GET /api/v1/ingest/x HTTP/1.0\r\nHost: gw.test\r\n${ACME.join(': ')}\r\n\r\n`)
  return (await client.closed()).toString('latin1')
}

describe('the client receives', () => {
  test('status and reason of the upstream, an empty or unknown one included', async () => {
    for (const start of [
      '200 OK',
      '299 Quite Odd',
      '404 Nothing',
      '418 ',
      '503 Back Soon',
      '301 Moved',
      '507 Se\u00f1or',
    ]) {
      const got = await relayed(response(start, [['Location', '/y']], 'b'))
      assert.equal(got.statusLine, `HTTP/1.1 ${start}`)
      assert.equal(got.get('location'), '/y', 'no redirect is followed')
    }
  })

  test('every field with its case, order, duplicates and bytes', async () => {
    const fields: Field[] = [
      ['sEt-CooKie', 'a=1; Path=/'],
      ['X-One', '1'],
      ['Set-Cookie', 'b=2, c=3'],
      ['WWW-Authenticate', 'Basic realm="a, b"'],
      ['X-Empty', ''],
      ['X-Latin', 'Se\u00f1or \u00ff'],
      ['Server', 'echo/1.0'],
      ['Set-Cookie', 'a=1; Path=/'],
      ['Content-Encoding', 'br'],
      ['X-Long', 'v'.repeat(20_000)],
    ]
    const got = await relayed(response('200 OK', fields, 'coded'))
    assert.deepEqual(upstreamFields(got), [...fields, ['Content-Length', '5']])
    assert.equal(got.text, 'coded')
  })

  test('the upstream’s Date, or one of ours where it sent none', async () => {
    const date = 'Tue, 01 Jan 2030 00:00:00 GMT'
    assert.equal((await relayed(response('200 OK', [['Date', date]]))).get('date'), date)
    const added = (await relayed(response('200 OK'))).get('date') ?? ''
    assert.match(added, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/)
    assert.ok(Math.abs(Date.parse(added) - Date.now()) < 60_000)
  })

  test('Content-Length as it was, of an empty body and of HEAD and 304 too', async () => {
    assert.equal((await relayed(response('200 OK'))).get('content-length'), '0')
    assert.equal(
      (await relayed('HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n', 'HEAD')).get('content-length'),
      '77',
    )
    assert.equal(
      (await relayed('HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: "a"\r\n\r\n')).get(
        'content-length',
      ),
      '77',
    )
  })

  test('no body and no framing with a 204', async () => {
    const got = await relayed('HTTP/1.1 204 No Content\r\nETag: "a"\r\n\r\n')
    assert.deepEqual(upstreamFields(got), [['ETag', '"a"']])
  })

  test('chunked as chunked, with its trailers, owned ones dropped', async () => {
    const coded =
      'Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 3\r\nX-Request-ID: evil\r\nContent-Length: 9\r\n\r\n'
    const got = await relayed(`HTTP/1.1 200 OK\r\n${coded}`)
    assert.equal(got.framing, 'chunked')
    assert.equal(got.text, 'abc')
    assert.deepEqual(got.body.trailers, [['X-Sum', '3']])
    assert.equal(got.get('x-sum'), null)
  })

  test('a close-delimited body chunked, and the connection kept', async () => {
    stage.ingest.script = (_, reply) => reply.end('HTTP/1.1 200 OK\r\n\r\nuntil close')
    using client = await stage.connect()
    for (let round = 0; round < 2; round++) {
      const got = await client.ask(request('GET', '/api/v1/ingest/x', [ACME]))
      assert.deepEqual([got.framing, got.text, got.body.complete], ['chunked', 'until close', true])
    }
  })

  test('an HTTP/1.0 upstream’s body, whose connection is not used again', async () => {
    stage.ingest.script = (_, reply) => reply.end('HTTP/1.0 200 OK\r\nX-Old: 1\r\n\r\nold')
    const got = await stage.askAs('GET', '/api/v1/ingest/x')
    assert.deepEqual([got.statusLine, got.get('x-old'), got.text], ['HTTP/1.1 200 OK', '1', 'old'])
  })

  test('a body as it arrives', async () => {
    let go: () => void = () => {}
    const wait = new Promise<void>((resolve) => {
      go = resolve
    })
    stage.ingest.script = async (_, reply) => {
      await reply.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata:1\r\n',
      )
      await wait
      await reply.write('6\r\ndata:2\r\n0\r\n\r\n')
    }
    using client = await stage.connect()
    void client.send(request('GET', '/api/v1/ingest/x', [ACME]))
    let received = ''
    const reading = client.read('GET', (chunk) => {
      received += chunk.toString()
    })
    await until('the first event', () => received === 'data:1')
    go()
    await reading
    assert.equal(received, 'data:1data:2')
  })

  test('every 1xx before the response', async () => {
    const hints =
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'
    const got = await relayed(hints + response('200 OK', [], 'x').toString('latin1'))
    assert.deepEqual(
      got.interim.map(({ status, fields }) => [status, fields.filter(([name]) => name === 'Link')]),
      [
        [
          103,
          [
            ['Link', '</a>'],
            ['Link', '</b>'],
          ],
        ],
        [102, []],
      ],
    )
    assert.equal(got.text, 'x')
  })

  test('no hop-by-hop field of the upstream, nor one it nominates', async () => {
    const hop: Field[] = [
      ['Connection', 'keep-alive, X-Hop, Content-Type'],
      ['Keep-Alive', 'timeout=5'],
      ['X-Hop', '1'],
      ['Content-Type', 'text/plain'],
      ['Proxy-Authenticate', 'Basic'],
      ['Proxy-Connection', 'keep-alive'],
      ['Upgrade', 'h2c'],
      ['X-Keep', 'yes'],
    ]
    const got = await relayed(response('200 OK', hop))
    assert.deepEqual(upstreamFields(got), [
      ['Content-Type', 'text/plain'],
      ['X-Keep', 'yes'],
      ['Content-Length', '0'],
    ])
  })

  test('a broken connection where the upstream’s body breaks, never a clean end', async () => {
    const broken = [
      'Content-Length: 100\r\n\r\npartial-body',
      'Transfer-Encoding: chunked\r\n\r\nc\r\npartial-body\r\n',
      'Transfer-Encoding: chunked\r\n\r\nc\r\npartial-body\r\nnonsense\r\n',
      'Transfer-Encoding: chunked\r\n\r\nc\r\npartial-body\r\n0\r\nX-Sum: 1\r\n',
    ]
    for (const rest of broken) {
      stage.ingest.script = (_, reply) => reply.end(`HTTP/1.1 200 OK\r\n${rest}`)
      using client = await stage.connect()
      const got = await client.ask(request('GET', '/api/v1/ingest/x', [ACME]))
      assert.deepEqual([got.status, got.body.complete], [200, false], rest)
      assert.ok('partial-body'.startsWith(got.text), got.text)
    }
  })
})

describe('an HTTP/1.0 client receives', () => {
  test('chunked and close-delimited bodies delimited by the end of the connection', async () => {
    const bodies = [
      'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n',
      '\r\nabc',
      'Content-Length: 3\r\n\r\nabc',
    ]
    for (const rest of bodies) {
      const text = await asOldClient((_, reply) => reply.end(`HTTP/1.1 200 OK\r\n${rest}`))
      assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
      assert.doesNotMatch(text, /transfer-encoding/i)
      assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), 'abc')
    }
  })

  test('no 1xx', async () => {
    const text = await asOldClient((_, reply) =>
      reply.write(
        `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${response('200 OK', [], 'x').toString('latin1')}`,
      ),
    )
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
    // Not just `103`: a request id may hold it.
    assert.doesNotMatch(text, /HTTP\/1\.1 1|Early Hints|^Link:/im)
    assert.equal(text.split('HTTP/1.1 ').length, 2)
  })

  test('a kept connection only if it asks, and then with a length', async () => {
    stage.ingest.script = (_, reply) => reply.write(response('200 OK', [], 'abc'))
    using client = await RawClient.connect(stage.port)
    const bytes = `GET /api/v1/ingest/x HTTP/1.0\r\nHost: gw.test\r\nConnection: keep-alive\r\n${ACME.join(': ')}\r\n\r\n`
    const first = await client.ask(bytes)
    assert.equal(first.text, 'abc')
    if (/keep-alive/i.test(first.get('connection') ?? '')) assert.equal((await client.ask(bytes)).text, 'abc')
    else await client.closed()
  })

  test('an own endpoint without having to name a host', async () => {
    using client = await stage.connect()
    await client.send('GET /health HTTP/1.0\r\n\r\n')
    assert.match((await client.closed()).toString(), /^HTTP\/1\.1 200 OK\r\n.*healthy/s)
  })
})

describe('a connection', () => {
  test('ends after the response where its request said close', async () => {
    stage.ingest.script = (_, reply) => reply.write(response('200 OK', [], 'abc'))
    for (const target of ['/', '/api/v1/ingest/x']) {
      using client = await stage.connect()
      const got = await client.ask(request('GET', target, [ACME, ['Connection', 'Close']]))
      assert.equal(got.get('connection'), 'close')
      assert.equal((await client.closed()).length, 0)
    }
  })

  test('is served after its client shut down its sending side', async () => {
    stage.ingest.script = (_, reply) => reply.write(response('200 OK', [], 'abc'))
    using client = await stage.connect()
    await client.send(request('GET', '/api/v1/ingest/x', [ACME]))
    client.finish()
    assert.equal((await client.read()).text, 'abc')
    assert.equal((await client.closed()).length, 0)
  })

  test('to the upstream is used again', async () => {
    stage.query.script = (_, reply) => reply.write(response('200 OK', [], 'abc'))
    for (let round = 0; round < 10; round++) await stage.askAs('GET', '/api/v1/query/x')
    assert.equal(stage.query.accepted, 1)
  })
})
