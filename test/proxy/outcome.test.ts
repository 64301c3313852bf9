import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { delivered } from '../http1/loopback.ts'
import { echo, response, type Script } from '../support/origin.ts'
import { type RawResponse, request } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { held, type Stage, staged } from './timed-stage.ts'

/** One failure is enough; no other try hides it. */
const UPSTREAM: Partial<UpstreamConfig> = {
  breaker: { failures: 1, windowMs: 10_000, minimum: 1, openMs: 5_000 },
  retry: { attempts: 0, budget: 0, on: [] },
  timeouts: { connectMs: 60_000, headMs: 2_000, idleMs: 2_000, totalMs: null },
}

function codeOf(got: RawResponse): string {
  return got.status === 503 ? got.json<{ code: string }>().code : String(got.status)
}

/** Whether the endpoint is out of service now: nothing is sent to it. */
async function isOut({ plane, origin }: Stage): Promise<boolean> {
  origin.script = echo
  const { length } = origin.seen
  using client = await plane.connect()
  const code = codeOf(await client.ask(request('GET', '/open/next')))
  assert.equal(origin.seen.length, code === 'upstream_unavailable' ? length : length + 1)
  return code === 'upstream_unavailable'
}

const status =
  (line: string): Script =>
  (_, reply) =>
    reply.write(response(line, [], 'body'))

describe('what takes an endpoint out of service', () => {
  const faults: Readonly<Record<string, Script>> = {
    'a reset': (_, reply) => reply.reset(),
    'an end without a response': (_, reply) => reply.end(),
    'an end within a response': (_, reply) => reply.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'),
    'no HTTP': (_, reply) => reply.end('nonsense\r\n\r\n'),
    502: status('502 Bad Gateway'),
    503: status('503 Unavailable'),
    504: status('504 Late'),
  }
  for (const [name, script] of Object.entries(faults)) {
    // The end within a response came after one that was well: half of what is known then is bad.
    const breaker = { failures: 0.5, windowMs: 10_000, minimum: 1, openMs: 5_000 }
    test(name, () =>
      staged(script, { upstream: { ...UPSTREAM, breaker } }, async (stage) => {
        await stage.client.ask(request('GET', '/open/x'))
        assert.equal(await isOut(stage), true)
      }),
    )
  }

  test('a response head that takes too long', () => {
    const { script, reply } = held()
    return staged(script, { upstream: UPSTREAM }, async (stage) => {
      void stage.client.send(request('GET', '/open/x'))
      await reply()
      await stage.pass(2_300)
      assert.equal((await stage.client.read()).status, 504)
      assert.equal(await isOut(stage), true)
    })
  })
})

describe('what does not', () => {
  for (const line of ['200 OK', '404 Not Found', '429 Too Many', '500 Internal', '501 Not Implemented'])
    test(line, () =>
      staged(status(line), { upstream: UPSTREAM }, async (stage) => {
        await stage.client.ask(request('GET', '/open/x'))
        assert.equal(await isOut(stage), false)
      }),
    )

  test('a client that leaves while it waits, or within the response', () => {
    const { script, reply } = held()
    return staged(script, { upstream: UPSTREAM }, async (stage) => {
      await stage.client.send(request('GET', '/open/x'))
      const waiting = await reply()
      stage.client.reset()
      await waiting.gone
      using client = await stage.plane.connect()
      stage.origin.script = (_, answer) => answer.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart')
      await client.send(request('GET', '/open/y'))
      await until('the part', () => client.source.more())
      client.reset()
      await stage.plane.access('/open/y')
      assert.equal(await isOut(stage), false)
    })
  })

  test('a connection that was dead already, for a request that is repeated', () =>
    staged(echo, { upstream: UPSTREAM }, async (stage) => {
      await stage.client.ask(request('GET', '/open/x'))
      stage.origin.script = (seen, reply) => (seen.sequence > 1 ? reply.reset() : echo(seen, reply))
      assert.equal((await stage.client.ask(request('GET', '/open/y'))).status, 200)
      assert.equal(await isOut(stage), false)
    }))
})

describe('an endpoint that is out of service', () => {
  test('gets one request after its time, and all of them once that is answered', () => {
    const { script, reply } = held()
    return staged(status('503 Unavailable'), { upstream: UPSTREAM }, async (stage) => {
      await stage.client.ask(request('GET', '/open/x'))
      await stage.pass(4_500)
      assert.equal(await isOut(stage), true)
      await stage.pass(700)
      stage.origin.script = script
      void stage.client.send(request('GET', '/open/probe'))
      const probe = await reply()
      await delivered()
      assert.equal(await isOut(stage), true)
      await probe.write(response('200 OK', [], 'well'))
      assert.equal((await stage.client.read()).text, 'well')
      assert.equal(await isOut(stage), false)
    })
  })

  // The fault: the client of the probe leaves, nobody says how it went, and the endpoint is never asked again.
  test('gets another request when the client of the first left', () => {
    const { script, reply } = held()
    return staged(status('503 Unavailable'), { upstream: UPSTREAM }, async (stage) => {
      await stage.client.ask(request('GET', '/open/x'))
      await stage.pass(5_200)
      stage.origin.script = script
      void stage.client.send(request('GET', '/open/probe'))
      await reply()
      assert.equal(await isOut(stage), true)
      stage.client.reset()
      await stage.plane.access('/open/probe')
      assert.equal(await isOut(stage), false)
    })
  })
})
