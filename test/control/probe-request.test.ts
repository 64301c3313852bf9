import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { UpstreamTlsConfig } from '../../src/config/config.ts'
import { probeEndpoint } from '../../src/control/probe-request.ts'
import type { LiveEndpoint } from '../../src/upstreams/live-upstream.ts'
import { Authority } from '../support/certificate.ts'
import { settled } from '../support/manual-time.ts'
import { echo, Origin, response } from '../support/origin.ts'
import { until } from '../support/until.ts'

function endpointAt(port: number, own: Partial<LiveEndpoint> = {}): LiveEndpoint {
  const host = 'service.test'
  const authority = `${host}:${port}`
  return {
    ...{ slot: 0, address: '127.0.0.1', family: 4, port, tls: false, host },
    authority,
    target: authority,
    ...own,
  }
}

function probed(endpoint: LiveEndpoint, tls: UpstreamTlsConfig | null = null): Promise<string | null> {
  return new Promise((resolve) => void probeEndpoint({ endpoint, path: '/base/health?x=1', tls }, resolve))
}

describe('a health check', () => {
  test('asks for its path with GET, by the name the endpoint has', async () => {
    await using origin = await Origin.start((_, reply) => reply.write(response('204 No Content')))
    assert.equal(await probed(endpointAt(origin.port)), null)
    const { method, target } = origin.last
    assert.deepEqual([method, target], ['GET', '/base/health?x=1'])
    assert.equal(origin.last.get('host'), `service.test:${origin.port}`)
  })

  for (const [status, fault] of [
    [200, null],
    [399, null],
    [400, 'status 400'],
    [503, 'status 503'],
  ] as const) {
    test(`takes ${status} for ${fault === null ? 'healthy' : 'a failure'}, whatever body follows`, async () => {
      await using origin = await Origin.start((_, reply) =>
        reply.write(`HTTP/1.1 ${status} X\r\nContent-Length: 1000000\r\n\r\nstart`),
      )
      assert.equal(await probed(endpointAt(origin.port)), fault)
      await until('the end of the connection', () => origin.open === 0)
    })
  }

  test('says in a word why there was no answer', async () => {
    await using origin = await Origin.start((_, reply) => reply.reset())
    assert.equal(await probed(endpointAt(origin.port)), 'ECONNRESET')
    await using garbled = await Origin.start((_, reply) => reply.end('not HTTP at all\r\n\r\n'))
    assert.match(String(await probed(endpointAt(garbled.port))), /^HPE_/)
  })

  test('takes what cannot even be asked for a failure', async () => {
    const endpoint = endpointAt(9)
    const fault = await new Promise((resolve) => {
      probeEndpoint({ endpoint, path: '/a b', tls: null }, resolve)
    })
    assert.equal(fault, 'ERR_UNESCAPED_CHARACTERS')
    const tls = { ca: 'no PEM', certificate: 'no PEM', key: 'no PEM', serverName: null }
    assert.match(String(await probed(endpointAt(9, { tls: true }), tls)), /./)
  })

  test('tells nothing once it is given up, and leaves no connection', async () => {
    await using origin = await Origin.start((_, reply) => reply.gone)
    let told = 0
    const giveUp = probeEndpoint({ endpoint: endpointAt(origin.port), path: '/', tls: null }, () => {
      told++
    })
    await until('the connection', () => origin.seen.length === 1)
    giveUp()
    await until('the end of the connection', () => origin.open === 0)
    await settled()
    assert.equal(told, 0)
  })

  test('verifies the certificate, by the upstream’s own options', async () => {
    using authority = new Authority()
    await using origin = await Origin.start(echo, { tls: authority.issue('DNS:service.test') })
    const endpoint = endpointAt(origin.port, { tls: true })
    const none = { ca: null, certificate: null, key: null, serverName: null }
    const ca = readFileSync(authority.file, 'utf8')
    assert.match(String(await probed(endpoint, none)), /CERT|SIGNATURE/)
    assert.equal(await probed(endpoint, { ...none, ca }), null)
    const other = await probed(endpoint, { ...none, ca, serverName: 'other.test' })
    assert.equal(other, 'ERR_TLS_CERT_ALTNAME_INVALID')
    const byAddress = endpointAt(origin.port, { tls: true, host: '127.0.0.1' })
    assert.equal(await probed(byAddress, { ...none, ca }), 'ERR_TLS_CERT_ALTNAME_INVALID')
    assert.equal(await probed(byAddress, { ...none, ca, serverName: 'service.test' }), null)
  })
})
