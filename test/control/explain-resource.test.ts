import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AdminAnswer } from '../../src/control/admin/admin-answer.ts'
import { explainResource } from '../../src/control/admin/explain-resource.ts'
import { routesResource } from '../../src/control/admin/routes-resource.ts'
import { machineMs } from '../../src/lib/clock.ts'
import { UpstreamMemory } from '../../src/upstreams/upstream-memory.ts'
import { NOTHING_KNOWN } from '../../src/worker/thread-identity.ts'
import { liveUpstreams } from '../support/live-upstream.ts'
import { planeConfig } from '../worker/open-plane.ts'

const CONFIG = planeConfig('http://10.0.0.1:8000')

function resource() {
  return explainResource({
    config: () => CONFIG,
    live: () => liveUpstreams(CONFIG),
    memory: UpstreamMemory.create(1, machineMs()),
    identity: () => NOTHING_KNOWN,
  })
}

function answered(body: unknown): Promise<AdminAnswer> {
  return Promise.resolve(resource().answer(typeof body === 'string' ? body : JSON.stringify(body), 'POST'))
}

describe('explaining by the operator listener', () => {
  test('tells what would become of a request, with the state of its endpoints', async () => {
    const { status, body } = await answered({ method: 'GET', url: '/open/1' })
    const { route, upstream } = JSON.parse(body)
    assert.deepEqual([status, route.chosen], [200, 'open'])
    assert.deepEqual(upstream.endpoints, [
      { target: '10.0.0.1:8000', address: '10.0.0.1', state: 'health up, breaker closed, 0 in flight' },
    ])
  })

  test('names the member that is wrong', async () => {
    const cases: [unknown, RegExp][] = [
      ['{', /not JSON/],
      ['[1]', /method is missing/],
      ['1', /not an object/],
      [{ url: '/x' }, /method is missing/],
      [{ method: 'GET' }, /url is missing/],
      [{ method: 'GET', url: '/x', fields: 'A: b' }, /fields is not a list/],
      [{ method: 'GET', url: '/x', token: 1 }, /token is not a string/],
      [{ method: 'GET', url: '/x', from: 1 }, /from is not a string/],
    ]
    for (const [body, reason] of cases) {
      const got = await answered(body)
      assert.equal(got.status, 400)
      assert.match(JSON.parse(got.body).detail, reason)
    }
  })

  test('takes two at a time, each being a thread and a table', async () => {
    const shared = resource()
    const body = JSON.stringify({ method: 'GET', url: '/open/1' })
    const statuses = await Promise.all([1, 2, 3].map(async () => (await shared.answer(body, 'POST')).status))
    assert.deepEqual(statuses, [200, 200, 503])
    assert.equal((await shared.answer(body, 'POST')).status, 200)
  })

  test('shows the table of routes', async () => {
    const { body } = await routesResource(() => CONFIG).answer('', 'GET')
    assert.deepEqual(
      JSON.parse(body).routes.map(({ name }: { name: string }) => name),
      ['open', 'orders'],
    )
  })
})
