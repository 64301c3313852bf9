import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RouteConfig } from '../../src/config/config.ts'
import { endingOf, routeFor, routerOf, routesOf } from './table.ts'

/** Each request's ending, whichever way round the routes are given. */
function check(
  routes: readonly RouteConfig[],
  endings: Readonly<Record<string, string>>,
  ...lines: readonly string[]
): void {
  for (const order of [routes, [...routes].reverse()]) {
    const router = routerOf(order)
    for (const [target, ending] of Object.entries(endings))
      assert.equal(endingOf(router, target, ...lines), ending, target)
  }
}

describe('a path', () => {
  test('belongs to a prefix below it, and is the prefix itself with and without its slash', () => {
    check(routesOf('/api/v1/query/*', '/api/v1/ingest/*'), {
      '/api/v1/query': '/api/v1/query/*',
      '/api/v1/query/': '/api/v1/query/*',
      '/api/v1/query/x/y': '/api/v1/query/*',
      '/api/v1/query//': '/api/v1/query/*',
      '/api/v1/query?a=/': '/api/v1/query/*',
    })
  })

  test('that merely begins like a prefix does not belong to it', () => {
    check(routesOf('/api/v1/query/*'), {
      '/api/v1/querys': '404',
      '/api/v1/query-x/y': '404',
      '/api/v1/query%2fx': '404',
      '/api/v1/query;x': '404',
      '/api/v1/quer': '404',
    })
  })

  // The attack: another spelling of a path that is another route, or none, to whoever decides who may ask.
  test('is matched as received: no letter is folded and nothing decoded', () => {
    check(routesOf('/api/v1/query/*', '/a/:id/c'), {
      '/API/v1/query/x': '404',
      '/api/V1/query': '404',
      '/%61pi/v1/query/x': '404',
      '//api/v1/query': '404',
      '/api//v1/query/x': '404',
      '/a/b%2Fc/c': '/a/:id/c',
      '/a/b%2Fc': '404',
    })
  })

  // The attack: a route whose name is cut down to bytes is another route.
  test('beyond what a request can spell is never found, and takes no other’s place', () => {
    check(routesOf('/\u0161', '/\u0161b/*', '/a/\u0162'), { '/a': '404', '/ab': '404', '/a/b': '404' })
  })

  test('that is unsafe leads nowhere, wherever it would belong', () => {
    check(routesOf('/api/*', '/*'), {
      '/api/../ingest': '400',
      '/api/%2e%2e/x': '400',
      '/..': '400',
      '/health/..;/x': '400',
      '/api/..%5cx': '400',
    })
  })

  test('that is written out is exactly that', () => {
    check(routesOf('/a/b', '/a/c/'), {
      '/a/b': '/a/b',
      '/a/b?x': '/a/b',
      '/a/b/': '404',
      '/a/bx': '404',
      '/a/c/': '/a/c/',
      '/a/c': '404',
    })
  })

  test('has any one segment where a parameter stands, but no empty one', () => {
    check(routesOf('/users/:id', '/users/:id/posts/:post', '/:a/x/*'), {
      '/users/7': '/users/:id',
      '/users/7%20;v=1': '/users/:id',
      '/users/': '404',
      '/users': '404',
      '/users/7/': '404',
      '/users/7/posts/1': '/users/:id/posts/:post',
      '/users/7/posts': '404',
      '/users//posts/1': '404',
      '/q/x': '/:a/x/*',
      '/q/x/y': '/:a/x/*',
      '/q/xy': '404',
    })
  })

  test('of an absolute-form target is what stands behind the authority', () => {
    check(routesOf('/a/*', '/'), {
      'http://other.test/a/x': '/a/*',
      'http://other.test': '/',
      'http://other.test?/a/x': '/',
    })
  })

  test('that is an asterisk is nobody’s', () => {
    check(routesOf('OPTIONS /*'), { 'OPTIONS *': '404' })
  })
})

