import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { DevIssuerServer } from '../../src/dev/dev-issuer-server.ts'
import { readTokenOrder } from '../../src/dev/dev-token-order.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'

let server: DevIssuerServer
let url = ''

before(async () => {
  server = await DevIssuerServer.start(systemClock, [0])
  url = server.issuer.url
})
after(() => server.close())

async function tokenOf(body: string | object): Promise<string> {
  const isForm = typeof body === 'string'
  const response = await fetch(`${url}/token`, {
    method: 'POST',
    headers: { 'Content-Type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' },
    body: isForm ? body : JSON.stringify(body),
  })
  assert.equal(response.status, 200)
  const { access_token } = (await response.json()) as { readonly access_token: string }
  return access_token
}

/** A fetch cannot choose its Host. */
function statusWith(headers: Readonly<Record<string, string>>): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  request(`${url}/token`, { method: 'POST', headers }, (response) => {
    response.resume()
    resolve(response.statusCode ?? 0)
  }).end('tenant=acme')
  return promise
}

describe('the issuer of nyro dev', () => {
  test('is found by discovery, and its tokens of both algorithms hold by its key set', async () => {
    const document = (await (await fetch(`${url}/.well-known/openid-configuration`)).json()) as {
      readonly issuer: string
      readonly jwks_uri: string
    }
    assert.equal(document.issuer, url)
    const keys = createRemoteJWKSet(new URL(document.jwks_uri))
    for (const alg of ['ES256', 'RS256']) {
      const token = await tokenOf({
        tenant: 'acme',
        sub: 'ada',
        scope: 'a b',
        alg,
        ttl: 60,
        claims: { n: 1 },
      })
      const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: url })
      assert.equal(protectedHeader.alg, alg)
      assert.deepEqual([payload.sub, payload['company_id'], payload['scope']], ['ada', 'acme', 'a b'])
      assert.deepEqual([(payload.exp ?? 0) - (payload.iat ?? 0), payload['n']], [60, 1])
    }
  })

  test('takes a form as well, and publishes nothing private', async () => {
    assert.equal(decodeProtectedHeader(await tokenOf('tenant=acme')).alg, 'ES256')
    for (const key of server.issuer.keySet.keys) assert(!('d' in key))
  })

  test('signs with new keys once it is told to rotate, and publishes the old ones until the next time', async () => {
    const before = decodeProtectedHeader(await tokenOf('tenant=acme')).kid
    const kids = (): readonly unknown[] => server.issuer.keySet.keys.map(({ kid }) => kid)
    assert.equal((await fetch(`${url}/rotate`, { method: 'POST' })).status, 200)
    assert.notEqual(decodeProtectedHeader(await tokenOf('tenant=acme')).kid, before)
    assert(kids().includes(before))
    await fetch(`${url}/rotate`, { method: 'POST' })
    assert(!kids().includes(before))
    assert.equal(kids().length, 4)
  })

  // A page in the developer's browser can reach loopback: by a name of its own that resolves there, or by a form.
  test('gives no token to a page', async () => {
    assert.equal(await statusWith({ host: 'evil.example' }), 421)
    assert.equal(await statusWith({ origin: 'https://evil.example' }), 403)
  })

  test('says what is wrong with what it is asked for', async () => {
    const response = await fetch(`${url}/token`, { method: 'POST', body: new URLSearchParams({ sub: 'x' }) })
    assert.equal(response.status, 400)
    assert.deepEqual(await response.json(), {
      error: 'invalid_request',
      error_description: 'name the tenant: tenant=acme',
    })
    const json = 'application/json'
    assert.equal(readTokenOrder(json, '[]'), 'send a JSON object, or a form such as tenant=acme')
    assert.match(String(readTokenOrder(json, '{"tenant":"a","alg":"none"}')), /^alg must be ES256 or RS256$/)
    assert.match(String(readTokenOrder(json, '{"tenant":"a","ttl":1e12}')), /^ttl must be whole seconds/)
    assert.match(String(readTokenOrder(json, '{"tenant":"a","claims":[]}')), /^claims must be an object$/)
    assert.equal((await fetch(`${url}/token`)).status, 404)
  })

  // Making keys takes longer than taking a port.
  test('answers who asks while it makes its first keys', async () => {
    const port = await freePort()
    const starting = DevIssuerServer.start(systemClock, [port])
    const late = AbortSignal.timeout(5_000)
    const ask = () => fetch(`http://127.0.0.1:${port}/jwks`, { signal: late })
    // It does not listen at once.
    const { status } = await until('an answer', () => ask().catch(() => late.aborted && { status: 'none' }))
    await (await starting).close()
    assert.equal(status, 200)
  })

  test('takes another port where its own is in use', async () => {
    const port = Number(new URL(url).port)
    const second = await DevIssuerServer.start(systemClock, [port, 0])
    assert.notEqual(second.issuer.url, url)
    await second.close()
  })
})
