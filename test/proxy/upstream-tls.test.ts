import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { UpstreamTlsConfig } from '../../src/config/config.ts'
import { Authority } from '../support/certificate.ts'
import { Origin, response } from '../support/origin.ts'
import { type RawResponse, request } from '../support/raw-client.ts'
import { PlaneStage, planeConfig, upstreamConfig } from '../worker/open-plane.ts'

const NOTHING: UpstreamTlsConfig = { ca: null, certificate: null, key: null, serverName: null }

describe('an https upstream', () => {
  let authority: Authority
  let stranger: Authority
  let ca: string
  let origin: Origin
  /** Names the origin was asked for. */
  const asked: (string | false | null)[] = []

  before(async () => {
    authority = new Authority()
    stranger = new Authority()
    ca = readFileSync(authority.file, 'utf8')
    origin = await Origin.start(
      (_, reply) => {
        asked.push((reply.socket as TLSSocket).servername) // the origin speaks TLS
        return reply.write(response('200 OK', [], 'secret'))
      },
      { tls: authority.issue('DNS:orders.internal', 'IP:127.0.0.1') },
    )
  })
  after(async () => {
    await origin[Symbol.asyncDispose]()
    authority[Symbol.dispose]()
    stranger[Symbol.dispose]()
  })

  async function ask(url: string, tls: UpstreamTlsConfig | null): Promise<RawResponse> {
    await using plane = await PlaneStage.open(planeConfig(url, { upstreams: [upstreamConfig(url, { tls })] }))
    using client = await plane.connect()
    return await client.ask(request('GET', '/open/x'))
  }

  test('is believed with a certificate of the authority configured for it, by its address', async () => {
    assert.equal((await ask(origin.url, { ...NOTHING, ca })).text, 'secret')
    assert.equal(asked.at(-1), false)
  })

  test('is asked for and verified by the name configured for it', async () => {
    const { port } = origin
    const got = await ask(`https://127.0.0.1:${port}`, { ...NOTHING, ca, serverName: 'orders.internal' })
    assert.equal(got.text, 'secret')
    assert.equal(asked.at(-1), 'orders.internal')
  })

  // The attack: whoever stands between gateway and upstream shows a certificate that is good, for another name or by
  // an authority of its own.
  test('is not believed by another name, by another authority, or by the system’s', async () => {
    const { length } = origin.seen
    const doubtful: readonly (UpstreamTlsConfig | null)[] = [
      { ...NOTHING, ca, serverName: 'other.internal' },
      { ...NOTHING, ca, serverName: '127.0.0.9' },
      { ...NOTHING, ca: readFileSync(stranger.file, 'utf8') },
      { ...NOTHING },
      null,
    ]
    for (const tls of doubtful) {
      const got = await ask(origin.url, tls)
      assert.deepEqual([got.status, got.json<{ code: string }>().code], [503, 'connect_failed'])
    }
    assert.equal(origin.seen.length, length)
  })

  test('is not believed because the environment says that anything is', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      assert.equal((await ask(origin.url, null)).status, 503)
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    }
  })

  test('that wants to know who asks is shown the certificate configured for it', async () => {
    const { cert: certificate, key } = authority.issue('DNS:gateway.internal')
    const tls = { ...authority.issue('IP:127.0.0.1'), ca, requestCert: true }
    const names: unknown[] = []
    await using strict = await Origin.start(
      (_, reply) => {
        names.push((reply.socket as TLSSocket).getPeerCertificate().subjectaltname) // the origin speaks TLS
        return reply.write(response('200 OK', [], 'known'))
      },
      { tls },
    )
    assert.equal((await ask(strict.url, { ...NOTHING, ca, certificate, key })).text, 'known')
    assert.deepEqual(names, ['DNS:gateway.internal'])
    const got = await ask(strict.url, { ...NOTHING, ca })
    assert.ok(got.status >= 502, `${got.status}`)
    assert.equal(strict.seen.length, 1)
  })
})