describe('of several paths', () => {
  test('the longest prefix wins', () => {
    check(routesOf('/a/*', '/a/b/c/*', '/a/b/*', '/*'), {
      '/a/b/c/d': '/a/b/c/*',
      '/a/b/cd': '/a/b/*',
      '/a/bc': '/a/*',
      '/b': '/*',
    })
  })

  test('a literal wins over a parameter, and a parameter over a wildcard', () => {
    check(routesOf('/a/b', '/a/:id', '/a/*', '/a/:id/*'), {
      '/a/b': '/a/b',
      '/a/c': '/a/:id',
      '/a/c/d': '/a/:id/*',
      '/a/b/c': '/a/:id/*',
      '/a': '/a/*',
      '/a/': '/a/*',
    })
  })

  test('the first segment that differs decides', () => {
    check(routesOf('/a/:x/c', '/:x/b/c', '/a/b/:x'), {
      '/a/b/c': '/a/b/:x',
      '/a/z/c': '/a/:x/c',
      '/z/b/c': '/:x/b/c',
    })
  })

  test('the less specific is taken where the more specific leads no further', () => {
    check(routesOf('/a/foo/x', '/a/:id/y', '/a/*'), {
      '/a/foo/x': '/a/foo/x',
      '/a/foo/y': '/a/:id/y',
      '/a/foo/z': '/a/*',
      '/a/foobar/y': '/a/:id/y',
    })
  })
})

describe('a method', () => {
  test('that a path’s own route does not take is left to the next less specific one', () => {
    check(routesOf('GET /a/b', 'POST /a/:id', 'PUT,DELETE /a/*', 'PATCH /*'), {
      'GET /a/b': 'GET /a/b',
      'POST /a/b': 'POST /a/:id',
      'DELETE /a/b': 'PUT,DELETE /a/*',
      'PATCH /a/b': 'PATCH /*',
    })
  })

  test('that nothing takes is refused with all that would be taken there', () => {
    check(routesOf('GET /a/b', 'POST,GET /a/:id', 'PUT /c/*'), {
      'TRACE /a/b': '405 GET, POST',
      'TRACE /a/x': '405 POST, GET',
      'GET /c': '405 PUT',
      'GET /d': '404',
    })
  })

  test('is case-sensitive', () => {
    check(routesOf('GET /a'), { 'get /a': '405 GET', 'GETX /a': '405 GET' })
  })

  test('that fewer routes name is the more specific', () => {
    check(routesOf('GET,POST /a', 'GET /a'), { 'GET /a': 'GET /a', 'POST /a': 'GET,POST /a' })
  })
})

