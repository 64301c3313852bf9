import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { RawClient, request } from '../support/raw-client.ts'
import { type WireVector, wireVectors } from '../support/reference-data.ts'
import { openStage, type Stage } from '../support/stage.ts'

// Published requests that servers got wrong, sent to a running gateway: what must be refused is refused with a 4xx or
// 5xx and a closed connection, what is incomplete gets no answer, what is good is answered.

const h1spec = wireVectors('h1spec')
const goNet = wireVectors('go-nethttp')

/** Where the contract is stricter than Go: CL with TE, no Host in HTTP/1.1, other versions and hosts that are none. */
const STRICTER = [
  'go-readreq-06',
  'go-readreq-07',
  'go-readreq-08',
  'go-readreq-09',
  'go-readreq-10',
  'go-readreq-11',
  'go-readreq-14',
  'go-host-07',
  'go-host-10',
  'go-host-20',
]
/** The request of an empty Host is well-formed (RFC 9112 section 3.2); whether it is served is the gateway's choice. */
const EITHER = ['go-host-02']

let stage: Stage

before(async () => {
  stage = await openStage()
})
after(() => stage[Symbol.asyncDispose]())

test('the published requests are here, or this says that they were skipped', (t) => {
  if (h1spec === null || goNet === null)
    t.skip('91 requests were skipped: the vectors did not come with this checkout')
})

async function answerTo({ raw }: WireVector): Promise<string> {
  using client = await RawClient.connect(stage.port)
  void client.send(raw)
  client.finish()
  return (await client.closed()).toString('latin1')
}

function expectationOf({ id, expect }: WireVector): string {
  if (STRICTER.includes(id)) return 'reject'
  return EITHER.includes(id) ? 'either' : expect
}

describe('a published request', () => {
  for (const vector of [...(h1spec ?? []), ...(goNet ?? [])].filter(({ expect }) => expect !== 'wait'))
    test(`${vector.id}: ${vector.desc || JSON.stringify(vector.raw.slice(0, 60))}`, async () => {
      const answer = await answerTo(vector)
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])
      const expected = expectationOf(vector)
      if (expected === 'reject') {
        assert.ok(status >= 400 && status < 600, answer)
        assert.match(answer, /\r\nconnection: close\r\n/i)
      } else if (expected === 'accept') {
        // Paths of nobody's and methods of no route are answered as such: understood, not malformed.
        assert.ok(status === 200 || status === 404 || status === 405, answer)
      } else assert.ok(status >= 200 && status < 600, answer)
      assert.deepEqual([stage.ingest.seen, stage.query.seen, stage.auth.seen], [[], [], []])
    })

  test('that is incomplete gets no answer, and its connection stays open for the rest', async () => {
    const waiting = await Promise.all(
      (h1spec ?? [])
        .filter(({ expect }) => expect === 'wait')
        .map(async ({ id, raw }) => {
          const client = await RawClient.connect(stage.port)
          await client.send(raw)
          return { id, raw, client }
        }),
    )
    await pause(100) // for an answer that must not come: there is no event to wait for
    for (const { id, raw, client } of waiting) {
      assert.equal(client.source.peek().length, 0, id)
      assert.ok(client.socket.readable, id)
      const whole = 'GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n'
      if (whole.startsWith(raw)) assert.equal((await client.ask(whole.slice(raw.length))).status, 404, id)
      client.leave()
    }
    using client = await stage.connect()
    assert.equal((await client.ask(request('GET', '/health'))).status, 200)
  })
})
