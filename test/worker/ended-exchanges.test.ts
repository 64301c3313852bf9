import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Wire } from '../../src/http1/wire.ts'
import type { Exchange } from '../../src/proxy/exchange.ts'
import { EndedExchanges } from '../../src/worker/ended-exchanges.ts'
import { endedExchange } from '../metrics/metrics-source.ts'
import { echo, Origin } from '../support/origin.ts'
import { request } from '../support/raw-client.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { PlaneStage, planeConfig } from './open-plane.ts'

function staged(): { wire: Wire; ended: EndedExchanges; told: Exchange[] } {
  const wire = new Wire(() => 0)
  const told: Exchange[] = []
  const ended = new EndedExchanges(wire, (exchange) => void told.push(exchange))
  return { wire, ended, told }
}

describe('an exchange that is over', () => {
  test('is told of when its batch is, in order and once', async () => {
    const { wire, ended, told } = staged()
    const exchanges = [endedExchange({}), endedExchange({}), endedExchange({})]
    wire.epoch.count()
    for (const exchange of exchanges) ended.add(exchange)
    assert.deepEqual(told, [])
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(told, exchanges)
    ended.tellAll()
    assert.equal(told.length, 3)
  })

  test('outside of a batch is told of at once', () => {
    const { ended, told } = staged()
    ended.add(endedExchange({}))
    assert.equal(told.length, 1)
  })

  test('does not wait with more than 63 others', () => {
    const { wire, ended, told } = staged()
    wire.epoch.count()
    for (let count = 0; count < 63; count++) ended.add(endedExchange({}))
    assert.equal(told.length, 0)
    ended.add(endedExchange({}))
    assert.equal(told.length, 64)
  })

  test('keeps its head until it is told of, though its connection has given it back', () => {
    const { wire, ended } = staged()
    wire.epoch.count()
    const head = wire.heads.take()
    head.text = 'GET /mine HTTP/1.1\r\n'
    wire.heads.giveLater(head)
    assert.notEqual(wire.heads.take(), head)
    assert.equal(head.text, 'GET /mine HTTP/1.1\r\n')
    ended.tellAll()
    assert.equal(head.text, '')
    assert.equal(wire.heads.take(), head)
  })

  test('has its own line, however many a client has asked for in one go', async () => {
    await using origin = await Origin.start(echo)
    await using plane = await PlaneStage.open(planeConfig(origin.url))
    using client = await plane.connect()
    const tenants = Array.from({ length: 150 }, (_, index) => `tenant-${index}`)
    // A hundred that are answered as they are read, then those of an upstream.
    const isRefused = (index: number): boolean => index < 100
    const asked = tenants.map((tenant, index) =>
      isRefused(index)
        ? request('GET', `/nowhere/${tenant}`)
        : request('GET', `/orders/${tenant}`, [bearer(tenantToken(tenant))]),
    )
    await client.send(Buffer.concat(asked))
    for (const index of tenants.keys()) {
      assert.equal((await client.read()).status, isRefused(index) ? 404 : 200)
    }
    const lines = plane.lines.map((line) => JSON.parse(line) as { path: string; company_id?: string })
    assert.deepEqual(
      lines.map(({ path, company_id }) => [path, company_id]),
      tenants.map((tenant, index) =>
        isRefused(index) ? [`/nowhere/${tenant}`, undefined] : [`/orders/${tenant}`, tenant],
      ),
    )
  })
})
