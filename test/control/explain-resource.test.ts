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
    const asked = { method: 'GET', url: '/x' }
    const cases: [unknown, string, RegExp][] = [
      ['{', 'method', /not JSON/],
      ['[1]', 'method', /not an object/],
      ['1', 'method', /not an object/],
      [{ url: '/x' }, 'method', /method is missing/],
      [{ ...asked, method: 1 }, 'method', /method is not a string/],
      [{ method: 'GET' }, 'url', /url is missing/],
      [{ ...asked, fields: 'A: b' }, 'fields', /fields is not a list/],
      [{ ...asked, token: 1 }, 'token', /token is not a string/],
      [{ ...asked, from: 1 }, 'from', /from is not an address/],
      [{ ...asked, from: 'elsewhere' }, 'from', /from is not an address/],
      [{ ...asked, headers: [] }, 'headers', /headers is not known here/],
    ]
    for (const [body, member, reason] of cases) {
      const got = await answered(body)
      const problem = JSON.parse(got.body)
      assert.deepEqual([got.status, problem.member], [400, member])
      assert.match(problem.detail, reason)
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
