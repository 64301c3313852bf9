import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Origin, Peer } from '../../src/proxy/forwarded.ts'
import { parsedGet, parsedRequest } from './parsed-head.ts'

const PEER = '10.0.0.9'
const trusts = (address: string): boolean => address.startsWith('10.')

function fromProxy(...lines: readonly string[]): Origin {
  return new Peer(PEER, trusts).originOf(parsedGet('/', ...lines))
}

/** X-Forwarded-For as the upstream gets it. */
function chainOf(origin: Origin): string {
  return /^X-Forwarded-For: (.*)\r\n/.exec(origin.lines)?.[1] ?? ''
}

describe('a peer that is not trusted', () => {
  // The attack: a client names another address, scheme or host for itself, to pass address lists and limits.
  test('is the client, whatever its forwarding fields say', () => {
    const lines = ['X-Forwarded-For: 203.0.113.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: admin.test']
    for (const trust of [null, trusts]) {
      const origin = new Peer('192.0.2.1', trust).originOf(parsedGet('/', ...lines))
      assert.equal(origin.clientIp, '192.0.2.1')
      assert.equal(origin.trusted, false)
      assert.equal(origin.scheme, 'http')
      assert.equal(
        origin.lines,
        'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: gw.test\r\n',
      )
    }
  })

  test('that names no host states none', () => {
    const origin = new Peer('192.0.2.1', null).originOf(parsedRequest('GET / HTTP/1.0'))
    assert.equal(origin.lines, 'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n')
  })
})

// The fault: what is kept with a connection for speed is told of the next request on it, which asks for another host.
test('each request of one peer has its own host and its own chain', () => {
  const hosts = ['a.test', 'b.test', 'b.test', 'a.test']
  for (const trust of [null, trusts]) {
    const peer = new Peer(PEER, trust)
    for (const [index, host] of hosts.entries()) {
      const lines = [`X-Forwarded-For: 203.0.113.${index}`, 'X-Forwarded-Proto: https'].slice(index % 2)
      const head = parsedRequest('GET / HTTP/1.1', `Host: ${host}`, ...lines)
      const origin = peer.originOf(head)
      assert.ok(origin.lines.endsWith(`X-Forwarded-Host: ${host}\r\n`), origin.lines)
      const isContinued = trust !== null && index % 2 === 0
      assert.equal(origin.clientIp, isContinued ? `203.0.113.${index}` : PEER)
      assert.equal(origin.scheme, trust === null ? 'http' : 'https')
    }
  }
})

describe('a trusted proxy', () => {
  test('that forwards nothing is the client itself', () => {
    const origin = fromProxy()
    assert.deepEqual([origin.clientIp, origin.scheme, chainOf(origin)], [PEER, 'http', PEER])
  })

  test('is appended to its chain, and its client believed', () => {
    const origin = fromProxy(
      'X-Forwarded-For: 203.0.113.1',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: shop.test',
    )
    assert.equal(origin.clientIp, '203.0.113.1')
    assert.equal(origin.scheme, 'https')
    assert.equal(
      origin.lines,
      `X-Forwarded-For: 203.0.113.1, ${PEER}\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.test\r\n`,
    )
  })

  test('may send its chain in several fields', () => {
    const origin = fromProxy('X-Forwarded-For: 203.0.113.1', 'X-Forwarded-For:', 'x-forwarded-for: 10.0.0.2')
    assert.equal(chainOf(origin), `203.0.113.1, 10.0.0.2, ${PEER}`)
    assert.equal(origin.clientIp, '203.0.113.1')
  })

  // The attack: whatever stands left of the first address that is not a trusted proxy's was written by that client.
  test('is believed as far as its own kind vouches, and not further to the left', () => {
    assert.equal(fromProxy('X-Forwarded-For: 198.51.100.66, 203.0.113.1, 10.0.0.2').clientIp, '203.0.113.1')
    assert.equal(fromProxy('X-Forwarded-For: 10.6.6.6, 203.0.113.1').clientIp, '203.0.113.1')
    assert.equal(fromProxy('X-Forwarded-For: 10.0.0.1, 10.0.0.2').clientIp, '10.0.0.1')
  })

  test('that forwards what is no address is itself the last that is known', () => {
    for (const chain of ['unknown', '_hidden', '"]} ,203.0.113.1,x', '', ',', `${'1'.repeat(46)}`])
      assert.equal(fromProxy(`X-Forwarded-For: ${chain}`).clientIp, PEER, chain)
    assert.equal(fromProxy('X-Forwarded-For: nonsense, 10.0.0.2').clientIp, '10.0.0.2')
  })

  test('may forward an IPv6 client', () => {
    assert.equal(fromProxy('X-Forwarded-For: 2001:db8::1').clientIp, '2001:db8::1')
  })

  test('may say of the scheme what there is, in any case', () => {
    for (const scheme of ['http', 'https', 'ws', 'wss'])
      assert.equal(fromProxy(`X-Forwarded-Proto: ${scheme.toUpperCase()}`).scheme, scheme)
  })

  // The attack: a proxy passes on what its client says, and a redirect that others get from a cache leads to them.
  test('that forwards another scheme is believed in none', () => {
    for (const scheme of ['https://evil.test/?', 'javascript', '"}]', 'https, http', 'http:', '']) {
      const origin = fromProxy(`X-Forwarded-Proto: ${scheme}`)
      assert.deepEqual([origin.scheme, origin.lines.includes('X-Forwarded-Proto: http\r\n')], ['http', true])
    }
  })

  test('that contradicts itself about scheme or host is believed in neither', () => {
    const origin = fromProxy(
      'X-Forwarded-Proto: https',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: a',
      'X-Forwarded-Host: b',
    )
    assert.equal(origin.scheme, 'http')
    assert.match(origin.lines, /X-Forwarded-Host: gw\.test\r\n$/)
  })
})
