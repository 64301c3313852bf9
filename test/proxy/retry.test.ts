import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { Loopback } from '../http1/loopback.ts'
import { upstreamOf } from '../support/config-part.ts'
import { Origin, response, type Script } from '../support/origin.ts'
import { chunked, type RawClient, request } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { PlaneStage, planeConfig, upstreamConfig } from '../worker/open-plane.ts'

const RETRY: UpstreamConfig['retry'] = { attempts: 1, budget: 1, on: ['connect', 'reset', 502, 503, 504] }

interface Parts {
  readonly plane: PlaneStage
  readonly client: RawClient
}

/** A gateway in this process over several endpoints, taken in turn from the first. */
async function staged(
  urls: readonly string[],
  own: Partial<UpstreamConfig>,
  use: (parts: Parts) => Promise<void>,
): Promise<void> {
  const { timeouts } = upstreamConfig('http://127.0.0.1:9')
  const upstream = upstreamOf('orders', urls, {
    timeouts,
    balance: { kind: 'round-robin' },
    retry: RETRY,
    ...own,
  })
  const plane = await PlaneStage.open(planeConfig(urls[0] ?? '', { upstreams: [upstream] }))
  const client = await plane.connect()
  try {
    await use({ plane, client })
  } finally {
    client.leave()
    await plane[Symbol.asyncDispose]()
  }
}

/** An endpoint that was there and is no more. */
async function deadUrl(): Promise<string> {
  const loopback = await Loopback.listen()
  await loopback.close()
  return `http://127.0.0.1:${loopback.port}`
}

const ok: Script = async (seen, reply) => {
  const { length } = await seen.body
  await reply.write(response('200 OK', [], seen.method === 'HEAD' ? '' : `good ${length}`))
}

/** What the first endpoint does to a request it has read whole. */
const FAULTS: Readonly<Record<string, Script>> = {
  reset: async (seen, reply) => {
    await seen.body
    reply.reset()
  },
  closed: async (seen, reply) => {
    await seen.body
    reply.end()
  },
  'cut head': async (seen, reply) => {
    await seen.body
    reply.end('HTTP/1.1 200 OK\r\nContent-')
  },
  502: async (seen, reply) => {
    await seen.body
    await reply.write(response('502 Bad Gateway', [], 'bad'))
  },
  503: async (seen, reply) => {
    await seen.body
    await reply.write(response('503 Unavailable', [], 'bad'))
  },
  nonsense: async (seen, reply) => {
    await seen.body
    reply.end('nonsense\r\n\r\n')
  },
  500: async (seen, reply) => {
    await seen.body
    await reply.write(response('500 Internal', [], 'bad'))
  },
}

const REQUESTS: Readonly<Record<string, { readonly bytes: Buffer; readonly length: number }>> = {
  GET: { bytes: request('GET', '/open/x'), length: 0 },
  DELETE: { bytes: request('DELETE', '/open/x'), length: 0 },
  HEAD: { bytes: request('HEAD', '/open/x'), length: 0 },
  POST: { bytes: request('POST', '/open/x'), length: 0 },
  'PUT with a small body': { bytes: request('PUT', '/open/x', [], 'small'), length: 5 },
  'PUT with a small body in chunks': {
    bytes: request('PUT', '/open/x', [['Transfer-Encoding', 'chunked']], chunked(['sm', 'all'])),
    length: 5,
  },
  'PUT with a body of 64 KiB': { bytes: request('PUT', '/open/x', [], 'x'.repeat(65_536)), length: 65_536 },
  'PUT with a body above': { bytes: request('PUT', '/open/x', [], 'x'.repeat(65_537)), length: 65_537 },
  'POST with a small body': { bytes: request('POST', '/open/x', [], 'small'), length: 5 },
  'PATCH with a small body': { bytes: request('PATCH', '/open/x', [], 'small'), length: 5 },
}

/** Acting twice is the same as acting once, and all of it is there. */
const REPEATABLE = new Set([
  'GET',
  'DELETE',
  'HEAD',
  'PUT with a small body',
  'PUT with a small body in chunks',
  'PUT with a body of 64 KiB',
])

