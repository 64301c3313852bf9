/** What a number means over time: one that only grows, one that goes up and down, a distribution, or a constant 1. */
export type MetricKind = 'counter' | 'gauge' | 'histogram' | 'info'

export interface Metric {
  readonly kind: MetricKind
  /** Of OpenMetrics; the name ends in it. Null: a plain number. */
  readonly unit: 'seconds' | 'bytes' | 'ratio' | null
  readonly labels: readonly string[]
  readonly help: string
}

function metric(kind: MetricKind, unit: Metric['unit'], labels: readonly string[], help: string): Metric {
  return { kind, unit, labels, help }
}

/**
 * Every metric there is, by the name of its family: counters are exposed with `_total`, histograms with `_bucket`,
 * `_sum` and `_count`, facts with `_info`. docs/metrics.md is made from it; deploy/ is held to it by a test.
 */
export const METRICS = {
  nyro_requests: metric(
    'counter',
    null,
    ['route', 'method', 'status'],
    'Exchanges that ended, by class of the status sent; none: the client left before there was one.',
  ),
  nyro_request_failures: metric(
    'counter',
    null,
    ['route', 'code'],
    'Exchanges that ended in a failure of the gateway, by its code.',
  ),
  nyro_requests_aborted: metric('counter', null, ['route'], 'Exchanges whose client left before the end.'),
  nyro_requests_shadow_refused: metric(
    'counter',
    null,
    ['route'],
    'Exchanges that a shadowed policy would have refused.',
  ),
  nyro_upstream_repeats: metric(
    'counter',
    null,
    ['route'],
    'Times a request was handed to an upstream again after a first try.',
  ),
  nyro_received_bytes: metric('counter', 'bytes', ['route'], 'Body bytes from clients.'),
  nyro_sent_bytes: metric('counter', 'bytes', ['route'], 'Body bytes sent to clients.'),
  nyro_request_duration_seconds: metric(
    'histogram',
    'seconds',
    ['route'],
    'From the complete request head to the end of the response. Without tunnels.',
  ),
  nyro_gateway_duration_seconds: metric(
    'histogram',
    'seconds',
    ['route'],
    "The gateway's own part: until a request was first handed to an upstream (policies, queues and waiting for a connection included), or until its end where it never was.",
  ),
  nyro_upstream_duration_seconds: metric(
    'histogram',
    'seconds',
    ['route'],
    "The upstream's part: from being handed a request to its response head, further tries included; until the end where none came. Without tunnels.",
  ),
  nyro_tenant_requests: metric(
    'counter',
    null,
    ['tenant'],
    'Exchanges of the tenants that send most, counted since they are among them; (rest): all others as one.',
  ),
  nyro_tenant_refusals: metric(
    'counter',
    null,
    ['tenant'],
    'Of those, the ones the gateway refused; what upstreams failed is not among them.',
  ),
  nyro_tenant_duration_seconds: metric(
    'counter',
    'seconds',
    ['tenant'],
    'What those exchanges took in sum, from the complete request head to the end.',
  ),
  nyro_requests_in_flight: metric('gauge', null, [], 'Exchanges under way, tunnels included.'),
  nyro_client_connections: metric('gauge', null, [], 'Open connections of clients.'),
  nyro_client_connections_accepted: metric('counter', null, [], 'Connections of clients that were taken.'),
  nyro_client_connections_refused: metric(
    'counter',
    null,
    [],
    'Connections of clients closed at once because listen.maxConnections were open.',
  ),
  nyro_upstream_connections: metric('gauge', null, ['upstream'], 'Open connections, idle ones included.'),
  nyro_upstream_connections_idle: metric('gauge', null, ['upstream'], 'Open connections that carry nothing.'),
  nyro_upstream_waiting: metric('gauge', null, ['upstream'], 'Exchanges that wait for a connection.'),
  nyro_endpoint_in_flight: metric(
    'gauge',
    null,
    ['upstream', 'endpoint', 'address'],
    'Exchanges under way at an endpoint.',
  ),
  nyro_endpoint_up: metric(
    'gauge',
    null,
    ['upstream', 'endpoint', 'address'],
    '0 while health checks say that it is down; 1 without health checks.',
  ),
  nyro_endpoint_breaker: metric(
    'gauge',
    null,
    ['upstream', 'endpoint', 'address', 'state'],
    '1 for the state its breaker is in: closed, open or probing.',
  ),
  nyro_token_cache_hits: metric('counter', null, [], 'Tokens that had been verified before.'),
  nyro_token_cache_misses: metric('counter', null, [], 'Tokens whose signature had to be verified.'),
  nyro_issuer_keys_age_seconds: metric(
    'gauge',
    'seconds',
    ['issuer'],
    'Time since an issuer with remote keys last gave them.',
  ),
  nyro_admission_queue: metric(
    'gauge',
    null,
    ['upstream'],
    'Exchanges that wait to be let into an upstream with a limit.',
  ),
  nyro_admission_places: metric(
    'gauge',
    null,
    ['upstream'],
    'Exchanges that an upstream with a limit may have under way at a time, as it is now.',
  ),
  nyro_limit_keys_forgotten: metric(
    'counter',
    null,
    [],
    'Keys of limits that gave way to others because more are in use than there is room for; their limits began anew.',
  ),
  nyro_limit_uncounted: metric(
    'counter',
    null,
    [],
    "Exchanges let past a plan's concurrency because there was no room to count them.",
  ),
  nyro_limit_store_up: metric(
    'gauge',
    null,
    [],
    '0 while the store of limits does not answer a thread. Only where there is a store.',
  ),
  nyro_config_reloads: metric('counter', null, ['outcome'], 'Loads of the configuration since the start.'),
  nyro_config_last_reload_ok: metric(
    'gauge',
    null,
    [],
    '0 while the configuration as written cannot be put in force and an older one serves.',
  ),
  nyro_config_last_reload_success_timestamp_seconds: metric(
    'gauge',
    'seconds',
    [],
    'When the configuration was last found good, or the process started; seconds since the epoch.',
  ),
  nyro_log_lines_dropped: metric('counter', null, [], 'Log lines lost because their reader was too slow.'),
  nyro_trace_exchanges_dropped: metric(
    'counter',
    null,
    [],
    'Exchanges whose spans were lost: no room for more, or the collector did not keep up.',
  ),
  nyro_draining: metric('gauge', null, [], '1 while the gateway shuts down.'),
  nyro_threads: metric('gauge', null, [], 'Data threads that take connections.'),
  nyro_threads_configured: metric('gauge', null, [], 'Data threads there are to be.'),
  nyro_thread_deaths: metric('counter', null, [], 'Data threads that died and were not told to end.'),
  nyro_thread_event_loop_delay_seconds: metric(
    'gauge',
    'seconds',
    ['thread'],
    'The longest that the thread kept what was due waiting within the last second.',
  ),
  nyro_thread_event_loop_delay_mean_seconds: metric('gauge', 'seconds', ['thread'], 'The same on average.'),
  nyro_thread_utilization_ratio: metric(
    'gauge',
    'ratio',
    ['thread'],
    'Share of the last second in which the thread worked.',
  ),
  nyro_thread_heap_bytes: metric('gauge', 'bytes', ['thread'], 'JavaScript heap in use.'),
  nyro_thread_heap_limit_bytes: metric(
    'gauge',
    'bytes',
    ['thread'],
    'Where the heap ends and the thread dies.',
  ),
  nyro_thread_external_bytes: metric(
    'gauge',
    'bytes',
    ['thread'],
    'Memory outside the heap that objects hold.',
  ),
  nyro_build: metric('info', null, ['version', 'node'], 'Versions of the gateway and of its runtime.'),
  process_cpu_seconds: metric('counter', 'seconds', [], 'CPU time of the process, all threads.'),
  process_resident_memory_bytes: metric('gauge', 'bytes', [], 'Memory of the process, all threads.'),
  process_start_time_seconds: metric('gauge', 'seconds', [], 'When the process started; since the epoch.'),
} as const satisfies Record<string, Metric>

export type MetricName = keyof typeof METRICS

const SUFFIXES: Readonly<Record<MetricKind, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
  info: ['_info'],
}

/** The names that a family's samples have. */
export function sampleNames(name: MetricName): readonly string[] {
  return SUFFIXES[METRICS[name].kind].map((suffix) => name + suffix)
}
