import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CutShort, WireError } from './byte-source.ts'
import { echo, Origin, response, type Script, type Told } from './origin.ts'
import { askOnce, chunked, RawClient, request } from './raw-client.ts'

// The tools other tests trust, held against upstreams that misbehave on purpose.

async function answered(script: Script, use: (port: number, origin: Origin) => Promise<void>): Promise<void> {
  const origin = await Origin.start(script)
  try {
    await use(origin.port, origin)
  } finally {
    await origin[Symbol.asyncDispose]()
  }
}

test('a response is read with its fields in order, duplicates and case kept', () =>
  answered(
    (_, reply) =>
      reply.write(
        response(
          '299 Odd Reason',
          [
            ['sEt-CooKie', 'a=1'],
            ['X', ''],
            ['Set-Cookie', 'b=2'],
          ],
          'hi',
        ),
      ),
    async (port) => {
      const got = await askOnce(port, request('GET', '/'))
      assert.equal(got.reason, 'Odd Reason')
      assert.deepEqual(got.fields.slice(0, 3), [
        ['sEt-CooKie', 'a=1'],
        ['X', ''],
        ['Set-Cookie', 'b=2'],
      ])
      assert.deepEqual(got.all('set-cookie'), ['a=1', 'b=2'])
      assert.deepEqual([got.framing, got.text, got.body.complete], ['content-length', 'hi', true])
    },
  ))

test('interim heads, chunk sizes and trailers are kept apart from the response', () =>
  answered(
    (_, reply) =>
      reply.write(
        Buffer.concat([
          Buffer.from(
            'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
          ),
          chunked(['ab', 'cde'], [['X-Sum', '5']]),
        ]),
      ),
    async (port) => {
      const got = await askOnce(port, request('GET', '/'))
      assert.deepEqual(got.interim, [{ status: 103, fields: [['Link', '</a>']] }])
      assert.deepEqual(
        [got.text, got.body.chunkSizes, got.body.trailers],
        ['abcde', [2, 3], [['X-Sum', '5']]],
      )
    },
  ))

test('a truncated body is told from a whole one, in every framing that can tell', async () => {
  for (const head of ['Content-Length: 9', 'Transfer-Encoding: chunked'])
    await answered(
      (_, reply) => reply.end(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n9\r\nabc`),
      async (port) => assert.equal((await askOnce(port, request('GET', '/'))).body.complete, false),
    )
})

test('a malformed response is an error, never a response', async () => {
  const bad = [
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
    'HTTP/1.1 200 OK\nContent-Length: 1\r\n\r\na',
    'HTTP/1.1 200 OK\r\nBad Field: 1\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nBad Trailer: 1\r\n\r\n',
    'HTTP/1.0 200 OK\r\n\r\n',
  ]
  for (const bytes of bad)
    await answered(
      (_, reply) => reply.end(bytes),
      async (port) =>
        assert.rejects(
          askOnce(port, request('GET', '/')),
          (error) => error instanceof WireError && !(error instanceof CutShort),
          bytes,
        ),
    )
})

test('an origin records pipelined requests one by one, with their framing, trailers and place on the connection', () =>
  answered(echo, async (port, origin) => {
    const client = await RawClient.connect(port)
    await client.send(
      Buffer.concat([
        request('POST', '/a?b', [['Transfer-Encoding', 'chunked']], chunked(['xy'], [['X-T', '1']])),
        request('HEAD', '/h'),
        request('POST', '/c', [], 'four'),
      ]),
    )
    assert.equal((await client.read('POST')).json<Told>().length, 2)
    assert.equal((await client.read('HEAD')).framing, 'none')
    assert.equal((await client.read('POST')).json<Told>().length, 4)
    client.leave()
    assert.deepEqual(
      origin.seen.map((seen) => [seen.method, seen.target, seen.framing, seen.connection, seen.sequence]),
      [
        ['POST', '/a?b', 'chunked', 1, 1],
        ['HEAD', '/h', 'none', 1, 2],
        ['POST', '/c', 'content-length', 1, 3],
      ],
    )
    assert.deepEqual((await origin.seen[0]?.body)?.trailers, [['X-T', '1']])
  }))

test('an origin keeps a record of whatever it was sent that is not HTTP', () =>
  answered(echo, async (port, origin) => {
    const client = await RawClient.connect(port)
    await client.send('GET /\r\n\r\n')
    await client.closed()
    client.leave()
    assert.match(origin.violations.join(), /not a request line/)
  }))
