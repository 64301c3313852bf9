import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RouteConfig } from '../../src/config/config.ts'
import type { Policy } from '../../src/proxy/policy.ts'
import type { Route } from '../../src/proxy/route.ts'
import type { Upstream } from '../../src/upstreams/upstream.ts'
import { SnapshotBuilder } from '../../src/worker/compile.ts'
import { parsedGet } from '../proxy/parsed-head.ts'
import { upstreamOf } from '../support/config-part.ts'
import { planeConfig } from './open-plane.ts'
import { compileParts, endingOf, lookupOf, ORDERS, routeFor, routerOf } from './table.ts'

const IDENTITY: Policy = { kind: 'jwt', owns: ['x-plan'], admit: () => null }
const ASKING = { identity: { owned: IDENTITY.owns, policy: () => IDENTITY } }

function at(
  routes: readonly RouteConfig[],
  path: string,
  own: Parameters<typeof compileParts>[0] = {},
): Route {
  return routerOf(routes, own).match(parsedGet(path))
}

function kinds({ policies }: Route): string[] {
  return policies.map(({ kind }) => kind)
}

const limited = { body: { maxBytes: 10 } }

describe('a route’s policies', () => {
  test('are asked in the order of the contract: readers, body limit, identity, tenant, then the operator’s own', () => {
    const own: Policy = { kind: 'mine', owns: ['x-mine'], admit: () => null }
    const route = routeFor(
      'a',
      { path: '/a' },
      { auth: 'required', ...limited, policies: [{ use: '/p.ts', with: {} }] },
    )
    const asked = at([route], '/a', { ...ASKING, userPolicies: () => [own], userOwned: own.owns })
    assert.deepEqual(kinds(asked), ['cors', 'body-limit', 'jwt', 'tenant', 'mine'])
  })

  test('ask for an identity as the route says', () => {
    const routes = (['required', 'optional', 'none'] as const).map((auth) =>
      routeFor(auth, { path: `/${auth}` }, { auth }),
    )
    assert.deepEqual(kinds(at(routes, '/required', ASKING)), ['cors', 'jwt', 'tenant'])
    assert.deepEqual(kinds(at(routes, '/optional', ASKING)), ['cors', 'optional jwt', 'tenant'])
    assert.deepEqual(kinds(at(routes, '/none', ASKING)), ['cors'])
  })

  test('end in the redirect where it has one, and there is nowhere to forward to', () => {
    const ending = {
      kind: 'redirect',
      status: 308,
      scheme: null,
      host: null,
      port: null,
      path: '/b',
    } as const
    const route = at([routeFor('a', { path: '/a' }, { ending, auth: 'required' })], '/a', ASKING)
    assert.deepEqual([kinds(route), route.target], [['cors', 'jwt', 'tenant', 'redirect'], null])
    assert.deepEqual(JSON.parse(`{"x":1${route.logText}}`), { x: 1, route: 'a' })
  })

  // The attack: a field that a policy states on one route is the client's own word on every other.
  test('own their fields on every route, the operator’s own included', () => {
    const router = routerOf([routeFor('a', { path: '/a' })], { userOwned: ['x-mine'] })
    for (const path of ['/a', '/b', '/health'])
      assert.deepEqual([...router.match(parsedGet(path)).owned].sort(), ['x-company-id', 'x-mine'], path)
    const plan = router.match(parsedGet('/a')).target?.choices[0]?.plan
    assert.equal(plan?.strip.drops(parsedGet('/', 'X_Mine: evil'), 1), true)
  })
})

describe('a route’s target', () => {
  const other = {} as Upstream // is only handed on
  const upstreams = [
    upstreamOf('orders', 'http://a.test/base'),
    upstreamOf('canary', 'http://b.test/new/', { hostHeader: 'keep' }),
  ]
  const table = (...routes: readonly RouteConfig[]): ReturnType<SnapshotBuilder['finish']> => {
    const base = { ...planeConfig('http://a.test'), upstreams }
    const builder = new SnapshotBuilder(
      base,
      compileParts({
        upstreams: lookupOf({ orders: ORDERS, canary: other }),
      }),
    )
    for (const route of routes) builder.add([route])
    return builder.finish()
  }

  test('is each upstream with its weight, base path and Host', () => {
    const both = [
      { name: 'orders', weight: 90 },
      { name: 'canary', weight: 0 },
    ]
    const { target, logText } = table(
      routeFor('a', {}, { ending: { kind: 'forward', upstreams: both } }),
    ).match(parsedGet('/x'))
    assert.deepEqual(
      target?.choices.map(({ upstream, weight, plan }) => [
        upstream === other,
        weight,
        plan.basePath,
        plan.hostHeader,
      ]),
      [
        [false, 90, '/base', 'upstream'],
        [true, 0, '/new', 'keep'],
      ],
    )
    assert.equal(logText, ',"route":"a"')
  })

  test('has the route’s own limits, and leaves the others to the upstream', () => {
    const limitsOf = (own: Partial<RouteConfig>): object | undefined =>
      table(routeFor('a', {}, own)).match(parsedGet('/x')).target?.limits
    const none = { headMs: null, idleMs: null, totalMs: null, maxBodyBytes: Infinity }
    assert.deepEqual(limitsOf({}), none)
    assert.deepEqual(limitsOf({ timeouts: { headMs: 5, totalMs: 7 }, ...limited }), {
      ...none,
      headMs: 5,
      totalMs: 7,
      maxBodyBytes: 10,
    })
    assert.deepEqual(limitsOf({ timeouts: { totalMs: null } }), { ...none, totalMs: Infinity })
  })

  test('is the same object for routes that differ in nothing of it, and another where they do', () => {
    const rewrite = { stripPrefix: '/b', addPrefix: '' }
    const router = table(
      routeFor('a', { path: '/a' }),
      routeFor('b', { path: '/b' }),
      routeFor('c', { path: '/c' }, { rewrite }),
      routeFor('d', { path: '/d' }, { timeouts: { idleMs: 1 } }),
      routeFor('e', { path: '/e' }, limited),
    )
    const route = (path: string): Route => router.match(parsedGet(path))
    assert.equal(route('/a').target, route('/b').target)
    assert.equal(route('/a').policies, route('/b').policies)
    assert.equal(route('/a').target?.choices[0]?.plan, route('/d').target?.choices[0]?.plan)
    const targets = ['/a', '/c', '/d', '/e'].map((path) => route(path).target)
    assert.equal(new Set(targets).size, 4)
    assert.notEqual(route('/a').policies, route('/e').policies)
  })

  test('that is not configured is a defect of the config', () => {
    const ending = { kind: 'forward', upstreams: [{ name: 'gone', weight: 1 }] } as const
    assert.throws(() => table(routeFor('a', {}, { ending })), /route a leads to an unknown upstream: gone/)
  })
})

test('a table that came in slices is the one that came at once', () => {
  const routes = ['/a/*', '/a/b', '/:x', '/*'].map((path) => routeFor(path, { path }))
  const builder = new SnapshotBuilder(planeConfig('http://127.0.0.1:9'), compileParts())
  for (const route of [...routes].reverse()) builder.add([route])
  const sliced = builder.finish()
  const whole = routerOf(routes)
  for (const path of ['/a/b', '/a/c', '/b', '/b/c', '/'])
    assert.equal(endingOf(sliced, path), endingOf(whole, path), path)
})