describe('a request that one endpoint fails', () => {
  for (const [name, { bytes, length }] of Object.entries(REQUESTS)) {
    const method = name.split(' ', 1)[0] ?? ''

    test(`${name}: is sent to another when the connection was refused, whatever it is`, async () => {
      await using good = await Origin.start(ok)
      await staged([await deadUrl(), good.url], {}, async ({ client }) => {
        const got = await client.ask(bytes, method)
        assert.deepEqual([got.status, good.seen.length], [200, 1])
        if (method !== 'HEAD') assert.equal(got.text, `good ${length}`)
      })
    })

    for (const [fault, script] of Object.entries(FAULTS)) {
      const isRetried = REPEATABLE.has(name) && fault !== 'nonsense' && fault !== '500'
      test(`${name}: is ${isRetried ? '' : 'not '}sent to another after: ${fault}`, async () => {
        await using bad = await Origin.start(script)
        await using good = await Origin.start(ok)
        await staged([bad.url, good.url], {}, async ({ client }) => {
          const got = await client.ask(bytes, method)
          const ending = Number(fault) || 502
          assert.deepEqual(
            [got.status, bad.seen.length, good.seen.length],
            [isRetried ? 200 : ending, 1, isRetried ? 1 : 0],
          )
          if (isRetried && method !== 'HEAD') assert.equal(got.text, `good ${length}`)
          assert.deepEqual(good.violations, [])
          // The client's connection is as good as new.
          if (isRetried) assert.equal((await client.ask(request('GET', '/open/next'))).status, 200)
        })
      })
    }
  }
})

describe('a retry', () => {
  test('does not come after a byte of the response reached the client', async () => {
    await using bad = await Origin.start((_, reply) =>
      reply.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart'),
    )
    await using good = await Origin.start(ok)
    await staged([bad.url, good.url], {}, async ({ client }) => {
      const got = await client.ask(request('GET', '/open/x'))
      assert.deepEqual([got.status, got.body.complete, good.seen.length], [200, false, 0])
    })
  })

  test('does not come after an interim response reached the client', async () => {
    await using bad = await Origin.start(async (_, reply) => {
      await reply.write('HTTP/1.1 103 Early Hints\r\nLink: </only-here.css>\r\n\r\n')
      await reply.write(response('503 Unavailable', [], 'bad'))
    })
    await using good = await Origin.start(ok)
    await staged([bad.url, good.url], {}, async ({ client }) => {
      const got = await client.ask(request('GET', '/open/x'))
      assert.deepEqual(
        [got.interim.map(({ status }) => status), got.text, good.seen.length],
        [[103], 'bad', 0],
      )
    })
  })

  test('does not come while the body is still on its way', async () => {
    await using bad = await Origin.start((_, reply) => reply.reset())
    await using good = await Origin.start(ok)
    await staged([bad.url, good.url], {}, async ({ client }) => {
      await client.send(request('PUT', '/open/x', [['Content-Length', '10']], 'four'))
      assert.deepEqual([(await client.read('PUT')).status, good.seen.length], [502, 0])
    })
  })

  test('comes as often as configured, to an endpoint that was not tried where there is one', async () => {
    await using bad = await Origin.start(FAULTS['503'])
    await using worse = await Origin.start(FAULTS['reset'])
    await using good = await Origin.start(ok)
    const urls = [bad.url, worse.url, good.url]
    await staged(urls, { retry: { ...RETRY, attempts: 2 } }, async ({ client }) => {
      assert.equal((await client.ask(request('GET', '/open/x'))).text, 'good 0')
    })
    await staged(urls, { retry: { ...RETRY, attempts: 1 } }, async ({ client }) => {
      assert.equal((await client.ask(request('GET', '/open/x'))).status, 502)
    })
  })

  test('shows the client the last ending only', async () => {
    await using bad = await Origin.start(FAULTS['503'])
    await using other = await Origin.start((_, reply) => reply.write(response('504 Late', [], 'last')))
    await staged([bad.url, other.url], {}, async ({ client }) => {
      const got = await client.ask(request('GET', '/open/x'))
      assert.deepEqual([got.status, got.text], [504, 'last'])
    })
  })

  test('keeps the connection of a small response that was dropped, and gives up that of a large one', async () => {
    await using bad = await Origin.start(FAULTS['503'])
    await using good = await Origin.start(ok)
    await staged([bad.url, good.url], {}, async ({ client }) => {
      for (let round = 0; round < 3; round++) {
        assert.equal((await client.ask(request('GET', '/open/x'))).text, 'good 0')
        bad.script = FAULTS['503'] as Script
      }
      assert.equal(bad.accepted, 1)
      bad.script = (_, reply) => reply.write(response('503 Unavailable', [], 'x'.repeat(100_000)))
      for (let round = 0; round < 2; round++) {
        assert.equal((await client.ask(request('GET', '/open/x'))).text, 'good 0')
      }
      await until('the connection to go', () => bad.open === 0)
    })
  })

  test('is asked only for what is configured', async () => {
    await using bad = await Origin.start(FAULTS['503'])
    await using good = await Origin.start(ok)
    await staged([bad.url, good.url], { retry: { ...RETRY, on: ['connect'] } }, async ({ client }) => {
      assert.equal((await client.ask(request('GET', '/open/x'))).text, 'bad')
    })
    await staged([await deadUrl(), good.url], { retry: { ...RETRY, on: [503] } }, async ({ client }) => {
      assert.equal((await client.ask(request('GET', '/open/x'))).status, 503)
      assert.equal(good.seen.length, 0)
    })
  })
})

