import assert from 'node:assert/strict'
import { test } from 'node:test'
import { upstreamUrl } from '../../src/config/upstream-url.ts'

test('an upstream’s URL has a host to dial, an authority to ask for and a base path without its last slash', () => {
  const rows = [
    ['http://orders', 'orders', 80, false, 'orders', 'orders:80', ''],
    ['http://orders:80/', 'orders', 80, false, 'orders', 'orders:80', ''],
    ['http://orders:8080/base', 'orders', 8_080, false, 'orders:8080', 'orders:8080', '/base'],
    ['http://orders:8080/base/', 'orders', 8_080, false, 'orders:8080', 'orders:8080', '/base'],
    ['https://orders', 'orders', 443, true, 'orders', 'orders:443', ''],
    ['https://orders:80/a/b', 'orders', 80, true, 'orders:80', 'orders:80', '/a/b'],
    ['http://127.0.0.1:9', '127.0.0.1', 9, false, '127.0.0.1:9', '127.0.0.1:9', ''],
    ['http://[::1]:9/x', '::1', 9, false, '[::1]:9', '[::1]:9', '/x'],
    ['http://[2001:db8::1]', '2001:db8::1', 80, false, '[2001:db8::1]', '[2001:db8::1]:80', ''],
  ] as const
  for (const [text, host, port, tls, authority, target, basePath] of rows)
    assert.deepEqual(upstreamUrl(text), { host, port, tls, authority, target, basePath }, text)
})
