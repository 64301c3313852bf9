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
