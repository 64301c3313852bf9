import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Config, RouteConfig } from '../../src/config/config.ts'
import { tenantPolicy } from '../../src/policies/tenant.ts'
import { jsonAnswer } from '../../src/proxy/answer.ts'
import type { Policy } from '../../src/proxy/policy.ts'
import type { Route } from '../../src/proxy/route.ts'
import type { Upstream } from '../../src/upstreams/upstream.ts'
import { compile } from '../../src/worker/compile.ts'
import type { Router } from '../../src/worker/router.ts'
import { exchangeOf } from '../proxy/exchange-of.ts'
import { parsedRequest } from '../proxy/parsed-head.ts'
import { routeTo } from '../support/config-part.ts'
import { planeConfig } from './open-plane.ts'

const IDENTITY: Policy = { kind: 'jwt', owns: ['x-plan'], admit: () => null }
const ORDERS = {} as Upstream // is only handed on
const URL = 'http://127.0.0.1:9/base'

function compiled(own: Partial<Config> = {}, identity: Policy | null = IDENTITY): Router {
  const config = planeConfig(URL, own)
  return compile(config, {
    upstreams: { get: (name) => (name === 'orders' ? ORDERS : null) },
    identity: identity === null ? null : { owned: identity.owns, policy: () => identity },
    traffic: null,
    userPolicies: () => [],
    userOwned: [],
    tenant: tenantPolicy('X-Company-ID'),
    assertion: null,
    docs: new Map([['/docs', () => jsonAnswer(200, 'docs')]]),
    isReady: () => true,
  })
}

function routeAt(router: Router, target: string, method = 'GET', ...lines: readonly string[]): Route {
  return router.match(parsedRequest(`${method} ${target} HTTP/1.1`, 'Host: a', ...lines))
}

function kinds({ policies }: Route): string[] {
  return policies.map(({ kind }) => kind)
}

/** What the route's policies say in the end: status of the refusal or answer, null for forwarding. */
function ending(router: Router, target: string, method = 'GET', ...lines: readonly string[]): number | null {
  const head = parsedRequest(`${method} ${target} HTTP/1.1`, 'Host: a', ...lines)
  const route = router.match(head)
  const exchange = exchangeOf(head, route)
  for (const policy of route.policies) {
    const verdict = policy.admit(exchange)
    assert.ok(!(verdict instanceof Promise))
    if (verdict !== null) return verdict.status
  }
  return null
}

describe('a compiled route', () => {
  test('asks who may read, then who calls, then states the tenant', () => {
    assert.deepEqual(kinds(routeAt(compiled(), '/orders/1')), ['cors', 'jwt', 'tenant'])
  })

  test('without identity asks neither who calls nor states anybody', () => {
    assert.deepEqual(kinds(routeAt(compiled(), '/open/1')), ['cors'])
    assert.deepEqual(kinds(routeAt(compiled({}, null), '/orders/1')), ['cors'])
  })

  // The attack: a field that is verified on one route is the client's own word on another.
  test('strips what any policy of any route owns, refusals and public routes included', () => {
    const router = compiled()
    for (const target of ['/orders/1', '/open/1', '/nowhere', '/', '/a/../b'])
      assert.deepEqual([...routeAt(router, target).owned].sort(), ['x-company-id', 'x-plan'], target)
    assert.deepEqual([...router.unreadable.owned].sort(), ['x-company-id', 'x-plan'])
  })

  test('carries its place in the log as valid JSON, whatever its names', () => {
    const name = 'od"d\\\u00e9'
    const route: RouteConfig = routeTo('orders', '/x/*', 'none', { name })
    const { logText } = routeAt(compiled({ routes: [route] }), '/x/1')
    assert.deepEqual(JSON.parse(`{"a":1${logText}}`), { a: 1, route: name, upstream: 'orders' })
  })

  test('leads to its upstream with its base path', () => {
    const { target } = routeAt(compiled(), '/open/1')
    const plan = target?.choices[0]?.plan
    assert.deepEqual([target?.choices[0]?.upstream, plan?.basePath], [ORDERS, '/base'])
  })

  test('to an upstream that is not configured is a defect of the config', () => {
    const route: RouteConfig = routeTo('gone', '/x/*', 'none')
    assert.throws(() => compiled({ routes: [route] }), /gone/)
  })
})

describe('what a request ends in', () => {
  const router = compiled()
  const page = 'Origin: https://app.test'

  test('is decided by path first, then method, then identity', () => {
    assert.equal(ending(router, '/nowhere', 'PATCH'), 404)
    assert.equal(ending(router, '/orders/../x', 'TRACE'), 400)
    assert.equal(ending(router, '/orders/1', 'TRACE'), 405)
    assert.equal(ending(router, '/orders/1'), null)
  })

  test('is an own answer by GET and HEAD only, and the rest says which', () => {
    for (const target of ['/', '/health', '/health/live', '/health/ready', '/docs']) {
      assert.equal(ending(router, target), 200, target)
      assert.equal(ending(router, target, 'HEAD'), 200, target)
      assert.equal(ending(router, target, 'POST'), 405, target)
    }
    const refused = routeAt(router, '/docs', 'POST').policies.at(-1)?.admit(exchangeOf())
    assert.ok(refused !== null && refused !== undefined && !(refused instanceof Promise))
    assert.equal(refused.fields, 'Allow: GET, HEAD\r\n')
  })

  test('is a redirect for an own endpoint with a slash too many', () => {
    for (const target of ['/docs/', '/health/', '/health/live/?x'])
      assert.equal(ending(router, target), 307, target)
  })

  test('is a preflight’s answer where a route is, for methods it has', () => {
    const asks = (target: string, method: string): number | null =>
      ending(router, target, 'OPTIONS', page, `Access-Control-Request-Method: ${method}`)
    assert.deepEqual([asks('/orders/1', 'PUT'), asks('/docs', 'GET')], [204, 204])
    assert.deepEqual(
      [asks('/orders/1', 'TRACE'), asks('/docs', 'PUT'), asks('/nowhere', 'GET')],
      [405, 405, 404],
    )
    assert.equal(ending(router, '/orders/1', 'OPTIONS', page), 405)
  })

  test('is a configured route’s where it has the path of an own endpoint', () => {
    const route = (path: string): RouteConfig => routeTo('orders', path, 'none', { name: `own ${path}` })
    const own = compiled({ routes: [route('/'), route('/docs')] })
    for (const target of ['/', '/docs']) assert.equal(routeAt(own, target).name, `own ${target}`)
    assert.equal(ending(own, '/health'), 200)
  })

  // What Kubernetes asks must be the gateway's own word, whatever lies behind a catch-all.
  test('is the gateway’s own health under a route that catches all', () => {
    const all: RouteConfig = routeTo('orders', '/*', 'none', { name: 'all' })
    const own = compiled({ routes: [all] })
    assert.equal(routeAt(own, '/x').name, 'all')
    for (const target of ['/health', '/health/live', '/health/ready'])
      assert.equal(ending(own, target), 200, target)
  })
})
