import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { RouteConfig } from '../../../src/config/config.ts'
import { routeTo } from '../../support/config-part.ts'
import { echo, Origin } from '../../support/origin.ts'
import { assertProblem } from '../../support/problem.ts'
import { request } from '../../support/raw-client.ts'
import { bearer, tenantToken } from '../../support/token.ts'
import { until } from '../../support/until.ts'
import { PlaneStage, planeConfig } from '../../worker/open-plane.ts'
import { PolicyFolder } from './policy-folder.ts'

const folder = new PolicyFolder()
after(() => folder[Symbol.dispose]())

function guarded(use: string, auth: RouteConfig['auth'] = 'none'): RouteConfig {
  return routeTo('orders', '/guarded/*', auth, { name: 'guarded', policies: [{ use, with: null }] })
}

async function staged(
  route: RouteConfig,
  act: (plane: PlaneStage, origin: Origin) => Promise<void>,
): Promise<void> {
  await using origin = await Origin.start(echo)
  const config = planeConfig(origin.url)
  await using plane = await PlaneStage.open({ ...config, routes: [...config.routes, route] })
  await act(plane, origin)
}

describe("a route with a policy of the operator's", () => {
  test('forwards what the policy admits, with what it states to both sides', () => {
    const use = folder.policy(
      'states.ts',
      "kind: 'states', owns: ['X-Own']",
      "(exchange.assert('X-Own', exchange.identity.tenant), exchange.answer('X-Seen', exchange.route), null)",
    )
    return staged(guarded(use, 'required'), async (plane, origin) => {
      using client = await plane.connect()
      const got = await client.ask(
        request('GET', '/guarded/1', [bearer(tenantToken('acme')), ['X-Own', 'forged']]),
      )
      assert.deepEqual([got.status, got.get('x-seen')], [200, 'guarded'])
      assert.deepEqual([origin.last.all('x-own'), origin.last.all('x-company-id')], [['acme'], ['acme']])
    })
  })

  // The attack: a field that a policy states on one route is forged on another, where the policy is not asked, or in
  // another spelling.
  test('keeps the fields it owns from clients of every route, however spelt', () => {
    const use = folder.policy('owns.ts', "kind: 'owns', owns: ['X-Own-Field']")
    return staged(guarded(use), async (plane, origin) => {
      using client = await plane.connect()
      const forged = ['X-Own-Field', 'x_own_field', 'X-Own.Field'].map((name) => [name, 'forged'] as const)
      for (const path of ['/open/1', '/guarded/1']) {
        assert.equal(
          (await client.ask(request('GET', path, [...forged, ['Connection', 'X-Own-Field']]))).status,
          200,
        )
        assert.doesNotMatch(origin.last.text, /forged/)
      }
    })
  })

  test('asks it only whom identity let through', () => {
    const use = folder.policy('unasked.ts', "kind: 'unasked'", "answer(418, {}, 'asked')")
    return staged(guarded(use, 'required'), async (plane) => {
      using client = await plane.connect()
      assert.equal((await client.ask(request('GET', '/guarded/1'))).status, 401)
      assert.equal((await client.ask(request('GET', '/guarded/1', [bearer(tenantToken('a'))]))).status, 418)
    })
  })

  test('refuses by the table of failures', () => {
    const use = folder.policy(
      'refuses.ts',
      "kind: 'refuses'",
      "exchange.head.method === 'GET' ? refuse('Not you.') : unavailable()",
    )
    return staged(guarded(use), async (plane, origin) => {
      using client = await plane.connect()
      const refused = await client.ask(request('GET', '/guarded/1'))
      assertProblem(refused, 403, 'policy_refused', 'Not you.')
      const away = await client.ask(request('DELETE', '/guarded/1'))
      assertProblem(away, 503, 'policy_unavailable')
      assert.equal(away.get('retry-after'), '1')
      assert.equal(origin.seen.length, 0)
    })
  })

  test('answers 500 for what is wrong in it, logs where, and serves on', () => {
    const use = folder.policy(
      'broken.ts',
      "kind: 'broken'",
      "exchange.head.get('x-a').length > 0 ? null : null",
    )
    return staged(guarded(use), async (plane) => {
      using client = await plane.connect()
      const got = await client.ask(request('GET', '/guarded/1'))
      assertProblem(got, 500, 'internal')
      const line = plane.lines.find((text) => text.includes('Unhandled error')) ?? ''
      assert.match(line, /policy broken failed in admit: TypeError.*broken\.ts/)
      using other = await plane.connect()
      assert.equal((await other.ask(request('GET', '/guarded/1', [['X-A', 'a']]))).status, 200)
    })
  })

  test('lets everybody through where the route shadows it, whatever it decides, throws or would state', () => {
    const use = folder.policy(
      'shadowed.ts',
      "kind: 'shadowed', owns: ['X-Own']",
      "(exchange.assert('X-Own', 'it'), exchange.head.get('x-a') === 'throw' ? null.x : exchange.head.get('x-a') === 'later' ? Promise.reject(new Error('x')) : refuse('Not you.'))",
    )
    return staged({ ...guarded(use), shadow: ['policies'] }, async (plane, origin) => {
      using client = await plane.connect()
      for (const how of ['refuse', 'throw', 'later']) {
        const got = await client.ask(
          request('GET', `/guarded/${how}`, [
            ['X-A', how],
            ['X-Own', 'forged'],
          ]),
        )
        assert.equal(got.status, 200, how)
      }
      assert.ok(origin.seen.every(({ text }) => !/x-own/i.test(text)))
      await until('the lines', () => plane.lines.some((line) => line.includes('/guarded/later')))
      const lines = plane.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
      assert.deepEqual(
        lines.filter((line) => line['path'] !== undefined).map((line) => line['shadow']),
        [['shadowed'], ['shadowed'], ['shadowed']],
      )
      assert.ok(!lines.some((line) => line['event'] === 'Unhandled error'))
    })
  })

  test('answers 503 when it never decides, after the limit the policy gives itself', () => {
    const use = folder.policy('hangs.ts', "kind: 'hangs', timeoutMs: 20", 'new Promise(() => {})')
    return staged(guarded(use), async (plane) => {
      using client = await plane.connect()
      const got = await client.ask(request('GET', '/guarded/1'))
      assertProblem(got, 503, 'policy_unavailable')
    })
  })

  test('settles it once an exchange that it admitted is over, and only then', () => {
    const use = folder.write(
      'settles.ts',
      "import { definePolicy, refuse } from 'nyro-gateway'",
      'const counts = { admitted: 0, settled: [] as string[] }',
      'Object.assign(globalThis, { counts })',
      "export const policy = definePolicy({ kind: 'settles', create: () => ({",
      "  admit: ({ head }) => head.path.endsWith('no') ? refuse() : (counts.admitted++, null),",
      '  settle: ({ status, head }) => void counts.settled.push([status, head.path].join(" ")),',
      '}) })',
    )
    return staged(guarded(use), async (plane) => {
      using client = await plane.connect()
      for (const path of ['/guarded/yes', '/guarded/no']) await client.ask(request('GET', path))
      const { counts } = globalThis as unknown as { counts: { admitted: number; settled: string[] } } // the file's own
      await until('the end', () => counts.settled.length === 1)
      await plane.access('/guarded/no')
      assert.deepEqual(counts, { admitted: 1, settled: ['200 /guarded/yes'] })
    })
  })
})
