import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Route } from '../../src/proxy/route.ts'
import { type PathEntry, type PrefixEntry, Router } from '../../src/worker/router.ts'
import { parsedRequest } from '../proxy/parsed-head.ts'

function route(name: string): Route {
  return { name, policies: [], owned: new Set(), target: null, logText: '' }
}

function entry(name: string, methods: readonly string[] = ['GET']): PathEntry {
  return { methods: new Set(methods), route: route(name), otherwise: route(`${name}, other method`) }
}

function prefixEntry(prefix: string, methods: readonly string[] = ['GET']): PrefixEntry {
  return { ...entry(`${prefix}/*`, methods), prefix }
}

const ENDINGS = { unreadable: route('unreadable'), unknown: route('unknown'), unsafe: route('unsafe') }

function routerOf(exact: readonly string[], prefixes: readonly string[]): Router {
  const entries = new Map(exact.map((path) => [path, entry(path)]))
  return new Router(
    entries,
    prefixes.map((prefix) => prefixEntry(prefix)),
    ENDINGS,
  )
}

function matched(router: Router, target: string, method = 'GET'): string | null {
  return router.match(parsedRequest(`${method} ${target} HTTP/1.1`, 'Host: gw.test')).name
}

describe('a path', () => {
  const router = routerOf(
    ['/', '/health', '/health/'],
    ['/api/v1/ingest', '/api/v1/query', '/api/v1/query/deep'],
  )

  test('belongs to a prefix below it, and is the prefix itself with and without its slash', () => {
    for (const target of [
      '/api/v1/query',
      '/api/v1/query/',
      '/api/v1/query/x/y',
      '/api/v1/query//',
      '/api/v1/query?a=/',
    ])
      assert.equal(matched(router, target), '/api/v1/query/*', target)
  })

  test('that merely begins like a prefix does not belong to it', () => {
    for (const target of [
      '/api/v1/querys',
      '/api/v1/query-x/y',
      '/api/v1/query%2fx',
      '/api/v1/query;x',
      '/api/v1/quer',
    ])
      assert.equal(matched(router, target), 'unknown', target)
  })

  // The attack: another spelling of a path that is another route, or none, to whoever decides who may ask.
  test('is matched as received: no letter is folded and nothing decoded', () => {
    for (const target of [
      '/API/v1/query/x',
      '/api/V1/query',
      '/%61pi/v1/query/x',
      '//api/v1/query',
      '/api//v1/query/x',
    ])
      assert.equal(matched(router, target), 'unknown', target)
  })

  test('that is unsafe leads nowhere, wherever it would belong', () => {
    for (const target of ['/api/v1/query/../ingest', '/api/v1/query/%2e%2e/x', '/..', '/health/..;/x'])
      assert.equal(matched(router, target), 'unsafe', target)
  })

  test('belongs to the longest prefix, whatever the order they were given in', () => {
    const prefixes = ['/a', '/a/b/c', '/a/b']
    for (const order of [prefixes, [...prefixes].reverse()]) {
      const own = routerOf([], order)
      assert.equal(matched(own, '/a/b/c/d'), '/a/b/c/*')
      assert.equal(matched(own, '/a/b/cd'), '/a/b/*')
      assert.equal(matched(own, '/a/bc'), '/a/*')
    }
  })

  test('that is written out wins over every prefix it lies below: the most specific counts', () => {
    const own = routerOf(['/a/b', '/health'], ['/a', ''])
    assert.equal(matched(own, '/a/b'), '/a/b')
    assert.equal(matched(own, '/a/b/c'), '/a/*')
    assert.equal(matched(own, '/health'), '/health')
    assert.equal(matched(own, '/healthy'), '/*')
  })

  test('that is written out is exactly that', () => {
    assert.equal(matched(router, '/health'), '/health')
    assert.equal(matched(router, '/health?x'), '/health')
    assert.equal(matched(router, '/healthx'), 'unknown')
    assert.equal(matched(router, '/health/x'), 'unknown')
  })

  test('of an absolute-form target is what stands behind the authority', () => {
    assert.equal(matched(router, 'http://other.test/api/v1/query/x'), '/api/v1/query/*')
    assert.equal(matched(router, 'http://other.test'), '/')
    assert.equal(matched(router, 'http://other.test?/api/v1/query'), '/')
  })
})

describe('a method', () => {
  const router = new Router(
    new Map([['/', entry('/', ['GET', 'HEAD'])]]),
    [prefixEntry('/a', ['GET', 'PUT'])],
    ENDINGS,
  )

  test('that is allowed leads to the route, any other to its refusal', () => {
    assert.equal(matched(router, '/a/x', 'PUT'), '/a/*')
    assert.equal(matched(router, '/a/x', 'POST'), '/a/*, other method')
    assert.equal(matched(router, '/', 'HEAD'), '/')
    assert.equal(matched(router, '/', 'OPTIONS'), '/, other method')
  })

  test('is case-sensitive', () => {
    for (const method of ['get', 'Get', 'GETX'])
      assert.equal(matched(router, '/a', method), '/a/*, other method')
  })

  test('makes no path known', () => {
    assert.equal(matched(router, '/b', 'PUT'), 'unknown')
  })
})

test('what never became a request has a route of its own', () => {
  assert.equal(routerOf([], []).unreadable.name, 'unreadable')
})