describe('a host', () => {
  const routes = routesOf('api.a.test/x', '*.a.test/x', '*.b.a.test/x', '/x', '/y')
  const at = (host: string, target = '/x'): string => endingOf(routerOf(routes), target, `Host: ${host}`)

  test('that is exact wins over a wildcard, a longer wildcard over a shorter, and any over none', () => {
    assert.equal(at('api.a.test'), 'api.a.test/x')
    assert.equal(at('c.b.a.test'), '*.b.a.test/x')
    assert.equal(at('b.a.test'), '*.a.test/x')
    assert.equal(at('d.c.a.test'), '*.a.test/x')
    assert.equal(at('a.test'), '/x')
    assert.equal(at('xa.test'), '/x')
    assert.equal(at('a.test.evil.test'), '/x')
  })

  test('is compared without its port, the dot of the root and the case of its letters', () => {
    for (const host of ['API.A.test', 'api.a.test:8080', 'api.a.test.', 'Api.A.Test.:80', 'api.a.test:'])
      assert.equal(at(host), 'api.a.test/x', host)
    assert.equal(endingOf(routerOf(routesOf('[::1]/x')), '/x', 'Host: [::1]:80'), '[::1]/x')
    assert.equal(endingOf(routerOf(routesOf('[::1]/x')), '/x', 'Host: [::1]'), '[::1]/x')
    assert.equal(endingOf(routerOf(routesOf('10.0.0.1/x')), '/x', 'Host: 10.0.0.1'), '10.0.0.1/x')
  })

  test('is the authority’s of an absolute-form target', () => {
    assert.equal(at('other.test', 'http://api.a.test/x'), 'api.a.test/x')
  })

  test('that has nothing for the request gives way to the next', () => {
    assert.equal(at('api.a.test', '/y'), '/y')
    assert.equal(at('api.a.test', '/z'), '404')
    const router = routerOf(routesOf('GET api.a.test/*', 'POST *.a.test/x', 'PUT /x/*'))
    const as = (method: string): string => endingOf(router, `${method} /x`, 'Host: api.a.test')
    assert.deepEqual(
      [as('GET'), as('POST'), as('PUT'), as('TRACE')],
      ['GET api.a.test/*', 'POST *.a.test/x', 'PUT /x/*', '405 GET, POST, PUT'],
    )
  })

  test('counts before the path: a catch-all of the host wins over a literal of none', () => {
    assert.equal(endingOf(routerOf(routesOf('a.test/*', '/x/y')), '/x/y', 'Host: a.test'), 'a.test/*')
  })

  test('of several that one route names leads to it', () => {
    const router = routerOf([routeFor('both', { hosts: ['a.test', '*.b.test'], path: '/x' })])
    assert.deepEqual(
      ['a.test', 'c.b.test', 'b.test'].map((host) => endingOf(router, '/x', `Host: ${host}`)),
      ['both', 'both', '404'],
    )
  })
})

describe('conditions', () => {
  const field = (name: string, value: string): { name: string; value: string } => ({ name, value })

  test('all have to be met, and more of them win over fewer', () => {
    const beta = [field('x-beta', '1')]
    const routes = [
      routeFor('plain', { path: '/a' }),
      routeFor('beta', { path: '/a', headers: beta }),
      routeFor('beta two', { path: '/a', headers: beta, query: [field('v', '2')] }),
    ]
    check(routes, { '/a': 'plain', '/a?v=2': 'plain' })
    check(routes, { '/a': 'beta', '/a?v=2': 'beta two', '/a?v=3': 'beta' }, 'X-BETA: 1')
    check(routes, { '/a': 'plain' }, 'X-Beta: 11')
    check(routes, { '/a': 'plain' }, 'X-Beta: 2', 'X-Beta: 1')
  })

  test('that are not met leave the request to a less specific path', () => {
    const routes = [
      routeFor('beta', { path: '/a/b', headers: [field('x-beta', '1')] }),
      routeFor('all', { path: '/a/*', methods: ['GET'] }),
    ]
    check(routes, { '/a/b': 'all', 'POST /a/b': '405 GET' })
    check(routes, { '/a/b': 'beta' }, 'X-Beta: 1')
  })

  test('where nothing else is there make the path unknown', () => {
    check([routeFor('beta', { path: '/a', headers: [field('x-beta', '1')] })], {
      '/a': '404',
      'PUT /a': '404',
    })
  })

  test('of a query speak of the first parameter of that name, as written', () => {
    const routes = [routeFor('two', { path: '/a', query: [field('v', '2')] })]
    check(routes, {
      '/a?v=2': 'two',
      '/a?x=1&v=2&v=3': 'two',
      '/a?&v=2': 'two',
      '/a?v=3&v=2': '404',
      '/a?v=22': '404',
      '/a?v=%32': '404',
      '/a?V=2': '404',
      '/a?xv=2': '404',
      '/a?v': '404',
      '/a?': '404',
      '/a': '404',
    })
    check([routeFor('empty', { path: '/a', query: [field('v', '')] })], {
      '/a?v': 'empty',
      '/a?v=': 'empty',
      '/a?v=1': '404',
      '/a?w': '404',
      '/a': '404',
    })
  })

  test('count before methods, fields before parameters, and names decide last', () => {
    check(
      [
        routeFor('z field', { path: '/a', headers: [field('x', '1')] }),
        routeFor('b query', { path: '/a', query: [field('q', '1')] }),
        routeFor('a query', { path: '/a', query: [field('r', '1')] }),
        routeFor('only get', { path: '/a', methods: ['GET'] }),
      ],
      { '/a?q=1&r=1': 'z field' },
      'X: 1',
    )
    check(
      [
        routeFor('b query', { path: '/a', query: [field('q', '1')] }),
        routeFor('a query', { path: '/a', query: [field('r', '1')] }),
      ],
      { '/a?q=1&r=1': 'a query' },
    )
  })
})

