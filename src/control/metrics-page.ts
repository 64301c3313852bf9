import type { AdmissionState } from '../admission/scheduler.ts'
import type { ProcessUsage } from '../lib/process-usage.ts'
import { Exposition, type ExpositionFormat } from '../metrics/exposition.ts'
import { type MetricsView, OTHER_TENANTS } from '../metrics/metrics-view.ts'
import type { RouteCounts } from '../metrics/route-counts.ts'
import type { ThreadFigures } from '../metrics/thread-metrics.ts'
import type { LiveEndpoint, LiveUpstream } from '../upstreams/live-upstream.ts'
import type { UpstreamsView } from './admin/upstreams-resource.ts'
import type { KeyFigures } from './keys/issuer-keys.ts'
import type { ReloadTally } from './reload-tally.ts'

/** Everything that is shown: what data threads counted, and what control knows itself. */
export interface MetricsSource extends Omit<UpstreamsView, 'admission'> {
  readonly view: MetricsView
  readonly version: string
  readonly nodeVersion: string
  readonly configuredThreads: number
  readonly listeningThreads: () => number
  readonly deaths: () => number
  readonly isDraining: () => boolean
  readonly usage: () => ProcessUsage
  readonly reloads: ReloadTally
  readonly droppedLines: () => number
  /** Exchanges whose spans were lost. */
  readonly droppedTraces: () => number
  /** Null: the upstream takes whatever comes. */
  readonly admission: (upstreamSlot: number) => Pick<AdmissionState, 'waiting' | 'limit'> | null
  /** Issuers with remote keys. */
  readonly issuers: () => readonly (Pick<KeyFigures, 'fetchedAtMs'> & { readonly issuer: string })[]
  readonly wallMs: () => number
}

/** Counters of a route alone, and what of it they show. */
const ROUTE_FACTS = {
  nyro_requests_aborted: 'aborted',
  nyro_requests_shadow_refused: 'shadowed',
  nyro_upstream_repeats: 'repeats',
  nyro_received_bytes: 'bytesIn',
  nyro_sent_bytes: 'bytesOut',
} as const
const ROUTE_COUNTERS = [
  'nyro_requests_aborted',
  'nyro_requests_shadow_refused',
  'nyro_upstream_repeats',
  'nyro_received_bytes',
  'nyro_sent_bytes',
] as const

const BREAKER_STATES = ['closed', 'open', 'probing'] as const

/** The text of `/metrics`, made from shared memory and what control knows: no data thread is asked. */
export function metricsPage(source: MetricsSource, format: ExpositionFormat): string {
  const out = new Exposition(format)
  writeRoutes(out, source.view.routes())
  writeTenants(out, source.view)
  writeConnections(out, source.view)
  writeUpstreams(out, source)
  writeAdmission(out, source)
  writeLimits(out, source.view)
  writeIdentity(out, source)
  writeConfig(out, source)
  writeThreads(out, source)
  writeProcess(out, source)
  return out.end()
}

function writeRoutes(out: Exposition, routes: readonly RouteCounts[]): void {
  out.family('nyro_requests')
  for (const { route, requests } of routes) {
    for (const { method, status, requests: count } of requests) out.sample([route, method, status], count)
  }
  out.family('nyro_request_failures')
  for (const { route, failures } of routes) {
    for (const { code, count } of failures) out.sample([route, code], count)
  }
  for (const name of ROUTE_COUNTERS) {
    out.family(name)
    for (const counted of routes) out.sample([counted.route], counted[ROUTE_FACTS[name]])
  }
  out.family('nyro_request_duration_seconds')
  for (const counted of routes) out.histogram([counted.route], counted.histogram('total'))
  out.family('nyro_gateway_duration_seconds')
  for (const counted of routes) out.histogram([counted.route], counted.histogram('own'))
  out.family('nyro_upstream_duration_seconds')
  for (const counted of routes) {
    const histogram = counted.histogram('upstream')
    if (histogram.buckets.some((count) => count > 0)) out.histogram([counted.route], histogram)
  }
}

function writeTenants(out: Exposition, view: MetricsView): void {
  const { top, rest } = view.tenants()
  const all = [...top, { tenant: OTHER_TENANTS, ...rest }]
  out.family('nyro_tenant_requests')
  for (const { tenant, requests } of all) out.sample([tenant], requests)
  out.family('nyro_tenant_refusals')
  for (const { tenant, refused } of all) out.sample([tenant], refused)
  out.family('nyro_tenant_duration_seconds')
  for (const { tenant, ms } of all) out.sample([tenant], ms / 1_000)
}

function writeConnections(out: Exposition, view: MetricsView): void {
  const { active, clients, accepted, turnedAway } = view.totals()
  out.family('nyro_requests_in_flight')
  out.sample([], active)
  out.family('nyro_client_connections')
  out.sample([], clients)
  out.family('nyro_client_connections_accepted')
  out.sample([], accepted)
  out.family('nyro_client_connections_refused')
  out.sample([], turnedAway)
}

function writeUpstreams(out: Exposition, source: MetricsSource): void {
  const upstreams = source.live()
  out.family('nyro_upstream_connections')
  for (const { config, slot } of upstreams) out.sample([config.name], source.openConnections(slot))
  out.family('nyro_upstream_connections_idle')
  for (const { config, slot } of upstreams) out.sample([config.name], source.view.pool(slot).idle)
  out.family('nyro_upstream_waiting')
  for (const { config, slot } of upstreams) out.sample([config.name], source.view.pool(slot).waiting)
  writeEndpoints(out, upstreams.flatMap(endpointsOf), source)
}

