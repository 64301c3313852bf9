import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { echo, response, type Script } from '../support/origin.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { scale } from '../support/scale.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

// The fault: clients that go away at the worst moment, again and again. Whatever one of them leaves behind, a socket,
// a place among the upstream's connections, a closure, adds up.

const PLACES = 20
const AT_ONCE = 16

let stage: Stage

before(async () => {
  stage = await openStage({ GATEWAY_HTTP_CLIENT_MAX_CONNECTIONS: String(PLACES) })
})
after(() => stage[Symbol.asyncDispose]())

/** Many times, AT_ONCE at a time. */
async function repeatedly(times: number, once: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < times) await once(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

async function leavesNothing(times: number, once: (index: number) => Promise<void>): Promise<void> {
  await repeatedly(Math.min(200, times), once) // code compiled, pools and buffers grown
  await until('the upstream connections to settle', () => stage.ingest.open <= PLACES)
  const { descriptors, residentBytes } = stage.gateway
  await repeatedly(times, once)
  await until(
    'every client socket to be closed',
    () => stage.gateway.descriptors <= descriptors + PLACES,
    15_000,
  )
  const grown = stage.gateway.residentBytes - residentBytes
  assert.ok(grown < 24 << 20, `resident memory grew by ${grown} bytes in ${times} repetitions`)
  stage.ingest.script = echo
  const all = Array.from({ length: PLACES }, () => stage.askAs('GET', '/api/v1/ingest/after'))
  for (const got of await Promise.all(all)) assert.equal(got.status, 200, 'every place is free again')
}

describe('a client that leaves', () => {
  test('before its head is whole leaves nothing behind', async () => {
    const bytes = request('GET', '/api/v1/ingest/x', [ACME])
    await leavesNothing(scale(1_500, 40_000), async (index) => {
      const client = await RawClient.connect(stage.port)
      await client.send(bytes.subarray(0, index % bytes.length))
      if (index % 2 === 0) client.leave()
      else client.reset()
    })
  })

  test('within its body ends the upstream request at once', async () => {
    stage.ingest.script = async (seen, reply) => {
      const body = await seen.body
      if (body.complete) await reply.write(response('200 OK'))
    }
    const bytes = request('POST', '/api/v1/ingest/half', [ACME, ['Content-Length', '1000']], 'half of it')
    const { length } = stage.ingest.seen
    await leavesNothing(scale(1_000, 30_000), async (index) => {
      const client = await RawClient.connect(stage.port)
      await client.send(bytes)
      if (index % 2 === 0) client.leave()
      else client.reset()
    })
    for (const { target, body } of stage.ingest.seen.slice(length))
      if (target.endsWith('/half')) assert.equal((await body).complete, false)
  })

  test('before and within its response ends the upstream request at once', async () => {
    const holds: Script = async (seen, reply) => {
      if (seen.target.endsWith('/part'))
        await reply.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart')
      await reply.gone
    }
    stage.ingest.script = holds
    await leavesNothing(scale(1_000, 30_000), async (index) => {
      stage.ingest.script = holds
      const client = await RawClient.connect(stage.port)
      const { length } = stage.ingest.seen
      const name = index % 2 === 0 ? `${index}/part` : `${index}/none`
      await client.send(request('GET', `/api/v1/ingest/${name}`, [ACME]))
      if (index % 2 === 0) await client.source.more()
      else await stage.ingest.sees(`/${name}`, Math.max(0, length - AT_ONCE))
      client.reset()
    })
    await until('no upstream request to be left', () => stage.ingest.open <= PLACES)
  })

  test('is told from one that only stopped sending', async () => {
    stage.ingest.script = async (seen, reply) => {
      await seen.body
      await new Promise((resolve) => setTimeout(resolve, 30))
      await reply.write(response('200 OK', [], 'served'))
    }
    await repeatedly(100, async () => {
      using client = await RawClient.connect(stage.port)
      await client.send(request('POST', '/api/v1/ingest/x', [ACME], 'body'))
      client.finish()
      assert.equal((await client.read('POST')).text, 'served')
    })
  })
})
