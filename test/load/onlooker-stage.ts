import assert from 'node:assert/strict'
import { type Gateway, startGateway } from '../support/gateway.ts'
import type { Origin } from '../support/origin.ts'
import { askOnce, request } from '../support/raw-client.ts'
import { SECRET } from '../support/token.ts'

const MIB = 1 << 20
/** Heap that is not collected yet, and the rings of lines and of spans, which fill when nobody reads. */
const MOST_GROWN_BYTES = 64 * MIB
/** Far less than the patience of whoever stops a gateway. */
const STOP_MS = 8_000

/** A gateway with a route for tokens alone, and `own` in its config. */
export function startWatched(origin: Origin, own: object = {}): Promise<Gateway> {
  const config = {
    identity: { jwt: [{ secret: '${SHARED}', algorithms: ['HS256'] }] },
    upstreams: { orders: { endpoints: [origin.url] } },
    routes: [{ name: 'orders', match: { path: '/orders/*' }, upstream: 'orders', auth: 'required' }],
    ...own,
  }
  return startGateway(
    { GATEWAY_CONFIG: 'nyro.json', SHARED: SECRET },
    { files: { 'nyro.json': JSON.stringify(config) } },
  )
}

export function operatorRequest(path: string): Buffer {
  return request('GET', path, [['Host', 'localhost']])
}

/** The value of a metric without labels. */
export async function metric(adminPort: number, name: string): Promise<number> {
  const answer = await askOnce(adminPort, operatorRequest('/metrics'))
  assert.equal(answer.status, 200)
  const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(answer.text) ?? []
  assert.ok(value !== undefined, `no ${name}`)
  return Number(value)
}

export function assertBounded(beforeBytes: number, nowBytes: number): void {
  const grown = nowBytes - beforeBytes
  assert.ok(grown < MOST_GROWN_BYTES, `resident memory grew by ${Math.round(grown / MIB)} MiB`)
}

export async function assertEnds(gateway: Gateway): Promise<void> {
  const beganMs = performance.now()
  assert.deepEqual(await gateway.stop(STOP_MS), { code: 0, signal: null })
  assert.ok(performance.now() - beganMs < STOP_MS)
}
