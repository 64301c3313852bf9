import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RedirectConfig } from '../../src/config/config.ts'
import { redirectPolicy } from '../../src/policies/redirect.ts'
import { Exchange } from '../../src/proxy/exchange.ts'
import { compileRewrite } from '../../src/proxy/path-rewrite.ts'
import { routeOwning } from '../proxy/exchange-of.ts'
import { parsedRequest } from '../proxy/parsed-head.ts'

const AS_RECEIVED: RedirectConfig = { status: 302, scheme: null, host: null, port: null, path: null }

/** Status and Location for `GET target` with these lines. */
function redirected(
  redirect: Partial<RedirectConfig>,
  target: string,
  rewrite: readonly [strip: string, add: string] | null = null,
  lines: readonly string[] = ['Host: a.test'],
): string {
  const head = parsedRequest(`GET ${target} HTTP/1.${lines.length === 0 ? 0 : 1}`, ...lines)
  const exchange = new Exchange(head, routeOwning(), '192.0.2.7', 'http', 'id', 0)
  const [stripPrefix = '', addPrefix = ''] = rewrite ?? []
  const policy = redirectPolicy({ ...AS_RECEIVED, ...redirect }, compileRewrite({ stripPrefix, addPrefix }))
  const verdict = policy.admit(exchange)
  assert.ok(verdict !== null && !(verdict instanceof Promise) && verdict.kind === 'answer')
  assert.equal(verdict.body.length, 0)
  return `${verdict.status} ${verdict.fields.replace(/^Location: (.*)\r\n$/, '$1')}`
}

describe('a redirect', () => {
  test('leads to the request’s own parts where it names none, the query always with it', () => {
    assert.equal(redirected({}, '/a%2Fb?c=/d&e'), '302 http://a.test/a%2Fb?c=/d&e')
    assert.equal(redirected({ status: 308 }, '/', null, ['Host: a.test:8080']), '308 http://a.test:8080/')
    assert.equal(redirected({}, 'http://b.test:81?q'), '302 http://b.test:81/?q')
  })

  test('to another scheme means that scheme’s port', () => {
    const lines = ['Host: a.test:8080']
    assert.equal(redirected({ scheme: 'https' }, '/a', null, lines), '302 https://a.test/a')
    assert.equal(redirected({ scheme: 'https', port: 8443 }, '/a', null, lines), '302 https://a.test:8443/a')
    assert.equal(redirected({ scheme: 'https', port: 443 }, '/a', null, lines), '302 https://a.test/a')
  })

  test('to another host keeps the port that was asked, and an IPv6 address its brackets', () => {
    assert.equal(redirected({ host: 'b.test' }, '/a', null, ['Host: a.test:81']), '302 http://b.test:81/a')
    assert.equal(redirected({ host: 'b.test', port: 80 }, '/a'), '302 http://b.test/a')
    assert.equal(redirected({ port: 82 }, '/a', null, ['Host: [::1]:81']), '302 http://[::1]:82/a')
    assert.equal(redirected({}, '/a', null, ['Host: [::1]']), '302 http://[::1]/a')
  })

  test('to another path keeps the query; without one, the path is the rewritten one', () => {
    assert.equal(redirected({ path: '/new' }, '/old?x=1', ['/old', '/other']), '302 http://a.test/new?x=1')
    assert.equal(redirected({}, '/old/a?x=1', ['/old', '/new']), '302 http://a.test/new/a?x=1')
    assert.equal(redirected({}, '/old', ['/old', '']), '302 http://a.test/')
  })

  // The attack: `//evil.test` on a site that redirects within itself, so that its visitors follow it to another.
  test('never takes a path for a host', () => {
    assert.equal(redirected({}, '//evil.test/a'), '302 http://a.test//evil.test/a')
    assert.equal(redirected({}, '//evil.test/a?b', null, []), '302 /evil.test/a?b')
    assert.equal(redirected({}, '/old//evil.test', ['/old', ''], []), '302 /evil.test')
  })
})
