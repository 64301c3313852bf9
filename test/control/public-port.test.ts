import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { claimPublicPort, portsAreShareable } from '../../src/control/public-port.ts'
import { StartRefusal } from '../../src/control/start-refusal.ts'

test('port 0 becomes a free port, which is free again afterwards', async () => {
  const port = await claimPublicPort('127.0.0.1', 0)
  assert.ok(port > 0)
  assert.equal(await claimPublicPort('127.0.0.1', port), port)
})

test('a free port is looked for where connections are given none, past those that are taken', async () => {
  const asked: (readonly [number, number])[] = []
  const other = createServer().listen({ host: '127.0.0.1', port: 0 })
  await once(other, 'listening')
  const { port: taken } = other.address() as AddressInfo
  const free = await claimPublicPort('127.0.0.1', 0)
  const drawn = [taken, taken, free]
  const port = await claimPublicPort('127.0.0.1', 0, (least, beyond) => {
    asked.push([least, beyond])
    return drawn[asked.length - 1] ?? 0
  })
  other.close()
  assert.deepEqual([port, asked], [free, Array.from({ length: 3 }, () => [20_000, 32_768])])
  assert.ok(free >= 20_000 && free < 32_768)
})

test('a port that another listener shares is refused all the same', async () => {
  const other = createServer().listen({ host: '127.0.0.1', port: 0, reusePort: await portsAreShareable() })
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  await assert.rejects(claimPublicPort('127.0.0.1', port), (error) => {
    assert.ok(error instanceof StartRefusal)
    assert.equal(
      error.message,
      `cannot listen on 127.0.0.1:${port} (public listener): another process holds this port`,
    )
    return true
  })
  other.close()
})

test('an address of another machine and a name that is none are refused in one line', async () => {
  for (const host of ['192.0.2.1', 'no-such-name.invalid']) {
    await assert.rejects(claimPublicPort(host, 0), (error) => {
      assert.ok(error instanceof StartRefusal)
      assert.match(error.message, /^cannot listen on [^\n]+ \(public listener\): [^\n]+$/)
      assert.ok(error.message.includes(host))
      return true
    })
  }
})
