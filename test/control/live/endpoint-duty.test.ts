import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startGateway } from '../../support/gateway.ts'
import { Origin, response } from '../../support/origin.ts'
import { askOnce, RawClient, request } from '../../support/raw-client.ts'
import { until } from '../../support/until.ts'

async function named(name: string, held: Set<string>): Promise<Origin> {
  return Origin.start(async ({ target }, reply) => {
    if (target === '/held') {
      held.add(name)
      await reply.gone
      return
    }
    await reply.write(response('200 OK', [], name))
  })
}

test('an operator drains, disables and enables endpoints, and quiets the log, on all threads', async () => {
  const held = new Set<string>()
  await using one = await named('one', held)
  await using other = await named('other', held)
  const files = {
    'nyro.yaml': `
upstreams: { orders: { endpoints: ["${one.url}", "${other.url}"], balance: round-robin, retry: { attempts: 0 } } }
routes: [{ name: all, match: { path: "/*" }, upstream: orders, auth: none }]
`,
  }
  await using gateway = await startGateway({ GATEWAY_CONFIG: 'nyro.yaml', GATEWAY_WORKERS: '2' }, { files })
  const tell = async (method: string, path: string, body: object): Promise<void> => {
    const reply = await fetch(`http://127.0.0.1:${gateway.adminPort}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.equal(reply.status, 200, await reply.text())
  }
  const set = (origin: Origin, state: string): Promise<void> => {
    const target = encodeURIComponent(new URL(origin.url).host)
    return tell('POST', `/upstreams/orders/endpoints/${target}`, { state })
  }
  /** Who answers, over connections that land on either thread. */
  const answers = async (): Promise<readonly string[]> => {
    const seen = new Set<string>()
    for (let turn = 0; turn < 24; turn++) {
      const got = await askOnce(gateway.port, request('GET', '/x'))
      seen.add(got.status === 200 ? got.text : String(got.status))
    }
    return [...seen].sort()
  }

  assert.deepEqual(await answers(), ['one', 'other'])
  await set(other, 'draining')
  assert.deepEqual(await answers(), ['one'])
  const client = await RawClient.connect(gateway.port)
  const cut = client.ask(request('GET', '/held'))
  await until('the request is under way', () => held.has('one'))
  await set(one, 'disabled')
  // As when the server itself had gone.
  assert.equal((await cut).status, 503)
  client.socket.destroy()
  assert.deepEqual(await answers(), ['503'])
  await set(one, 'enabled')
  await set(other, 'enabled')
  assert.deepEqual(await answers(), ['one', 'other'])

  await tell('PUT', '/log-level', { level: 'error' })
  await until('no thread writes access lines', async () => {
    const before = gateway.lines.length
    await answers()
    return gateway.lines.length === before
  })
  await tell('PUT', '/log-level', { level: 'info' })
  await until('both write them', async () => {
    const before = gateway.lines.length
    await answers()
    return gateway.lines.length >= before + 24
  })
})
