import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Collector, type CollectorAnswer } from '../support/collector.ts'
import { freePort } from '../support/free-port.ts'
import type { Gateway, LogLine } from '../support/gateway.ts'
import { Origin } from '../support/origin.ts'
import { until } from '../support/until.ts'
import { assertBounded, assertEnds, metric, startWatched } from './onlooker-stage.ts'
import { assertUnaffected, SteadyLoad } from './steady-load.ts'

const SERVER = 2
const DROPPED = 'nyro_trace_exchanges_dropped_total'
/** An export is given up after 11 s, and the first begins after one. */
const GIVEN_UP_MS = 30_000

/** How it answers; null: it is not there. */
const TROUBLES: Readonly<Record<string, CollectorAnswer | null>> = {
  'is gone': null,
  'accepts and never answers': () => {},
  'answers 503': (_, response) => void response.writeHead(503).end(),
}

/** Exchanges whose own span arrived. */
function arrived(...collectors: readonly Collector[]): number {
  return collectors.flatMap(({ spans }) => spans).filter(({ kind }) => kind === SERVER).length
}

function told(gateway: Gateway): readonly (LogLine & { readonly exchanges_dropped?: number })[] {
  return gateway.lines.filter(({ event }) => event === 'Exporting traces works again')
}

describe('traffic is unaffected by a collector that', { concurrency: true }, () => {
  for (const [trouble, answer] of Object.entries(TROUBLES)) {
    test(`${trouble}, and each exchange has its spans exported or is counted`, async () => {
      const port = await freePort()
      await using collector = await Collector.start(port)
      await using origin = await Origin.start()
      const tracing = { endpoint: collector.url, sample: '100%' }
      await using gateway = await startWatched(origin, { tracing, log: { sampleSuccesses: '0%' } })
      await using load = new SteadyLoad({ port: gateway.port, target: (number) => `/orders/${number}` })
      const before = await load.during(() => until('spans', () => collector.spans.length > 0))
      const resident = gateway.residentBytes
      if (answer === null) await collector[Symbol.asyncDispose]()
      else collector.answer = answer
      const during = await load.during(async () => {
        await gateway.line('of it', ({ event }) => event === 'Exporting traces failed', GIVEN_UP_MS)
        await until('spans to be lost', async () => (await metric(gateway.adminPort, DROPPED)) > 0)
      })
      assertUnaffected(before, during)
      assertBounded(resident, gateway.residentBytes)
      await collector[Symbol.asyncDispose]()
      await using another = await Collector.start(port)
      const back = await load.during(() => until('exports', () => told(gateway).length > 0, GIVEN_UP_MS))
      assertUnaffected(before, back)
      await load.stop()
      await until('every exchange', async () => {
        return arrived(collector, another) + (await metric(gateway.adminPort, DROPPED)) === load.asked
      })
      assert.ok((told(gateway)[0]?.exchanges_dropped ?? 0) > 0)
      another.answer = () => {}
      await using again = new SteadyLoad({ port: gateway.port, target: () => '/orders/again' })
      await again.during()
      await again.stop()
      await assertEnds(gateway)
    })
  }
})
