import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { HealthConfig } from '../../src/config/config.ts'
import { LOG_DEFAULTS } from '../../src/config/default.ts'
import { upstreamOf } from '../support/config-part.ts'
import { Origin, response, type Script } from '../support/origin.ts'
import { askOnce, RawClient, request } from '../support/raw-client.ts'
import { ReloadStage } from '../support/reload-stage.ts'
import { until } from '../support/until.ts'
import { planeConfig } from '../worker/open-plane.ts'

// The fault: one of three machines behind an upstream dies under load and comes back.

const LANES = 16
const HEALTH: HealthConfig = { path: '/health', intervalMs: 500, timeoutMs: 5_000, down: 2, up: 2 }
const SLOW_START_MS = 500
/** Other tests share the machine. */
const MARGIN_MS = 1_000

/** Answers 200, and notes the requests by their path. */
function counting(seen: string[]): Script {
  return async ({ method, target }, reply) => {
    if (target !== HEALTH.path) seen.push(`${method} ${target}`)
    await reply.write(response('200 OK', [], 'ok'))
  }
}

interface Tally {
  over: boolean
  gets: number
  readonly failedGets: string[]
}

/** GETs and POSTs in turn, each with a path of its own; connections that the gateway closed are replaced. */
async function lane(port: number, name: string, tally: Tally): Promise<void> {
  let client = await RawClient.connect(port)
  for (let count = 0; !tally.over; count++) {
    const method = count % 4 === 3 ? 'POST' : 'GET'
    const body = method === 'POST' ? 'x' : null
    const got = await client.ask(request(method, `/open/${name}/${count}`, [], body), method)
    if (method === 'GET') {
      tally.gets++
      if (got.status !== 200) tally.failedGets.push(`${got.status} ${got.text}`)
    }
    if (got.get('connection') === 'close') {
      client.socket.destroy()
      client = await RawClient.connect(port)
    }
  }
  client.socket.destroy()
}

async function states(stage: ReloadStage): Promise<readonly string[]> {
  const got = await askOnce(stage.adminPort, request('GET', '/upstreams', [['Host', 'localhost']]))
  // As control/admin/upstreams-resource.ts writes it.
  const { upstreams } = got.json<{ upstreams: { endpoints: { health: string }[] }[] }>()
  return upstreams.flatMap(({ endpoints }) => endpoints.map(({ health }) => health))
}

test('an endpoint that dies under load costs no GET and sends no POST twice, and gets its traffic back', async () => {
  const seen: string[] = []
  const script = counting(seen)
  await using first = await Origin.start(script)
  await using second = await Origin.start(script)
  const third = await Origin.start(script)
  const { port } = third
  const upstream = upstreamOf('orders', [first.url, second.url, third.url], {
    health: HEALTH,
    slowStartMs: SLOW_START_MS,
    retry: { attempts: 2, budget: 1, on: ['connect', 'reset'] },
    breaker: { failures: 0.5, windowMs: 1_000, minimum: 5, openMs: 200 },
  })
  const config = planeConfig(first.url, {
    workers: 2,
    upstreams: [upstream],
    log: { ...LOG_DEFAULTS, level: 'info', access: false },
  })
  await using stage = await ReloadStage.start(config)
  const tally: Tally = { over: false, gets: 0, failedGets: [] }
  const lanes = Promise.all(Array.from({ length: LANES }, (_, index) => lane(stage.port, `${index}`, tally)))
  lanes.catch(() => {})
  await until('some traffic', () => tally.gets > 500)
  await third[Symbol.asyncDispose]()
  await until('the probes to see it', async () => (await states(stage)).join() === 'up,up,down')
  await pause(200)
  await using back = await Origin.start(script, { port })
  const backMs = performance.now()
  await until('traffic on it', () => back.seen.filter(({ target }) => target !== HEALTH.path).length > 50)
  const tookMs = performance.now() - backMs
  tally.over = true
  await lanes
  assert.deepEqual(tally.failedGets, [])
  const posts = seen.filter((line) => line.startsWith('POST'))
  assert.equal(new Set(posts).size, posts.length)
  assert.ok(
    tookMs < HEALTH.intervalMs + SLOW_START_MS + MARGIN_MS,
    `traffic back after ${tookMs.toFixed(0)} ms`,
  )
  assert.equal(stage.count('Endpoint is unhealthy'), 1)
  assert.equal(stage.count('Endpoint is healthy again'), 1)
})
