/**
 * What tracing costs a data thread by exchange: CPU time where its trace is not kept, and where it is.
 * Run: node bench/micro/tracing.ts
 */

import { randomFillSync } from 'node:crypto'
import { pooledFill } from '../../src/lib/random-pool.ts'
import { createLogRing, LogRingReader, LogRingWriter } from '../../src/observe/log-ring.ts'
import { Tracer } from '../../src/observe/tracing/tracer.ts'
import { exchangeOf } from '../../test/proxy/exchange-of.ts'
import { parsedRequest } from '../../test/proxy/parsed-head.ts'
import { identityOf } from '../../test/support/identity.ts'

const EXCHANGES = 100_000
const ROUNDS = 5

const HEAD = parsedRequest(
  'GET /orders/1?page=2 HTTP/1.1',
  'Host: gw.test',
  'User-Agent: bench/1.0',
  'Accept: */*',
)
const IDENTITY = identityOf({ tenant: 'acme' })

report('not kept', 0)
report('kept', 1)

function report(what: string, share: number): void {
  const ring = createLogRing()
  const writer = new LogRingWriter(ring)
  const reader = new LogRingReader(ring)
  const write = (line: string): void => void writer.write(line)
  const tracer = new Tracer({
    ...{ share, random: Math.random, fill: pooledFill(randomFillSync), wallMs: Date.now, write },
    redacted: new Set(),
  })
  const nanos: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const cpu = process.cpuUsage()
    for (let index = 0; index < EXCHANGES; index++) {
      trace(tracer)
      if (index % 1_000 === 0) empty(reader)
    }
    const { user, system } = process.cpuUsage(cpu)
    nanos.push(((user + system) * 1_000) / EXCHANGES)
  }
  process.stdout.write(`${what}: ${Math.min(...nanos).toFixed(0)} ns\n`)
}

/** One that was handed to an upstream once, which answered. */
function trace(tracer: Tracer): void {
  const exchange = exchangeOf(HEAD)
  exchange.identity = IDENTITY
  tracer.begin(exchange, 'untrusted')
  const { spans } = exchange
  if (spans === null) return
  spans.attempts('orders', 1.25)
  exchange.endpoint = '10.0.0.1:80'
  exchange.attempts = 1
  exchange.respondedMs = 2.5
  exchange.status = 200
  exchange.endedMs = 3.125
  tracer.end(exchange, spans)
}

function empty(reader: LogRingReader): void {
  for (let unread = reader.unread(); unread > 0; unread = reader.unread()) reader.consume(unread)
}
