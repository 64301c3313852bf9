import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Gateway, startGateway } from '../support/gateway.ts'
import { Origin } from '../support/origin.ts'
import { askOnce, request } from '../support/raw-client.ts'
import { bearer, SECRET, tenantToken } from '../support/token.ts'
import { until } from '../support/until.ts'
import { type ParsedFamily, readExposition, seriesValue } from './exposition-text.ts'

const OPEN = 'application/openmetrics-text;version=1.0.0'

function yaml(origin: Origin, more = ''): string {
  return `
identity: { jwt: [{ name: own, secret: "${SECRET}", algorithms: [HS256] }] }
upstreams: { orders: { endpoints: ["${origin.url}"] } }
routes:
  - { name: orders, match: { path: "/orders/*" }, upstream: orders, auth: required }
${more}`
}

async function scrape(gateway: Gateway): Promise<ReadonlyMap<string, ParsedFamily>> {
  const response = await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`, { headers: { Accept: OPEN } })
  assert.equal(response.status, 200)
  return readExposition(await response.text(), 'openmetrics')
}

async function ask(gateway: Gateway, times: number, tenant: string): Promise<void> {
  for (let time = 0; time < times; time++) {
    const { status } = await askOnce(gateway.port, request('GET', '/orders/1', [bearer(tenantToken(tenant))]))
    assert.equal(status, 200)
  }
}

describe('GET /metrics of a running gateway', () => {
  test('tells what was asked of it, and a reload forgets nothing', async () => {
    await using origin = await Origin.start()
    const files = { 'nyro.yaml': yaml(origin) }
    await using gateway = await startGateway({ GATEWAY_CONFIG: 'nyro.yaml', GATEWAY_WORKERS: '2' }, { files })
    await ask(gateway, 5, 'acme')
    assert.equal((await askOnce(gateway.port, request('GET', '/orders/1'))).status, 401)
    assert.equal((await askOnce(gateway.port, request('BREW', '/nowhere'))).status, 404)
    const first = await scrape(gateway)
    assert.equal(seriesValue(first, 'nyro_requests', { route: 'orders', method: 'GET', status: '2xx' }), 5)
    assert.equal(seriesValue(first, 'nyro_request_failures', { route: 'orders', code: 'token_missing' }), 1)
    assert.equal(seriesValue(first, 'nyro_requests', { route: '(own)', method: 'other', status: '4xx' }), 1)
    assert.equal(seriesValue(first, 'nyro_tenant_requests', { tenant: 'acme' }), 5)
    assert.equal(seriesValue(first, 'nyro_client_connections_accepted'), 7)
    assert.equal(seriesValue(first, 'nyro_endpoint_up', { upstream: 'orders' }), 1)
    assert.equal(seriesValue(first, 'nyro_threads'), 2)
    const hits = seriesValue(first, 'nyro_token_cache_hits') ?? 0
    const misses = seriesValue(first, 'nyro_token_cache_misses') ?? 0
    assert.equal(hits + misses, 5)
    assert.ok(misses >= 1 && misses <= 2, 'each thread judges a token once')
    const path = join(gateway.directory, 'nyro.yaml')
    writeFileSync(
      path,
      yaml(origin, '  - { name: more, match: { path: /more }, upstream: orders, auth: none }\n'),
    )
    await gateway.line('reloaded', ({ event }) => event === 'Config reloaded')
    await ask(gateway, 2, 'acme')
    const second = await scrape(gateway)
    assert.equal(seriesValue(second, 'nyro_requests', { route: 'orders', method: 'GET', status: '2xx' }), 7)
    assert.equal(seriesValue(second, 'nyro_tenant_requests', { tenant: 'acme' }), 7)
    assert.equal(seriesValue(second, 'nyro_config_reloads', { outcome: 'applied' }), 1)
    writeFileSync(path, 'nonsense: 1\n')
    await gateway.line('refused', ({ event }) => event?.startsWith('Config not reloaded') === true)
    const third = await scrape(gateway)
    assert.equal(seriesValue(third, 'nyro_config_last_reload_ok'), 0)
    assert.equal(seriesValue(third, 'nyro_config_reloads', { outcome: 'refused' }), 1)
  })

  test('shows within a second how many connections are open, and how each thread is', async () => {
    await using origin = await Origin.start()
    await using gateway = await startGateway(
      { GATEWAY_CONFIG: 'nyro.yaml' },
      { files: { 'nyro.yaml': yaml(origin) } },
    )
    const socket = connect(gateway.port, '127.0.0.1')
    await until('the connection to be counted', async () => {
      const families = await scrape(gateway)
      return seriesValue(families, 'nyro_client_connections') === 1 ? true : null
    })
    const families = await scrape(gateway)
    const heap = seriesValue(families, 'nyro_thread_heap_bytes', { thread: '0' }) ?? 0
    const limit = seriesValue(families, 'nyro_thread_heap_limit_bytes', { thread: '0' }) ?? 0
    assert.ok(heap > 1_000_000 && heap < limit, `${heap} of ${limit}`)
    const share = seriesValue(families, 'nyro_thread_utilization_ratio', { thread: '0' }) ?? -1
    assert.ok(share >= 0 && share <= 1, String(share))
    assert.ok((seriesValue(families, 'nyro_thread_event_loop_delay_seconds', { thread: '0' }) ?? -1) >= 0)
    socket.destroy()
  })

  test('is for who has the token, and answers in plain text by default', async () => {
    await using origin = await Origin.start()
    const files = { 'nyro.yaml': yaml(origin, 'admin: { token: "0123456789abcdef0123" }\n') }
    await using gateway = await startGateway({ GATEWAY_CONFIG: 'nyro.yaml' }, { files })
    const url = `http://127.0.0.1:${gateway.adminPort}/metrics`
    const refused = await fetch(url)
    assert.equal(refused.status, 401)
    assert.doesNotMatch(await refused.text(), /nyro_/)
    const shown = await fetch(url, { headers: { Authorization: 'Bearer 0123456789abcdef0123' } })
    assert.equal(shown.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
    readExposition(await shown.text(), 'prometheus')
  })

  test('holds up nobody when those who ask never read', async () => {
    await using origin = await Origin.start()
    await using gateway = await startGateway(
      { GATEWAY_CONFIG: 'nyro.yaml' },
      { files: { 'nyro.yaml': yaml(origin) } },
    )
    const hung = Array.from({ length: 20 }, () => {
      const socket = connect(gateway.adminPort, '127.0.0.1').on('error', () => {})
      socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n')
      return socket.pause()
    })
    await ask(gateway, 3, 'acme')
    const families = await scrape(gateway)
    assert.equal(seriesValue(families, 'nyro_requests', { route: 'orders', status: '2xx' }), 3)
    for (const socket of hung) socket.destroy()
  })
})
