import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { createSigningKey } from '../../src/assertion/signing-key.ts'
import { type Gateway, startGateway } from '../support/gateway.ts'
import type { Field } from '../support/message.ts'
import { echo, Origin } from '../support/origin.ts'
import { askOnce, chunked, type RawResponse, request } from '../support/raw-client.ts'
import { ACME } from '../support/stage.ts'
import { SECRET } from '../support/token.ts'

let origin: Origin
let gateway: Gateway
/** Private half included, as a file of the operator's. */
const own = createSigningKey()

function configFor(url: string, assertion: object): string {
  return JSON.stringify({
    identity: { jwt: [{ name: 'nyro', secret: SECRET, algorithms: ['HS256'] }] },
    tenant: { assertion },
    admin: { token: 'operator-token-0123456789' },
    upstreams: { query: { endpoints: [url] } },
    routes: [
      { name: 'query', match: { path: '/q/*' }, upstream: 'query' },
      { name: 'open', match: { path: '/open/*' }, upstream: 'query', auth: 'none' },
    ],
  })
}

before(async () => {
  origin = await Origin.start(echo)
  gateway = await startGateway(
    { GATEWAY_CONFIG: 'nyro.json' },
    {
      files: { 'nyro.json': configFor(origin.url, { audience: 'billing', ttl: '30s' }), 'own.pem': own.pem },
    },
  )
})
after(async () => {
  await gateway[Symbol.asyncDispose]()
  await origin[Symbol.asyncDispose]()
})

function ask(
  target: string,
  fields: readonly Field[],
  body: string | Buffer | null = null,
): Promise<RawResponse> {
  const method = body === null ? 'GET' : 'POST'
  return askOnce(gateway.port, request(method, target, fields, body), method)
}

function jwksUrl(): URL {
  return new URL(`http://127.0.0.1:${gateway.adminPort}/.well-known/jwks.json`)
}

describe('the tenant assertion', () => {
  test('reaches the upstream, which verifies it by the key set that needs no token', async () => {
    assert.equal((await ask('/q/x', [ACME])).status, 200)
    const text = origin.last.get('x-tenant-assertion') ?? ''
    const { payload } = await jwtVerify(text, createRemoteJWKSet(jwksUrl()), {
      issuer: 'nyro-gateway',
      audience: 'billing',
    })
    assert.deepEqual([payload.sub, payload['tenant']], ['user-1', 'acme'])
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 30)
    assert.equal(origin.last.get('x-company-id'), 'acme')
  })

  // An upstream that folds names reads the client's copy as the gateway's: an unsigned word, or yesterday's proof.
  test('cannot come from a client, in any spelling, on any route', async () => {
    const forged = 'forged.by.client'
    const names = ['X-Tenant-Assertion', 'x-tenant-assertion', 'X_Tenant_Assertion', 'X.Tenant.Assertion']
    for (const name of names) {
      for (const [target, fields, count] of [
        ['/q/x', [ACME, [name, forged], [name, forged]], 1],
        ['/open/x', [[name, forged]], 0],
        ['/q/x', [ACME, ['Connection', name], [name, forged]], 1],
      ] as const) {
        assert.equal((await ask(target, fields)).status, 200)
        assert.doesNotMatch(origin.last.text, /forged/, `${name} on ${target}`)
        assert.equal(origin.last.all('x-tenant-assertion').length, count)
      }
      const chunks = chunked(['x'], [[name, forged]])
      assert.equal((await ask('/q/x', [ACME, ['Transfer-Encoding', 'chunked']], chunks)).status, 200)
      const { trailers } = await origin.last.body
      assert.doesNotMatch(JSON.stringify(trailers), /forged/)
    }
  })

  test('is in no answer of a request without a credential', async () => {
    const { status } = await ask('/q/x', [])
    assert.equal(status, 401)
    assert.equal((await ask('/open/x', [])).status, 200)
    assert.equal(origin.last.get('x-tenant-assertion'), null)
  })

  // Whoever reads the private key could state any tenant.
  test('is signed by the operator’s key after a reload, which nothing shows', async () => {
    const { writeFileSync } = await import('node:fs')
    const { join } = await import('node:path')
    const text = configFor(origin.url, { audience: 'billing', key: './own.pem' })
    writeFileSync(join(gateway.directory, 'nyro.json'), text)
    const authorization = { Authorization: 'Bearer operator-token-0123456789' }
    const base = `http://127.0.0.1:${gateway.adminPort}`
    const reload = await fetch(`${base}/config/reload`, { method: 'POST', headers: authorization })
    assert.equal(reload.status, 200, await reload.text())
    assert.equal((await ask('/q/x', [ACME])).status, 200)
    const { protectedHeader } = await jwtVerify(
      origin.last.get('x-tenant-assertion') ?? '',
      createRemoteJWKSet(jwksUrl()),
    )
    assert.equal(protectedHeader.kid, own.kid)
    const shown = await (await fetch(`${base}/config`, { headers: authorization })).text()
    const { keys } = (await (await fetch(jwksUrl())).json()) as { readonly keys: readonly object[] }
    for (const output of [shown, JSON.stringify(keys), gateway.output]) {
      assert(!output.includes('PRIVATE KEY'))
      assert(!output.includes(own.pem.split('\n')[1] ?? ''))
    }
    for (const key of keys) assert(!('d' in key))
  })
})
