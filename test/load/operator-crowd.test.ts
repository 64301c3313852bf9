import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Gateway } from '../support/gateway.ts'
import { Origin } from '../support/origin.ts'
import { askOnce, RawClient } from '../support/raw-client.ts'
import { until, within } from '../support/until.ts'
import { assertBounded, assertEnds, operatorRequest, startWatched } from './onlooker-stage.ts'
import { assertUnaffected, SteadyLoad } from './steady-load.ts'

const SCRAPES = 50
const TENANTS = 100
const ROUTES = 300
const STREAMS = 1_000
/** Of the operator listener: event streams at once. */
const MOST_STREAMS = 32

const routes = Array.from({ length: ROUTES }, (_, index) => ({
  ...{ name: `a-route-with-a-name-of-some-length-${index}`, match: { path: `/${index}/*` } },
  ...{ upstream: 'orders', auth: 'required' },
}))

function steadyLoad(gateway: Gateway): SteadyLoad {
  return new SteadyLoad({
    port: gateway.port,
    target: (number) => `/${number % ROUTES}/${number}`,
    tenant: (number) => `tenant-${number % TENANTS}`,
  })
}

/** Connections to the operator listener that say this and take nothing that comes. */
async function connectDeaf(gateway: Gateway, count: number, bytes: Buffer): Promise<RawClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.connect(gateway.adminPort)))
  for (const client of clients) {
    client.socket.pause()
    await client.send(bytes)
  }
  return clients
}

async function assertProbed(gateway: Gateway): Promise<void> {
  for (const path of ['/live', '/ready', '/metrics'])
    assert.equal((await askOnce(gateway.adminPort, operatorRequest(path))).status, 200, path)
}

describe('traffic is unaffected', { concurrency: true }, () => {
  // The attack: a scraper that hangs holds a page of a megabyte each time, and a place at the listener.
  test('by scrapes that are never read and others that are half sent', async () => {
    await using origin = await Origin.start()
    await using gateway = await startWatched(origin, { routes })
    await using load = steadyLoad(gateway)
    const before = await load.during(() => until('each route', () => load.asked > 2 * ROUTES, 30_000))
    const page = await askOnce(gateway.adminPort, operatorRequest('/metrics'))
    assert.ok(page.body.length > 1 << 20, `${page.body.length} bytes are not much`)
    // Making so many pages takes memory by itself, read or not.
    for (let count = 0; count < SCRAPES; count++)
      await askOnce(gateway.adminPort, operatorRequest('/metrics'))
    const resident = gateway.residentBytes
    const bytes = operatorRequest('/metrics')
    const clients: RawClient[] = []
    const during = await load.during(async () => {
      clients.push(...(await connectDeaf(gateway, SCRAPES, bytes)))
      clients.push(...(await connectDeaf(gateway, SCRAPES, bytes.subarray(0, 30))))
      await assertProbed(gateway)
    })
    assertUnaffected(before, during)
    assertBounded(resident, gateway.residentBytes)
    for (const client of clients) client.leave()
    assertUnaffected(before, await load.during())
    await assertProbed(gateway)
    const again = await connectDeaf(gateway, SCRAPES, bytes)
    await load.stop()
    await assertEnds(gateway)
    for (const client of again) client.leave()
  })

  test('by a thousand event streams: some are admitted and read no further, the rest is turned away', async () => {
    await using origin = await Origin.start()
    await using gateway = await startWatched(origin, { routes })
    await using load = steadyLoad(gateway)
    const before = await load.during()
    const resident = gateway.residentBytes
    const bytes = operatorRequest('/events')
    const admitted: RawClient[] = []
    const during = await load.during(async () => {
      admitted.push(...(await connectDeaf(gateway, MOST_STREAMS, bytes)))
      await until('all of them', async () => (await statusOf(gateway, bytes)) === 503)
      const answers = await Promise.all(
        Array.from({ length: STREAMS - MOST_STREAMS }, () => statusOf(gateway, bytes)),
      )
      assert.deepEqual(
        answers.filter((status) => status === 200),
        [],
      )
      await assertProbed(gateway)
    })
    assertUnaffected(before, during)
    assertBounded(resident, gateway.residentBytes)
    for (const client of admitted) client.leave()
    using browser = await until('a place', () => openStream(gateway, bytes))
    await within('a second', heard(browser, 'event: second'))
    const again = await connectDeaf(gateway, MOST_STREAMS, bytes)
    assertUnaffected(before, await load.during())
    await load.stop()
    await assertEnds(gateway)
    for (const client of again) client.leave()
  })
})

/** 0: turned away without an answer, as connections beyond the listener's number are. */
async function statusOf(gateway: Gateway, bytes: Buffer): Promise<number> {
  const stream = await askOnce(gateway.adminPort, bytes).catch(() => null)
  return stream?.status ?? 0
}

async function heard(client: RawClient, text: string): Promise<void> {
  while (!client.source.peek().includes(text)) assert.ok(await client.source.more(), 'the stream ended')
}

/** Null: there is no place. */
async function openStream(gateway: Gateway, bytes: Buffer): Promise<RawClient | null> {
  const client = await RawClient.connect(gateway.adminPort)
  await client.send(bytes)
  await client.source.more()
  if (client.source.peek().toString('latin1').startsWith('HTTP/1.1 200 ')) return client
  client.leave()
  return null
}
