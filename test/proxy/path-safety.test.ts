import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isPathUnsafe } from '../../src/proxy/path-safety.ts'

// The attack: the gateway authorises one path and the server behind resolves another. `/api/v1/query/..%2fadmin` is
// below `query` to whoever does not decode, and is `/api/v1/admin` to whoever does.

const UNSAFE = [
  '/..',
  '/.',
  '/../',
  '/a/../b',
  '/a/./b',
  '/a/..',
  '/a/.',
  '/%2e',
  '/%2e%2e/b',
  '/a/.%2e/b',
  '/a/%2E%2e',
  '/a%2f..%2fb',
  '/..%2fb',
  '/a/..%2Fb',
  '/..%5cb',
  '/a%5cb',
  '/a\\b',
  '/a/..\\b',
  '/a/..;/b',
  '/a/..;x=1/b',
  '/a/.;/b',
  '/a/%2e%2e%3b/b',
  '/a%00b',
  '/a%0d%0ab',
  '/a%0Ab',
  '/a/..%00',
]

const SAFE = [
  '/',
  '/a/b/',
  '//',
  '/a//b',
  '/...',
  '/a/.../b',
  '/.well-known/x',
  '/a/..b',
  '/a/b..',
  '/a/.b;c',
  '/a/...;/b',
  '/a.b/c..d',
  '/a%20b',
  '/a%2fb',
  '/%C3%A9',
  '/a;..',
  '/a/;/b',
  '/%',
  '/%2',
  '/%zz/..a',
  '/a%2',
]

describe('a path is unsafe', () => {
  for (const path of UNSAFE) test(path, () => assert.equal(isPathUnsafe(path), true))
})

describe('a path is safe', () => {
  for (const path of SAFE) test(path, () => assert.equal(isPathUnsafe(path), false))
})

test('what is escaped twice is not unescaped twice: the upstream decodes once', () => {
  for (const path of ['/a/%252e%252e/b', '/a%252f..%252fb', '/%25%32%65%25%32%65/'])
    assert.equal(isPathUnsafe(path), false, path)
})

test('an asterisk-form target has no path to be unsafe', () => {
  assert.equal(isPathUnsafe('*'), false)
})
