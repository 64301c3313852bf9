import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Field } from '../support/message.ts'
import { assertShape } from '../support/problem.ts'
import { chunked, request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'

// The attack: gateway and upstream disagree on where a request ends, so the rest of one is read as the beginning of
// another, with nobody's token checked. Whatever can be read in two ways is refused and its connection closed; what is
// accepted is framed anew, so that the upstream has nothing left to disagree about.

let stage: Stage

before(async () => {
  stage = await openStage()
})
after(async () => {
  assert.deepEqual(stage.ingest.violations, [])
  await stage[Symbol.asyncDispose]()
})

const SMUGGLED = `GET /api/v1/ingest/smuggled HTTP/1.1\r\nHost: a\r\nX-Company-ID: evil\r\n\r\n`
const START = `POST /api/v1/ingest/x HTTP/1.1\r\nHost: a\r\n${ACME.join(': ')}\r\n`

/** Refused with 400 (501 for a coding by name), closed, and the upstream none the wiser. */
async function refuses(bytes: string, statuses: readonly number[] = [400]): Promise<void> {
  const { length } = stage.ingest.seen
  using client = await stage.connect()
  const got = await client.ask(bytes, 'POST')
  assert.ok(statuses.includes(got.status), `${got.statusLine} to ${JSON.stringify(bytes.slice(0, 400))}`)
  assertShape(got)
  assert.equal((await client.closed()).length, 0, 'no second answer')
  assert.equal(stage.ingest.seen.length, length, JSON.stringify(bytes))
}

/** Refused by what follows the head: a request that was already sent on never becomes whole, or a second one. */
async function breaks(body: string): Promise<void> {
  const { length } = stage.ingest.seen
  using client = await stage.connect()
  const got = await client.ask(`${START}Transfer-Encoding: chunked\r\n\r\n${body}${SMUGGLED}`, 'POST')
  assert.equal(got.status, 400, JSON.stringify(body))
  assert.equal((await client.closed()).length, 0)
  const seen = stage.ingest.seen.slice(length)
  assert.ok(seen.length <= 1, JSON.stringify(body))
  for (const each of seen) assert.equal((await each.body).complete, false, JSON.stringify(body))
}

describe('two lengths', () => {
  test('Content-Length with Transfer-Encoding is refused, in either order and any case', async () => {
    for (const [one, two] of [
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Content-Length: 5'],
      ['content-length: 0', 'TRANSFER-ENCODING: Chunked'],
      ['Content-Length: 4', 'Transfer-Encoding: identity'],
      ['Content-Length: 4', 'Transfer-Encoding:'],
    ])
      await refuses(`${START}${one}\r\n${two}\r\n\r\n0\r\n\r\n${SMUGGLED}`, [400, 501])
  })

  test('several Content-Lengths are refused, equal ones and lists too', async () => {
    for (const fields of [
      'Content-Length: 5\r\nContent-Length: 6',
      'Content-Length: 5\r\nContent-Length: 5',
      'Content-Length: 5, 5',
      'Content-Length: 5, 6',
      'Content-Length: 5,',
    ])
      await refuses(`${START}${fields}\r\n\r\nhello${SMUGGLED}`)
  })

  test('a Content-Length that is not digits alone is refused', async () => {
    for (const value of [
      '+5',
      '-5',
      '0x5',
      '5.0',
      '5e0',
      ' ',
      '',
      '5 5',
      '5;',
      '"5"',
      '\u0665',
      '5\u00a0',
      '99999999999999999999',
      '9007199254740993',
      '18446744073709551621',
    ])
      await refuses(`${START}Content-Length: ${value}\r\n\r\nhello${SMUGGLED}`)
  })

  test('a length with zeros before it means what it says, or is refused', async () => {
    using client = await stage.connect()
    const { length } = stage.ingest.seen
    const got = await client.ask(`${START}Content-Length: 0005\r\n\r\nhello`, 'POST')
    if (got.status === 400) return
    assert.equal((await stage.ingest.last.body).bytes.toString(), 'hello')
    assert.equal(stage.ingest.seen.length, length + 1)
  })
})

describe('Transfer-Encoding', () => {
  test('in any spelling but chunked alone is refused', async () => {
    const codings = [
      'xchunked',
      'chunkedx',
      'chunked, chunked',
      'chunked, identity',
      'identity, chunked',
      'gzip, chunked',
      'chunked;q=1',
      '"chunked"',
      "'chunked'",
      'chunked,',
      ',chunked',
      ' ',
      '',
      'chunk',
      'cow',
      'chun\tked',
      '\u000bchunked',
      'chunked\u0000',
      'x\r\n chunked',
      'chunked\u00a0',
      'chunkd\u0131',
    ]
    for (const coding of codings)
      await refuses(`${START}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n${SMUGGLED}`, [400, 501])
  })

  test('more than once is refused', async () => {
    for (const [one, two] of [
      ['chunked', 'chunked'],
      ['chunked', 'identity'],
      ['identity', 'chunked'],
      ['chunked', 'cow'],
    ])
      await refuses(
        `${START}Transfer-Encoding: ${one}\r\nTransfer-encoding: ${two}\r\n\r\n0\r\n\r\n${SMUGGLED}`,
        [400, 501],
      )
  })

  test('in HTTP/1.0 is refused', async () => {
    await refuses(
      `${START.replace('HTTP/1.1', 'HTTP/1.0')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    )
  })

  test('hidden behind odd line ends, folds or spaces is refused', async () => {
    const lines = [
      'Transfer-Encoding : chunked',
      ' Transfer-Encoding: chunked',
      '\tTransfer-Encoding: chunked',
      'X: a\n\tTransfer-Encoding: chunked',
      'X: a\nTransfer-Encoding: chunked',
      'X: a\rTransfer-Encoding: chunked',
      'X: a\r\n\r\rTransfer-Encoding: chunked',
      'Transfer-Encoding:\n chunked',
      'Transfer-Encoding\r\n : chunked',
      'Transfer-Encoding\u0000: chunked',
      'Transfer\u00a0Encoding: chunked',
      'X\u0000: Transfer-Encoding: chunked',
      ': chunked',
      'Transfer-Encoding',
    ]
    for (const line of lines)
      await refuses(`${START}Content-Length: 5\r\n${line}\r\n\r\n0\r\n\r\n${SMUGGLED}`)
  })
})

describe('a chunked body', () => {
  test('with a size that is not hexadecimal digits alone breaks the exchange', async () => {
    for (const size of [
      '+5',
      '-5',
      '0x5',
      ' 5',
      '5 ',
      '5\t',
      '5\u000b',
      'G',
      '',
      '5.',
      '5_0',
      '\u0000',
      '"5"',
      'ffffffffffffffff',
      'fffffffffffffffff5',
      '10000000000000005',
      `${'0'.repeat(300)}5`,
    ])
      await breaks(`${size}\r\nhello\r\n0\r\n\r\n`)
  })

  test('with bare line ends breaks the exchange', async () => {
    for (const body of [
      '5\nhello\r\n0\r\n\r\n',
      '5\rhello\r\n0\r\n\r\n',
      '5\r\nhello\n0\r\n\r\n',
      '5\r\nhello\r0\r\n\r\n',
      '5\r\nhello0\r\n\r\n',
      '5\r\nhello\r\n0\n\r\n',
      '5\r\nhello\r\n0\r\n\n',
      '5\r\nhello\r\n0\r\n\r\r',
      '5\r\nhellox\r\n0\r\n\r\n',
      '5\r\nhell\r\n0\r\n\r\n',
    ])
      await breaks(body)
  })

  test('with extensions that are malformed or over 256 bytes breaks the exchange', async () => {
    for (const extension of [
      ';\n',
      ';a\nb',
      ';a\rb',
      ';a=\u0000',
      ';a="b',
      ';a="\n"',
      ';=b',
      ' a',
      ';a b',
      `;${'x'.repeat(300)}`,
      `;a="${'y'.repeat(300)}"`,
    ])
      await breaks(`5${extension}\r\nhello\r\n0\r\n\r\n`)
  })

  test('with malformed trailers breaks the exchange', async () => {
    for (const trailer of [
      'no colon',
      'X : 1',
      ' X: 1',
      'X: a\u0000',
      'X: a\nY: b',
      'X: a\r\n folded',
      ': 1',
    ])
      await breaks(`5\r\nhello\r\n0\r\n${trailer}\r\n\r\n`)
  })
})

describe('a body where none is expected', () => {
  const bodies: [string, readonly Field[], Buffer][] = [
    ['sized', [['Content-Length', String(SMUGGLED.length)]], Buffer.from(SMUGGLED)],
    ['chunked', [['Transfer-Encoding', 'chunked']], chunked([SMUGGLED])],
    ['chunked in chunked', [['Transfer-Encoding', 'chunked']], chunked([`0\r\n\r\n${SMUGGLED}`])],
  ]
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'BREW', 'PATCH'])
    test(`of ${method} is framed as understood, and never read as a request`, async () => {
      for (const [, framing, body] of bodies) {
        const { length } = stage.ingest.seen
        using client = await stage.connect()
        const first = await client.ask(
          request(method, '/api/v1/ingest/first', [ACME, ...framing], body),
          method,
        )
        void client.send(request('GET', '/api/v1/ingest/second', [ACME]))
        const second = await client.tryRead()
        const seen = stage.ingest.seen.slice(length)
        for (const each of seen) assert.ok(!each.target.includes('smuggled'), each.target)
        if (first.status === 200) {
          const whole = await seen[0]?.body
          assert.deepEqual(
            [seen[0]?.method, seen[0]?.framing, whole?.complete],
            [method, framing[0]?.[0] === 'Content-Length' ? 'content-length' : 'chunked', true],
          )
          assert.ok(whole?.bytes.toString().endsWith(SMUGGLED))
        } else assert.equal(first.status, 405)
        if (second !== null) assert.equal(second.json<{ target: string }>().target, '/api/v1/ingest/second')
      }
    })

  test('of a request that nominates its framing fields in Connection is framed all the same', async () => {
    for (const nominated of [
      'Transfer-Encoding',
      'Content-Length',
      'content-length, transfer-encoding, host',
    ])
      for (const [, framing, body] of bodies) {
        using client = await stage.connect()
        const fields: Field[] = [ACME, ['Connection', nominated], ...framing]
        const got = await client.ask(request('POST', '/api/v1/ingest/first', fields, body), 'POST')
        assert.equal(got.status, 200, got.text)
        assert.ok((await stage.ingest.last.body).bytes.toString().endsWith(SMUGGLED))
      }
  })

  test('of a refused request is not answered', async () => {
    for (const [, framing, body] of bodies) {
      using client = await stage.connect()
      const got = await client.ask(request('POST', '/api/v1/ingest/x', framing, body), 'POST')
      assert.equal(got.status, 401)
      void client.send(request('GET', '/'))
      const next = await client.tryRead()
      if (next !== null) assert.match(next.text, /is running/)
    }
    assert.ok(!stage.ingest.seen.some((seen) => seen.target.includes('smuggled')))
  })
})

describe('what follows a request', () => {
  test('without a body is the next request, whose own token counts', async () => {
    using client = await stage.connect()
    const { length } = stage.ingest.seen
    await client.send(`${request('GET', '/api/v1/ingest/first', [ACME]).toString('latin1')}${SMUGGLED}`)
    assert.equal((await client.read()).status, 200)
    assert.equal((await client.read()).status, 401, 'it is an ordinary request, without a token')
    assert.equal(stage.ingest.seen.length, length + 1)
  })

  test('that is no request is refused, the first one being served', async () => {
    using client = await stage.connect()
    await client.send(`${request('GET', '/api/v1/ingest/first', [ACME]).toString('latin1')}garbage\r\n\r\n`)
    assert.equal((await client.read()).status, 200)
    assert.equal((await client.read()).status, 400)
    await client.closed()
  })

  test('is told by the target’s authority, not by Host', async () => {
    const got = await stage.ask('GET', 'http://one.test/api/v1/ingest/x', [ACME, ['Host', 'two.test']])
    assert.equal(got.status, 200)
    assert.equal(stage.ingest.last.get('x-forwarded-host'), 'one.test')
    assert.deepEqual(stage.ingest.last.all('host'), [`127.0.0.1:${stage.ingest.port}`])
  })

  test('with an absolute target of another kind is refused', async () => {
    for (const target of [
      'http://user:pw@one.test/api/v1/ingest/x',
      'http:///api/v1/ingest/x',
      'http://a b/api/v1/ingest/x',
      'file:///etc/passwd',
      'gopher://a/',
      '//one.test',
      'http://one.test\\@two.test/',
    ])
      assert.ok([400, 404].includes((await stage.ask('GET', target, [ACME])).status), target)
  })
})
