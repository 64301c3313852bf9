import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { echo, response, type Script, type Seen } from '../support/origin.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { scale } from '../support/scale.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { until, within } from '../support/until.ts'

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

/** Tells who sent a request that the upstream has it. */
class Arrivals {
  readonly #waiting = new Map<string, () => void>()

  async wait(target: string): Promise<void> {
    await within(
      `the upstream to see ${target}`,
      new Promise<void>((resolve) => void this.#waiting.set(target, resolve)),
    )
  }

  tell({ target }: Seen): void {
    this.#waiting.get(target)?.()
    this.#waiting.delete(target)
    stage.ingest.seen.length = 0
  }
}

async function leavesNothing(times: number, once: (index: number) => Promise<void>): Promise<void> {
  // The collector lets a heap grow to some size before it looks: what counts is growth beyond that.
  await repeatedly(times / 2, once)
  await until('the upstream connections to settle', () => stage.ingest.open <= PLACES)
  await until('the client connections to settle', () => stage.gateway.descriptors < 100)
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
  for (const got of await Promise.all(all)) assert.equal(got.status, 200, `no place is free: ${got.text}`)
}

describe('a client that leaves', () => {
  test('before its head is whole leaves nothing behind', async () => {
    const bytes = request('GET', '/api/v1/ingest/x', [ACME])
    await leavesNothing(scale(1_500, 100_000), async (index) => {
      const client = await RawClient.connect(stage.port)
      await client.send(bytes.subarray(0, index % bytes.length))
      if (index % 2 === 0) client.leave()
      else client.reset()
    })
  })

  test('within its body ends the upstream request at once', async () => {
    let whole = 0
    const arrivals = new Arrivals()
    const waits: Script = async (seen) => {
      arrivals.tell(seen)
      if ((await seen.body).complete) whole += 1
    }
    await leavesNothing(scale(1_000, 100_000), async (index) => {
      stage.ingest.script = waits
      const client = await RawClient.connect(stage.port)
      const target = `/api/v1/ingest/half/${index}`
      const arrived = arrivals.wait(target)
      await client.send(request('POST', target, [ACME, ['Content-Length', '1000']], 'half of it'))
      await arrived
      if (index % 2 === 0) client.leave()
      else client.reset()
    })
    assert.equal(whole, 0)
  })

  test('before and within its response ends the upstream request at once', async () => {
    const arrivals = new Arrivals()
    const holds: Script = async (seen, reply) => {
      arrivals.tell(seen)
      if (seen.target.endsWith('/part'))
        await reply.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart')
      await reply.gone
    }
    await leavesNothing(scale(1_000, 100_000), async (index) => {
      stage.ingest.script = holds
      const client = await RawClient.connect(stage.port)
      const target = `/api/v1/ingest/${index}/${index % 2 === 0 ? 'part' : 'none'}`
      const arrived = arrivals.wait(target)
      await client.send(request('GET', target, [ACME]))
      await arrived
      if (index % 2 === 0) await client.source.more()
      client.reset()
    })
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
