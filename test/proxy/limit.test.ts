import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { delivered } from '../http1/loopback.ts'
import { echo, response } from '../support/origin.ts'
import { chunked, request } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { held, type Settings, staged } from './timed-stage.ts'

/** Upstream limits that never come first, but for the whole exchange's. */
const TOTAL: Partial<UpstreamConfig> = {
  timeouts: { connectMs: 60_000, headMs: 60_000, idleMs: 60_000, totalMs: 5_000 },
}

describe('the limit of a whole exchange', () => {
  test('is a timeout of the upstream while there is no response', () => {
    const { script, reply } = held()
    return staged(script, { upstream: TOTAL }, async ({ plane, client, pass }) => {
      void client.send(request('GET', '/open/x'))
      const { gone } = await reply()
      await pass(4_500)
      assert.deepEqual(plane.lines, [])
      await pass(700)
      const got = await client.read()
      assert.deepEqual([got.status, got.json<{ code: string }>().code], [504, 'upstream_timeout'])
      await gone
      assert.equal((await plane.access('/open/x')).code, 'upstream_timeout')
    })
  })

  test('breaks off a response that is under way, however lively', () => {
    const { script, reply } = held()
    return staged(script, { upstream: TOTAL }, async ({ plane, client, pass }) => {
      void client.send(request('GET', '/open/x'))
      const origin = await reply()
      await origin.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\npart')
      await pass(3_000)
      await origin.write('more')
      await pass(2_300)
      const got = await client.read()
      assert.deepEqual([got.body.complete, got.text], [false, 'partmore'])
      await origin.gone
      assert.equal((await plane.access('/open/x')).code, 'upstream_timeout')
    })
  })

  test('is the route’s own where it has one', () => {
    const { script, reply } = held()
    const settings = { upstream: TOTAL, route: { timeouts: { totalMs: 20_000 } } }
    return staged(script, settings, async ({ client, pass }) => {
      void client.send(request('GET', '/open/x'))
      const origin = await reply()
      await pass(15_000)
      await origin.write(response('200 OK', [], 'late'))
      assert.equal((await client.read()).text, 'late')
    })
  })

  test('ends with its exchange, and leaves the next alone', () =>
    staged(echo, { upstream: TOTAL }, async ({ client, origin, pass }) => {
      assert.equal((await client.ask(request('GET', '/open/a'))).status, 200)
      await pass(4_000)
      const { script, reply } = held()
      origin.script = script
      void client.send(request('GET', '/open/b'))
      const held2 = await reply()
      await pass(3_000)
      await held2.write(response('200 OK', [], 'in time'))
      assert.equal((await client.read()).text, 'in time')
    }))

  test('is none of an event stream’s', () => {
    const { script, reply } = held()
    return staged(script, { upstream: TOTAL }, async ({ client, pass }) => {
      void client.send(request('GET', '/open/x'))
      const origin = await reply()
      await origin.write(
        'HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\nContent-Length: 6\r\n\r\none',
      )
      await pass(30_000)
      await origin.write('two')
      assert.equal((await client.read()).text, 'onetwo')
    })
  })

  test('is none of a tunnel’s', () => {
    const { script, reply } = held()
    return staged(script, { upstream: TOTAL }, async ({ client, pass }) => {
      void client.send(
        request('GET', '/open/x', [
          ['Connection', 'Upgrade'],
          ['Upgrade', 'websocket'],
        ]),
      )
      const origin = await reply()
      await origin.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
      assert.equal((await client.read()).status, 101)
      await pass(30_000)
      await origin.write('still here')
      assert.equal(await until('the bytes', () => client.source.more()), true)
    })
  })
})

describe('the limits of a route', () => {
  test('are kept instead of its upstream’s', () => {
    const { script, reply } = held()
    return staged(script, { route: { timeouts: { headMs: 1_000 } } }, async ({ client, pass }) => {
      void client.send(request('GET', '/open/x'))
      await reply()
      await pass(1_300)
      assert.equal((await client.read()).status, 504)
    })
  })

  test('on pauses are kept within a response', () => {
    const { script, reply } = held()
    return staged(script, { route: { timeouts: { idleMs: 1_000 } } }, async ({ client, pass }) => {
      void client.send(request('GET', '/open/x'))
      await (await reply()).write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart')
      await until('the part', () => client.source.more())
      await pass(1_300)
      assert.equal((await client.read()).body.complete, false)
    })
  })
})

describe('a request body that turns out larger than its route takes', () => {
  const LIMITED: Settings = { route: { body: { maxBytes: 10 } } }

  function pieces(...parts: readonly string[]): Buffer {
    return request('POST', '/open/x', [['Transfer-Encoding', 'chunked']], chunked(parts))
  }

  test('is refused with 413 as soon as it does, the upstream’s request broken off, the connection closed', () =>
    staged(echo, LIMITED, async ({ plane, origin, client }) => {
      await client.send(request('POST', '/open/x', [['Transfer-Encoding', 'chunked']], '4\r\nfour\r\n'))
      const seen = await origin.sees('/open/x')
      await client.send('8\r\neighteen\r\n')
      const got = await client.read('POST')
      assert.deepEqual(
        [got.status, got.json<{ code: string }>().code, got.get('connection')],
        [413, 'body_too_large', 'close'],
      )
      assert.equal((await client.closed()).length, 0)
      await seen.body.then(
        ({ complete }) => assert.equal(complete, false),
        () => {},
      )
      await until('the upstream’s connection to go', () => origin.open === 0)
      assert.equal((await plane.access('/open/x')).code, 'body_too_large')
    }))

  test('reaches nobody where it comes at once', () =>
    staged(echo, LIMITED, async ({ client }) => {
      const got = await client.ask(pieces('12345678901'), 'POST')
      assert.equal(got.status, 413)
    }))

  test('is taken up to the last byte that may come', () =>
    staged(echo, LIMITED, async ({ client }) => {
      const got = await client.ask(pieces('12345', '67890'), 'POST')
      assert.deepEqual([got.status, got.json<{ length: number }>().length], [200, 10])
    }))

  test('breaks the connection where the response has begun', () => {
    const { script, reply } = held()
    return staged(script, LIMITED, async ({ client }) => {
      await client.send(request('POST', '/open/x', [['Transfer-Encoding', 'chunked']], '4\r\nfour\r\n'))
      const origin = await reply()
      await origin.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart')
      await until('the part', () => client.source.more())
      await delivered()
      await client.send('8\r\neighteen\r\n')
      const got = await client.read('POST')
      assert.deepEqual([got.status, got.body.complete], [200, false])
      await origin.gone
    })
  })
})
