import type { MetricsSource } from '../../src/control/metrics-page.ts'
import { ReloadTally } from '../../src/control/reload-tally.ts'
import { OWN_PLACE, routeAt } from '../../src/metrics/layout.ts'
import { MetricsMemory } from '../../src/metrics/metrics-memory.ts'
import { MetricsReader } from '../../src/metrics/metrics-view.ts'
import { Exchange } from '../../src/proxy/exchange.ts'
import { routeOwning } from '../proxy/exchange-of.ts'
import { parsedRequest } from '../proxy/parsed-head.ts'
import { identityOf } from '../support/identity.ts'

/** Control's side of a memory that the test writes itself. */
export function sourceOf(memory: SharedArrayBuffer, own: Partial<MetricsSource> = {}): MetricsSource {
  return {
    view: new MetricsReader(new MetricsMemory(memory, 'control')),
    version: '1.2.3',
    nodeVersion: '26.0.0',
    configuredThreads: 1,
    listeningThreads: () => 1,
    deaths: () => 0,
    isDraining: () => false,
    usage: () => ({ cpuS: 1.5, residentBytes: 50_000_000 }),
    reloads: new ReloadTally(() => 1_800_000_000_000),
    droppedLines: () => 0,
    droppedTraces: () => 0,
    live: () => [],
    openConnections: () => 0,
    admission: () => null,
    issuers: () => [],
    wallMs: () => 1_800_000_000_000,
    describeEndpoint: () => ({ inFlight: 0, breaker: 'closed', health: 'up', duty: 'enabled' }),
    ...own,
  }
}

interface Ended {
  readonly method: string
  readonly path: string
  readonly series: number
  readonly tenant: string | null
  readonly status: number
  readonly code: string | null
}

/** An exchange that began at 100 ms, was handed on at 101 ms, got its response head at 104 ms and sent 10 bytes. */
export function endedExchange(own: Partial<Ended> = {}): Exchange {
  const {
    method = 'GET',
    path = '/orders',
    series = routeAt(OWN_PLACE),
    tenant = null,
    status = 200,
    code = null,
  } = own
  const head = parsedRequest(`${method} ${path} HTTP/1.1`, 'Host: gw.test')
  const exchange = new Exchange(head, { ...routeOwning(), series }, '192.0.2.7', 'http', 'request-1', 100)
  exchange.status = status
  exchange.code = code
  exchange.attempts = 1
  exchange.forwardedMs = 101
  exchange.respondedMs = 104
  exchange.endedMs = 110
  exchange.bytesOut = 10
  if (tenant !== null) exchange.identity = identityOf({ tenant })
  return exchange
}
