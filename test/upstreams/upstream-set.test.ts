import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UpstreamConfig } from '../../src/config/config.ts'
import type { LiveUpstream } from '../../src/upstreams/live-upstream.ts'
import type { Upstream } from '../../src/upstreams/upstream.ts'
import { UpstreamMemory } from '../../src/upstreams/upstream-memory.ts'
import { UpstreamSet } from '../../src/upstreams/upstream-set.ts'
import { delivered, Loopback } from '../http1/loopback.ts'
import { ManualWire } from '../http1/manual-wire.ts'
import { upstreamOf } from '../support/config-part.ts'
import { until } from '../support/until.ts'
import { OK, send, Waiter } from './upstream-stage.ts'

class SetStage {
  readonly set: UpstreamSet
  readonly loopback: Loopback
  readonly time = new ManualWire()
  readonly memory: UpstreamMemory

  constructor(loopback: Loopback) {
    this.loopback = loopback
    const clock = { monotonicMs: () => this.time.nowMs, machineMs: () => this.time.nowMs }
    this.memory = new UpstreamMemory(UpstreamMemory.create(1, this.time.nowMs), 0, clock)
    this.set = new UpstreamSet({
      memory: this.memory,
      wire: this.time.wire,
      threads: 1,
      random: () => 0,
      onSurplus: () => {},
    })
  }

  live(name: string, slot: number, own: Partial<UpstreamConfig> = {}): LiveUpstream {
    const { port } = this.loopback
    const target = `127.0.0.1:${port}`
    const config = upstreamOf(name, `http://${target}`, own)
    const address = { address: '127.0.0.1', family: 4, port, tls: false, host: '127.0.0.1' } as const
    return { config, slot, endpoints: [{ slot, ...address, authority: target, target }] }
  }

  upstream(name: string): Upstream {
    const upstream = this.set.get(name)
    if (upstream === null) throw new Error(`no upstream ${name}`)
    return upstream
  }

  async take(upstream: Upstream): Promise<Waiter> {
    const waiter = new Waiter()
    this.time.wire.epoch.count()
    upstream.take(waiter, 'any')
    await waiter.served()
    return waiter
  }

  /** Answers what was sent on the newest connection. */
  async answer(waiter: Waiter): Promise<void> {
    const { connection } = waiter
    if (connection === null) return
    const server = await until('the accepted connection', () =>
      this.loopback.accepted.find(({ remotePort }) => remotePort === connection.socket.localPort),
    )
    server.resume()
    const heard = send(connection)
    await delivered()
    server.write(OK)
    await until('the answer', () => heard.endings > 0)
    waiter.endpoint?.leave(waiter)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.set.destroy()
    await this.loopback.close()
    this.time[Symbol.dispose]()
  }
}

async function staged(use: (stage: SetStage) => Promise<void>): Promise<void> {
  await using stage = new SetStage(await Loopback.listen())
  await use(stage)
}

describe('a set of upstreams', () => {
  test('prepares without touching what runs, and hands out what will be in force', () =>
    staged(async (stage) => {
      const { set } = stage
      set.apply([stage.live('orders', 0)])
      const orders = stage.upstream('orders')
      const config = orders.config
      const prepared = set.prepare([stage.live('orders', 0, { slowStartMs: 9 }), stage.live('query', 1)])
      assert.equal(prepared.get('orders'), orders)
      assert.equal(orders.config, config)
      assert.deepEqual([set.get('query'), prepared.get('gone')], [null, null])
      const query = prepared.get('query')
      set.apply([stage.live('orders', 0, { slowStartMs: 9 }), stage.live('query', 1)])
      assert.ok(query !== null && set.get('query') === query)
      assert.equal(orders.config.slowStartMs, 9)
    }))

  test('keeps an upstream’s connections over a reload', () =>
    staged(async (stage) => {
      stage.set.apply([stage.live('orders', 0)])
      const first = await stage.take(stage.upstream('orders'))
      await stage.answer(first)
      stage.set.apply([stage.live('orders', 0, { retry: { attempts: 3, budget: 1, on: [] } })])
      await delivered()
      const second = await stage.take(stage.upstream('orders'))
      assert.ok(second.connection === first.connection && second.endpoint === first.endpoint)
      assert.equal(stage.memory.openConnections(0), 1)
    }))

  test('lets an upstream that is gone carry what it carries to its end, and no more', () =>
    staged(async (stage) => {
      stage.set.apply([stage.live('orders', 0)])
      const orders = stage.upstream('orders')
      const [idle, busy] = [await stage.take(orders), await stage.take(orders)]
      await stage.answer(idle)
      stage.set.apply([])
      await until('the idle one to close', () => stage.memory.openConnections(0) === 1)
      assert.equal(stage.set.get('orders'), null)
      await stage.answer(busy)
      await until('the busy one to close', () => stage.memory.openConnections(0) === 0)
      // An exchange of the old config may ask once more.
      const late = await stage.take(orders)
      await stage.answer(late)
      await until('the late one to close', () => stage.memory.openConnections(0) === 0)
      stage.set.sweep(stage.time.nowMs)
      assert.equal(orders.isQuiet, true)
    }))

  test('takes an upstream of the same name in another slot for another', () =>
    staged(async (stage) => {
      stage.set.apply([stage.live('orders', 0)])
      const before = stage.upstream('orders')
      await stage.answer(await stage.take(before))
      const prepared = stage.set.prepare([stage.live('orders', 5)])
      stage.set.apply([stage.live('orders', 5)])
      const after = stage.upstream('orders')
      assert.ok(after !== before && prepared.get('orders') === after)
      await until('the old one to close', () => stage.memory.openConnections(0) === 0)
      await stage.take(after)
      assert.equal(stage.memory.openConnections(5), 1)
    }))

  test('hands on what the resolver finds, to prepared ones too', () =>
    staged(async (stage) => {
      const unresolved = { ...stage.live('orders', 0), endpoints: null }
      stage.set.apply([unresolved])
      const prepared = stage.set.prepare([unresolved, { ...stage.live('query', 1), endpoints: null }])
      for (const name of ['orders', 'query']) {
        stage.set.setEndpoints(name, stage.live(name, name === 'orders' ? 0 : 1).endpoints)
        const upstream = prepared.get(name)
        if (upstream !== null) await stage.take(upstream)
      }
      assert.deepEqual([stage.memory.openConnections(0), stage.memory.openConnections(1)], [1, 1])
    }))

  test('ends connections that were verified in another way', () =>
    staged(async (stage) => {
      stage.set.apply([stage.live('orders', 0)])
      await stage.answer(await stage.take(stage.upstream('orders')))
      const tls = { ca: null, certificate: null, key: null, serverName: 'other.internal' }
      stage.set.apply([stage.live('orders', 0, { tls })])
      await until('the close', () => stage.memory.openConnections(0) === 0)
    }))

  test('refuses certificates that are none before anything is in force', () =>
    staged(async (stage) => {
      stage.set.apply([stage.live('orders', 0)])
      const tls = { ca: null, certificate: 'nonsense', key: 'nonsense', serverName: null }
      assert.throws(() => stage.set.prepare([stage.live('orders', 0, { tls })]))
      assert.equal(stage.upstream('orders').config.tls, null)
    }))
})
