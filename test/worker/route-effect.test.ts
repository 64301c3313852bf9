import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RouteConfig } from '../../src/config/config.ts'
import { ROUTE_DEFAULTS } from '../../src/config/default.ts'
import { upstreamOf } from '../support/config-part.ts'
import { echo, Origin } from '../support/origin.ts'
import { request } from '../support/raw-client.ts'
import { bearer, tenantToken } from '../support/token.ts'
import { PlaneStage, planeConfig } from './open-plane.ts'
import { routeFor } from './table.ts'

/** What a route does to requests and responses, over real sockets. */

async function staged(
  routes: readonly RouteConfig[],
  use: (plane: PlaneStage, origin: Origin) => Promise<void>,
): Promise<void> {
  await using origin = await Origin.start(echo)
  await using plane = await PlaneStage.open(planeConfig(`${origin.url}/base`, { routes }))
  await use(plane, origin)
}

const HEADERS = {
  request: { set: [{ name: 'X-Api', value: 'v2' }], add: [], remove: ['x-debug'] },
  response: { set: [{ name: 'X-Frame-Options', value: 'DENY' }], add: [], remove: ['content-type'] },
}

describe('a route', () => {
  test('rewrites the path and changes fields on their way to the upstream and back', () => {
    const rewrite = { stripPrefix: '/v2', addPrefix: '/api' }
    const route = routeFor('v2', { path: '/v2/*' }, { rewrite, headers: HEADERS })
    return staged([route], async (plane, origin) => {
      using client = await plane.connect()
      const got = await client.ask(
        request('GET', '/v2/a?b=c', [
          ['X-Debug', '1'],
          ['X-Api', 'v1'],
          ['Accept', '*/*'],
        ]),
      )
      assert.equal(origin.last.target, '/base/api/a?b=c')
      assert.deepEqual(
        [origin.last.all('x-api'), origin.last.get('x-debug'), origin.last.get('accept')],
        [['v2'], null, '*/*'],
      )
      assert.deepEqual([got.status, got.get('x-frame-options'), got.get('content-type')], [200, 'DENY', null])
    })
  })

  test('states its response fields on the gateway’s own refusals too, whose type stays', () =>
    staged([routeFor('a', { path: '/a' }, { auth: 'required', headers: HEADERS })], async (plane) => {
      using client = await plane.connect()
      const got = await client.ask(request('GET', '/a'))
      assert.deepEqual(
        [got.status, got.get('x-frame-options'), got.get('content-type')],
        [401, 'DENY', 'application/problem+json'],
      )
      assert.equal((await client.ask(request('GET', '/b'))).get('x-frame-options'), null)
    }))

  test('redirects without asking an upstream', () => {
    const ending = {
      kind: 'redirect',
      status: 301,
      scheme: 'https',
      host: null,
      port: null,
      path: null,
    } as const
    return staged(
      [routeFor('old', { path: '/old/*' }, { ending, rewrite: { stripPrefix: '/old', addPrefix: '/new' } })],
      async (plane, origin) => {
        using client = await plane.connect()
        const got = await client.ask(request('GET', '/old/a?b', [['Origin', 'https://app.test']]))
        assert.deepEqual(
          [got.statusLine, got.get('location')],
          ['HTTP/1.1 301 Moved Permanently', 'https://gw.test/new/a?b'],
        )
        assert.equal(got.get('access-control-allow-origin'), '*')
        assert.equal(got.body.bytes.length, 0)
        assert.equal(origin.seen.length, 0)
        assert.equal((await plane.access('/old/a')).status_code, 301)
      },
    )
  })

  test('with several upstreams goes to those that have a weight, and its line says to which', async () => {
    await using origin = await Origin.start(echo)
    const upstreams = ['orders', 'canary'].map((name) => upstreamOf(name, `${origin.url}/${name}`))
    const weights = [
      { name: 'orders', weight: 0 },
      { name: 'canary', weight: 5 },
    ]
    const route = routeFor('a', { path: '/a' }, { ending: { kind: 'forward', upstreams: weights } })
    await using plane = await PlaneStage.open(planeConfig(origin.url, { upstreams, routes: [route] }))
    using client = await plane.connect()
    for (let time = 0; time < 5; time++) {
      assert.equal((await client.ask(request('GET', '/a'))).status, 200)
      assert.equal(origin.last.target, '/canary/a')
    }
    const { route: name, upstream } = (await plane.access('/a')) as { route?: string; upstream?: string }
    assert.deepEqual([name, upstream], ['a', 'canary'])
  })

  test('refuses a body announced to be too large before it asks who calls', () =>
    staged(
      [routeFor('a', { path: '/a' }, { auth: 'required', body: { maxBytes: 3 } })],
      async (plane, origin) => {
        const ask = async (body: string): Promise<number> => {
          using client = await plane.connect()
          return (await client.ask(request('POST', '/a', [], body))).status
        }
        assert.deepEqual([await ask('four'), await ask('abc')], [413, 401])
        assert.equal(origin.seen.length, 0)
      },
    ))

  test('with optional identity states the tenant of a good token, refuses a bad one and admits none', () =>
    staged(
      [routeFor('a', { path: '/a' }, { ...ROUTE_DEFAULTS, auth: 'optional' })],
      async (plane, origin) => {
        using client = await plane.connect()
        assert.equal((await client.ask(request('GET', '/a', [['X-Company-ID', 'evil']]))).status, 200)
        assert.equal(origin.last.get('x-company-id'), null)
        assert.equal((await client.ask(request('GET', '/a', [bearer(tenantToken('acme'))]))).status, 200)
        assert.equal(origin.last.get('x-company-id'), 'acme')
        assert.equal((await client.ask(request('GET', '/a', [bearer('bad')]))).status, 401)
      },
    ))
})
