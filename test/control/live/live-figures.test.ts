import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LiveFigures } from '../../../src/control/live/live-figures.ts'
import { LATENCY_STEPS, latencyOf, latencyStep } from '../../../src/observe/latency-scale.ts'
import type { FailureRecord, TenantTally, ThreadSecond } from '../../../src/observe/second-tally.ts'

const START_S = 1_700_000_000

const FAILED: FailureRecord = {
  atMs: 0,
  requestId: 'r',
  traceId: null,
  method: 'GET',
  host: 'a',
  path: '/',
  status: 503,
  code: 'connect_failed',
  route: null,
  upstream: null,
  target: null,
  tenant: null,
  clientIp: '10.0.0.1',
  durationMs: 1,
}

function told(
  second: number,
  durationsMs: readonly number[],
  more: Partial<ThreadSecond> = {},
): ThreadSecond {
  const latency = new Uint32Array(LATENCY_STEPS)
  for (const durationMs of durationsMs) {
    const step = latencyStep(durationMs)
    latency[step] = (latency[step] ?? 0) + 1
  }
  const counts = { requests: durationsMs.length, clientErrors: 0, serverErrors: 0, aborted: 0 }
  return { second, ...counts, latency, failures: [], tenants: new Map(), ...more }
}

function tenants(shares: Readonly<Record<string, number>>): ReadonlyMap<string, TenantTally> {
  return new Map(
    Object.entries(shares).map(([name, requests]) => [name, { requests, refusals: 1, durationMs: requests }]),
  )
}

function stage() {
  const time = { nowS: START_S }
  return { time, figures: new LiveFigures(() => time.nowS * 1_000) }
}

describe('the scale of latencies', () => {
  test('reads a duration back at most a quarter too long, and never too short', () => {
    for (let durationMs = 0.0625; durationMs < 200_000; durationMs *= 1.01) {
      const read = latencyOf(latencyStep(durationMs))
      assert.ok(read >= durationMs && read <= durationMs * 1.25 + 1e-9, `${durationMs} was read as ${read}`)
    }
  })

  test('keeps what is beyond it in its first and last step', () => {
    assert.equal(latencyStep(0), 0)
    assert.equal(latencyStep(-1), 0)
    assert.equal(latencyStep(Number.POSITIVE_INFINITY), LATENCY_STEPS - 1)
  })
})

describe('live figures', () => {
  test('add up the seconds of all threads', () => {
    const { figures } = stage()
    figures.take(told(START_S, [1, 1, 1], { serverErrors: 1 }))
    figures.take(told(START_S, [100], { serverErrors: 1, clientErrors: 2 }))
    const { requests, serverErrors, clientErrors, p50, p99 } = figures.seconds(START_S, 1)
    assert.deepEqual([requests, serverErrors, clientErrors], [[4], [2], [2]])
    assert.ok(Math.abs((p50[0] ?? 0) - 1) < 0.3)
    assert.ok(Math.abs((p99[0] ?? 0) - 100) < 25)
  })

  test('show nothing of before the start, zeros where nothing ended, and no more than fifteen minutes', () => {
    const { figures } = stage()
    figures.take(told(START_S + 1, [1]))
    assert.deepEqual(figures.seconds(START_S + 2, 900).requests, [0, 1, 0])
    assert.deepEqual(figures.seconds(START_S + 2, 1).p50, [null])
    assert.equal(figures.seconds(START_S + 5_000, 10_000).second.length, 900)
    // Its place in the ring is a later second's by now.
    figures.take(told(START_S + 901, [1, 1]))
    assert.deepEqual(figures.seconds(START_S + 901, 1).requests, [2])
    figures.take(told(START_S + 1, [1]))
    assert.deepEqual(figures.seconds(START_S + 901, 1).requests, [2])
  })

  test('number failures and keep the last hundred, as many of the others as of those with 5xx', () => {
    const { figures } = stage()
    const refused = { ...FAILED, status: 429 }
    figures.take(told(START_S, [1], { failures: [refused, FAILED, FAILED] }))
    for (let second = 1; second < 21; second++) {
      figures.take(told(START_S + second, [1], { failures: Array.from({ length: 16 }, () => refused) }))
    }
    // 323 were told of.
    const kept = figures.failuresAfter(0)
    assert.deepEqual(
      [kept.length, kept.slice(0, 3).map(({ number, status }) => [number, status])],
      [
        102,
        [
          [2, FAILED.status],
          [3, FAILED.status],
          [224, 429],
        ],
      ],
    )
    for (let second = 21; second < 31; second++) {
      figures.take(told(START_S + second, [1], { failures: Array.from({ length: 16 }, () => FAILED) }))
    }
    // 483.
    assert.deepEqual([figures.failuresAfter(0).length, figures.failuresAfter(0)[0]?.number], [200, 224])
    assert.deepEqual(
      figures.failuresAfter(481).map(({ number }) => number),
      [482, 483],
    )
  })

  test('give tenants their share of the last minute, and forget what is older', () => {
    const { figures, time } = stage()
    figures.take(told(START_S, [], { tenants: tenants({ acme: 30, globex: 10 }) }))
    figures.take(told(START_S + 30, [], { tenants: tenants({ globex: 10 }) }))
    time.nowS = START_S + 31
    assert.deepEqual(
      figures.tenants().map(({ tenant, requests, share, refusals }) => [tenant, requests, share, refusals]),
      [
        ['acme', 30, 0.6, 1],
        ['globex', 20, 0.4, 2],
      ],
    )
    time.nowS = START_S + 60
    assert.deepEqual(
      figures.tenants().map(({ tenant, requests }) => [tenant, requests]),
      [['globex', 10]],
    )
    time.nowS = START_S + 90
    assert.deepEqual(figures.tenants(), [])
  })

  test('stay bounded with a million tenants, the rest as one', () => {
    const { figures } = stage()
    for (let round = 0; round < 4_000; round++) {
      const names = Array.from({ length: 250 }, (_, index) => [`t${round * 250 + index}`, 1] as const)
      figures.take(told(START_S, [], { tenants: tenants(Object.fromEntries(names)) }))
    }
    const shown = figures.tenants()
    assert.deepEqual([shown.length, shown.at(-1)?.tenant], [101, null])
    assert.equal(
      shown.reduce((sum, { requests }) => sum + requests, 0),
      1_000_000,
    )
    assert.ok(JSON.stringify(shown).length < 20_000)
  })
})
