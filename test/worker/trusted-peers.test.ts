import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { trustedPeers } from '../../src/worker/trusted-peers.ts'

describe('trusted peers', () => {
  test('are none where none are listed', () => {
    assert.equal(trustedPeers([]), null)
  })

  test('are single addresses and those of ranges, of both families', () => {
    const trusts = trustedPeers(['192.0.2.1', '10.0.0.0/8', '172.16.4.0/22', '2001:db8::/32', '::1'])
    assert.ok(trusts !== null)
    const trusted = [
      '192.0.2.1',
      '10.0.0.0',
      '10.255.255.255',
      '172.16.7.255',
      '2001:db8::5',
      '2001:DB8:1::',
      '::1',
      '0:0:0:0:0:0:0:1',
    ]
    const others = ['192.0.2.2', '11.0.0.0', '9.255.255.255', '172.16.8.0', '2001:db9::', '::2', '127.0.0.1']
    for (const address of trusted) assert.equal(trusts(address), true, address)
    for (const address of others) assert.equal(trusts(address), false, address)
  })

  test('of a whole family are all of that family', () => {
    const trusts = trustedPeers(['0.0.0.0/0'])
    assert.equal(trusts?.('203.0.113.9'), true)
    assert.equal(trusts?.('2001:db8::1'), false)
  })

  // The attack: text from a forwarded chain that is no address must not be taken for one of ours.
  test('are never what is no address', () => {
    const trusts = trustedPeers(['0.0.0.0/0', '::/0'])
    for (const text of [
      '',
      'unknown',
      '10.0.0',
      '10.0.0.1:80',
      '[::1]',
      '010.0.0.1',
      '10.0.0.1 ',
      '1.2.3.4.5',
      '0x0a000001',
    ])
      assert.equal(trusts?.(text), false, text)
  })
})