describe('a total outage', () => {
  test('costs no more retries than the budget has', async () => {
    await using bad = await Origin.start(FAULTS['503'])
    await using other = await Origin.start(FAULTS['503'])
    const first = 100
    await staged([bad.url, other.url], { retry: { ...RETRY, budget: 0.2 } }, async ({ client }) => {
      for (let round = 0; round < first; round++) {
        assert.equal((await client.ask(request('GET', '/open/x'))).status, 503)
      }
    })
    const retries = bad.seen.length + other.seen.length - first
    assert.ok(retries >= 3 && retries <= 20, `${retries} retries`)
  })

  test('of a breaker’s making is answered at once, and says when to come again', async () => {
    await using bad = await Origin.start(FAULTS['503'])
    const breaker = { failures: 0.5, windowMs: 10_000, minimum: 5, openMs: 60_000 }
    await staged([bad.url], { breaker, retry: { ...RETRY, attempts: 0 } }, async ({ client }) => {
      for (let round = 0; round < 5; round++) await client.ask(request('GET', '/open/x'))
      const got = await client.ask(request('POST', '/open/x', [], 'body'), 'POST')
      assert.deepEqual([got.status, got.get('retry-after'), bad.seen.length], [503, '1', 5])
      const { code, detail } = got.json<{ code: string; detail: string }>()
      assert.deepEqual(
        [code, detail],
        ['upstream_unavailable', 'Upstream service orders has no endpoint in service.'],
      )
    })
  })
})

describe('one of three endpoints is killed under load', () => {
  const CLIENTS = 12
  const EACH = 60

  test('and no GET fails, no POST is sent twice, and nothing goes to it any more', async () => {
    const origins = await Promise.all([Origin.start(ok), Origin.start(ok), Origin.start(ok)])
    const [, doomed] = origins
    const breaker = { failures: 0.5, windowMs: 10_000, minimum: 5, openMs: 60_000 }
    const retry = { ...RETRY, attempts: 2 }
    const balance = { kind: 'least-loaded' } as const
    await staged(
      origins.map(({ url }) => url),
      { balance, breaker, retry },
      async ({ plane }) => {
        let done = 0
        const failed: string[] = []
        const posts: string[] = []
        const work = async (lane: number): Promise<void> => {
          const client = await plane.connect()
          for (let turn = 0; turn < EACH; turn++) {
            const isPost = (turn + lane) % 4 === 0
            const method = isPost ? 'POST' : 'GET'
            const target = `/open/${method}/${lane}/${turn}`
            const got = await client.ask(request(method, target), method)
            if (isPost) posts.push(target)
            else if (got.status !== 200) failed.push(`${target}: ${got.status}`)
            done++
          }
          client.leave()
        }
        const lanes = Array.from({ length: CLIENTS }, (_, lane) => work(lane))
        await until('a third of the work', () => done > (CLIENTS * EACH) / 3)
        await doomed[Symbol.asyncDispose]()
        await Promise.all(lanes)
        assert.deepEqual(failed, [])
        const seen = origins.flatMap((origin) => origin.seen.map(({ target }) => target))
        for (const target of posts) {
          const times = seen.filter((one) => one === target).length
          assert.ok(times <= 1, `${target} was sent ${times} times`)
        }
      },
    )
    for (const origin of origins) if (origin !== doomed) await origin[Symbol.asyncDispose]()
  })
})
