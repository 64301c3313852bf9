import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Origin, response, type Script } from '../support/origin.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/until.ts'
import { PlaneStage } from '../worker/open-plane.ts'
import { asked, trafficConfig } from './traffic-part.ts'

const SLOT = 0
/** Where `auto` begins. */
const FIRST = 20

/** Serves so many at once, `ms` each; the rest waits within. */
function serving(places: number, ms: number): Script {
  let free = places
  const waiting: (() => void)[] = []
  return async (seen, reply) => {
    await seen.body
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    await pause(ms)
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
    await reply.write(response('200 OK', [], 'ok'))
  }
}

/** Keeps so many connections asking until the upstream's limit is what is waited for. */
async function limitUnder(
  script: Script,
  connections: number,
  isReached: (limit: number) => boolean,
): Promise<void> {
  await using origin = await Origin.start(script)
  const upstream = {
    connections: { max: 1_000, idle: 100, idleTimeoutMs: 4_000 },
    admission: { concurrency: 'auto', queue: 100, timeoutMs: 10_000 },
  } as const
  await using plane = await PlaneStage.open(trafficConfig(origin.url, { upstream }))
  let isOver = false
  const load = Array.from({ length: connections }, async () => {
    using client = await RawClient.connect(plane.port)
    while (!isOver) assert.equal((await client.ask(asked('acme'))).status, 200)
  })
  try {
    await until('the limit to follow', () => isReached(plane.desk.stateOf(SLOT)?.limit ?? FIRST), 20_000)
  } finally {
    isOver = true
    await Promise.all(load)
  }
}

test('a limit that follows latency comes down where more exchanges only take longer', () => {
  let served = 0
  const [calm, busy] = [serving(100, 5), serving(2, 5)]
  // What is usual is seen first; then the upstream has two places left.
  const script: Script = (seen, reply) => (served++ < 500 ? calm(seen, reply) : busy(seen, reply))
  return limitUnder(script, 40, (limit) => limit < FIRST * 0.75)
})

test('a limit that follows latency goes up where more exchanges take no longer', () =>
  limitUnder(serving(1_000, 20), 60, (limit) => limit > FIRST * 1.5))
