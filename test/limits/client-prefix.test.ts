import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientPrefix } from '../../src/limits/client-prefix.ts'

test('a client is known by its IPv4 address or its IPv6 network, however they are written', () => {
  const prefixes: Readonly<Record<string, string>> = {
    '192.0.2.1': '192.0.2.1',
    '::ffff:192.0.2.1': '192.0.2.1',
    '::FFFF:192.0.2.1': '192.0.2.1',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2',
    '2001:DB8:01:0002::': '2001:db8:1:2',
    '2001:db8::1': '2001:db8:0:0',
    '2001:db8::2:3:4:5:6': '2001:db8:0:2',
    '::1': '0:0:0:0',
    '::': '0:0:0:0',
    '64:ff9b::192.0.2.1': '64:ff9b:0:0',
    '::1:2:3:4:5:192.0.2.1': '0:1:2:3',
    'fe80::1%eth0': 'fe80:0:0:0',
  }
  for (const [address, prefix] of Object.entries(prefixes))
    assert.equal(clientPrefix(address), prefix, address)
})