describe('a preflight', () => {
  const asks = (method: string, ...more: readonly string[]): readonly string[] => [
    'Origin: https://app.test',
    `Access-Control-Request-Method: ${method}`,
    ...more,
  ]

  test('is answered with all the methods of the path where the one it asks for is among them', () => {
    const routes = routesOf('GET /a/b', 'POST /a/*')
    check(routes, { 'OPTIONS /a/b': '204 GET, POST', 'OPTIONS /a/c': '405 POST' }, ...asks('GET'))
    check(routes, { 'OPTIONS /a/b': '405 GET, POST', 'OPTIONS /c': '404' }, ...asks('PUT'))
  })

  test('is answered by the gateway although a route takes OPTIONS itself', () => {
    const routes = routesOf('GET /a', 'OPTIONS /a')
    check(routes, { 'OPTIONS /a': 'OPTIONS /a' })
    check(routes, { 'OPTIONS /a': 'OPTIONS /a' }, ...asks('PUT'))
    assert.match(endingOf(routerOf(routes), 'OPTIONS /a', ...asks('GET')), /^204 .*GET/)
  })

  // It carries none of the fields the request it asks for will have.
  test('is answered for a route that asks for a field', () => {
    const beta = routeFor('beta', { path: '/a', methods: ['PUT'], headers: [{ name: 'x-beta', value: '1' }] })
    check([beta], { 'OPTIONS /a': '204 PUT' }, ...asks('PUT', 'Access-Control-Request-Headers: x-beta'))
  })
})

describe('the gateway’s own', () => {
  test('health wins on every host and over every path, by whatever method', () => {
    const routes = routesOf('/health', 'gw.test/health', 'gw.test/*', '/health/*', '/:any')
    check(routes, {
      '/health': '200',
      '/health/live': '200',
      '/health/ready': '200',
      'POST /health': '405 GET, HEAD',
    })
    check(routes, { '/health/': '307', '/health/x': 'gw.test/*' })
    check(
      routes,
      { 'OPTIONS /health': '405 GET, HEAD' },
      'Origin: https://a',
      'Access-Control-Request-Method: PUT',
    )
  })

  test('pages give way to a route for the same path, and to every one of a host, but not to a catch-all', () => {
    check(routesOf('/*'), { '/docs': '200', '/docs/page.js': '200', '/': '/*', '/x': '/*' })
    check(routesOf('/docs'), { '/docs': '/docs', '/docs/page.js': '200' })
    check(routesOf('/docs/*', '/'), { '/docs': '/docs/*', '/docs/page.js': '/docs/*', '/': '/' })
    check(routesOf('gw.test/*'), { '/docs': 'gw.test/*', '/': 'gw.test/*' })
    check(routesOf('other.test/*'), { '/docs': '200', '/': '200' })
  })

  test('pages with a slash too many lead to the one without', () => {
    check([], { '/docs/': '307', '/health/live/': '307', '/docs/x': '404' })
  })
})

test('what never became a request has a route of its own', () => {
  const { unreadable } = routerOf([])
  assert.deepEqual([unreadable.name, unreadable.target, unreadable.policies], [null, null, []])
})
