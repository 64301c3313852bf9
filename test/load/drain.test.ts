import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { askOnce, RawClient, request } from '../support/raw-client.ts'
import { ACME, openStage, type Stage } from '../support/stage.ts'
import { until } from '../support/until.ts'

// The fault: a rolling update ends the process under full load. Clients behave as RFC 9112 section 9.6 asks: after
// `Connection: close` they use another connection; and as a balancer does: once ready is 503 they open no new one.

const CLIENTS = 24

interface Tally {
  answered: number
  afterSignal: number
  readonly failures: string[]
}

/** A balancer's probe: says within a moment whether new connections should go here. */
class Readiness {
  ready = true
  over = false

  async watch(port: number): Promise<void> {
    while (!this.over) {
      const status = await askOnce(port, request('GET', '/health/ready')).then(
        (got) => got.status,
        () => 0,
      )
      this.ready = status === 200
      await pause(100)
    }
  }
}

async function client(
  stage: Stage,
  lane: number,
  readiness: Readiness,
  draining: () => boolean,
  tally: Tally,
): Promise<void> {
  for (let round = 0; readiness.ready; ) {
    const connection = await RawClient.connect(stage.port)
    for (let kept = true; kept; round++) {
      const target = `/api/v1/ingest/${lane}-${round}`
      const upload = round % 3 === 0
      const bytes = request(upload ? 'POST' : 'GET', target, [ACME], upload ? 'b'.repeat(5_000) : null)
      try {
        const got = await connection.ask(bytes, upload ? 'POST' : 'GET')
        assert.equal(got.status, 200, got.text)
        assert.ok(got.body.complete)
        assert.equal(got.json<{ target: string }>().target, target)
        kept = got.get('connection') !== 'close'
        tally.answered += 1
        if (draining()) tally.afterSignal += 1
      } catch (error) {
        tally.failures.push(`${target}: ${error}`)
        kept = false
      }
      // Some think between requests, so that idle connections meet the drain too.
      if (kept && lane % 3 === 0) await pause((round * 37) % 200)
    }
    connection.leave()
  }
}

describe('SIGTERM under load', () => {
  test('with a delay of two seconds loses no request', async () => {
    await using stage = await openStage({ GATEWAY_SHUTDOWN_DELAY: '2', GATEWAY_WORKERS: '2' })
    const tally: Tally = { answered: 0, afterSignal: 0, failures: [] }
    const readiness = new Readiness()
    const probing = readiness.watch(stage.port)
    let signalled = false
    const lanes = Array.from({ length: CLIENTS }, (_, lane) =>
      client(stage, lane, readiness, () => signalled, tally),
    )
    await until('load', () => tally.answered > 10 * CLIENTS, 30_000)
    signalled = true
    stage.gateway.signal('SIGTERM')
    await Promise.all(lanes)
    const exit = await stage.gateway.exited
    readiness.over = true
    await probing
    assert.deepEqual(tally.failures, [])
    assert.deepEqual(exit, { code: 0, signal: null })
    assert.ok(tally.afterSignal > 0, JSON.stringify(tally))
    assert.equal(new Set(stage.ingest.seen.map(({ target }) => target)).size, tally.answered)
  })
})