interface NamedEndpoint {
  readonly labels: readonly string[]
  readonly endpoint: LiveEndpoint
}

/** Two of one target and address would be one series twice: the first stands for both. */
function endpointsOf({ config, endpoints }: LiveUpstream): readonly NamedEndpoint[] {
  const found = new Map<string, NamedEndpoint>()
  for (const endpoint of Array.isArray(endpoints) ? (endpoints as readonly LiveEndpoint[]) : []) {
    const { target, address } = endpoint
    const key = `${target} ${address}`
    if (!found.has(key)) found.set(key, { labels: [config.name, target, address], endpoint })
  }
  return [...found.values()]
}

function writeEndpoints(out: Exposition, endpoints: readonly NamedEndpoint[], source: MetricsSource): void {
  const described = endpoints.map(({ labels, endpoint }) => ({
    labels,
    ...source.describeEndpoint(endpoint.slot),
  }))
  out.family('nyro_endpoint_in_flight')
  for (const { labels, inFlight } of described) out.sample(labels, inFlight)
  out.family('nyro_endpoint_up')
  for (const { labels, health } of described) out.sample(labels, health === 'up' ? 1 : 0)
  out.family('nyro_endpoint_breaker')
  for (const { labels, breaker } of described) {
    for (const state of BREAKER_STATES) out.sample([...labels, state], breaker === state ? 1 : 0)
  }
}

function writeAdmission(out: Exposition, { live, admission }: MetricsSource): void {
  const states = live().flatMap(({ config, slot }) => {
    const state = admission(slot)
    return state === null ? [] : [{ upstream: config.name, ...state }]
  })
  out.family('nyro_admission_queue')
  for (const { upstream, waiting } of states) out.sample([upstream], waiting)
  out.family('nyro_admission_places')
  for (const { upstream, limit } of states) out.sample([upstream], limit)
}

function writeLimits(out: Exposition, view: MetricsView): void {
  const { limitsForgotten, limitsUncounted } = view.totals()
  const answers = view.storeAnswers()
  out.family('nyro_limit_keys_forgotten')
  out.sample([], limitsForgotten)
  out.family('nyro_limit_uncounted')
  out.sample([], limitsUncounted)
  out.family('nyro_limit_store_up')
  if (answers !== null) out.sample([], answers ? 1 : 0)
}

function writeIdentity(out: Exposition, { view, issuers, wallMs }: MetricsSource): void {
  const { tokensKnown, tokensJudged } = view.totals()
  out.family('nyro_token_cache_hits')
  out.sample([], tokensKnown)
  out.family('nyro_token_cache_misses')
  out.sample([], tokensJudged)
  out.family('nyro_issuer_keys_age_seconds')
  // Keys that never came are older than any.
  for (const { issuer, fetchedAtMs } of issuers()) {
    const ageMs = fetchedAtMs === null ? Number.POSITIVE_INFINITY : Math.max(0, wallMs() - fetchedAtMs)
    out.sample([issuer], ageMs / 1_000)
  }
}

function writeConfig(out: Exposition, source: MetricsSource): void {
  const { reloads, droppedLines, droppedTraces, isDraining } = source
  out.family('nyro_config_reloads')
  for (const [outcome, count] of Object.entries(reloads.counts)) out.sample([outcome], count)
  out.family('nyro_config_last_reload_ok')
  out.sample([], reloads.isGood ? 1 : 0)
  out.family('nyro_config_last_reload_success_timestamp_seconds')
  out.sample([], reloads.lastGoodMs / 1_000)
  out.family('nyro_log_lines_dropped')
  out.sample([], droppedLines())
  out.family('nyro_trace_exchanges_dropped')
  out.sample([], droppedTraces())
  out.family('nyro_draining')
  out.sample([], isDraining() ? 1 : 0)
}

function writeThreads(out: Exposition, source: MetricsSource): void {
  out.family('nyro_threads')
  out.sample([], source.listeningThreads())
  out.family('nyro_threads_configured')
  out.sample([], source.configuredThreads)
  out.family('nyro_thread_deaths')
  out.sample([], source.deaths())
  const threads = source.view.threads()
  const each = (value: (thread: ThreadFigures) => number): void => {
    for (const [row, thread] of threads.entries()) out.sample([String(row)], value(thread))
  }
  out.family('nyro_thread_event_loop_delay_seconds')
  each(({ loopDelayMaxMs }) => loopDelayMaxMs / 1_000)
  out.family('nyro_thread_event_loop_delay_mean_seconds')
  each(({ loopDelayMeanMs }) => loopDelayMeanMs / 1_000)
  out.family('nyro_thread_utilization_ratio')
  each(({ loopShare }) => loopShare)
  out.family('nyro_thread_heap_bytes')
  each(({ heapUsedBytes }) => heapUsedBytes)
  out.family('nyro_thread_heap_limit_bytes')
  each(({ heapLimitBytes }) => heapLimitBytes)
  out.family('nyro_thread_external_bytes')
  each(({ externalBytes }) => externalBytes)
}

function writeProcess(out: Exposition, { version, nodeVersion, usage, reloads }: MetricsSource): void {
  const { cpuS, residentBytes } = usage()
  out.family('nyro_build')
  out.sample([version, nodeVersion], 1)
  out.family('process_cpu_seconds')
  out.sample([], cpuS)
  out.family('process_resident_memory_bytes')
  out.sample([], residentBytes)
  out.family('process_start_time_seconds')
  out.sample([], reloads.startedMs / 1_000)
}
