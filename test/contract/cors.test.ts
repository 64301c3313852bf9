import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Field } from '../support/message.ts'
import { response } from '../support/origin.ts'
import type { RawResponse } from '../support/raw-client.ts'
import { openStage, type Stage } from '../support/stage.ts'

const LISTED = 'https://app.example.com'
const ORIGIN: Field = ['Origin', LISTED]
const FOREIGN: Field = ['Origin', 'https://evil.example']

/** `*`, the default of development. */
let anyOrigin: Stage
/** Two listed origins. */
let listed: Stage
/** Production without a list: no origin. */
let none: Stage

before(async () => {
  ;[anyOrigin, listed, none] = await Promise.all([
    openStage(),
    openStage({ GATEWAY_ALLOWED_ORIGINS: `https://other.example.com , ${LISTED}` }),
    openStage({ ENVIRONMENT: 'production' }),
  ])
})
after(async () => {
  for (const stage of [anyOrigin, listed, none]) await stage[Symbol.asyncDispose]()
})

interface Cors {
  readonly origin: string | null
  readonly credentials: string | null
  readonly varies: boolean
}

function corsOf(got: RawResponse): Cors {
  return {
    origin: got.get('access-control-allow-origin'),
    credentials: got.get('access-control-allow-credentials'),
    varies: members(got, 'vary').includes('origin'),
  }
}

function members(got: RawResponse, name: string): string[] {
  return got
    .all(name)
    .join()
    .toLowerCase()
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
}

/** A request that ends in each kind of response: own, failure before and behind the route, proxied. */
const ASKS: [string, string, readonly Field[]][] = [
  ['GET', '/', []],
  ['GET', '/nope', []],
  ['POST', '/health', []],
  ['GET', '/api/v1/ingest/x', []],
  ['GET', '/api/v1/ingest/x', [['Authorization', 'Bearer x']]],
  ['TRACE', '/api/v1/ingest/x', []],
  ['GET', '/api/v1/ingest/../x', []],
  ['GET', '/api/auth/x', []],
]

describe('a response', () => {
  test('to any origin is open, without credentials, where `*` is allowed', async () => {
    for (const origin of [ORIGIN, FOREIGN, ['Origin', 'null'] as const])
      for (const [method, target, fields] of ASKS) {
        const { origin: allowed, credentials } = corsOf(
          await anyOrigin.ask(method, target, [...fields, origin]),
        )
        assert.deepEqual([allowed, credentials], ['*', null], `${method} ${target}`)
      }
  })

  test('to a listed origin reflects it with credentials, and varies', async () => {
    for (const [method, target, fields] of ASKS) {
      const got = await listed.ask(method, target, [...fields, ORIGIN])
      assert.deepEqual(
        corsOf(got),
        { origin: LISTED, credentials: 'true', varies: true },
        `${method} ${target}`,
      )
    }
  })

  test('to anybody else says nothing but that it varies', async () => {
    const others: (readonly Field[])[] = [
      [],
      [FOREIGN],
      [['Origin', 'null']],
      [['Origin', `${LISTED}.evil.example`]],
      [['Origin', LISTED.toUpperCase()]],
      [['Origin', `${LISTED}:443`]],
      [['Origin', 'http://app.example.com']],
      [['Origin', `${LISTED}, https://evil.example`]],
    ]
    for (const origin of others)
      for (const [method, target, fields] of ASKS) {
        const got = await listed.ask(method, target, [...fields, ...origin])
        assert.deepEqual(
          corsOf(got),
          { origin: null, credentials: null, varies: true },
          `${method} ${target} ${origin}`,
        )
      }
  })

  test('in production is open to nobody unless an origin is listed', async () => {
    for (const [method, target, fields] of ASKS) {
      const { origin, credentials } = corsOf(await none.ask(method, target, [...fields, ORIGIN]))
      assert.deepEqual([origin, credentials], [null, null])
    }
  })

  test('exposes the gateway’s own fields to scripts', async () => {
    const exposed = members(await listed.ask('GET', '/api/auth/x', [ORIGIN]), 'access-control-expose-headers')
    for (const name of ['x-request-id', 'x-process-time', 'retry-after', 'ratelimit', 'ratelimit-policy'])
      assert.ok(exposed.includes(name), `${name} in ${exposed}`)
  })

  test('has the gateway’s CORS fields instead of the upstream’s, whose Vary stays', async () => {
    const own: Field[] = [
      ['Access-Control-Allow-Origin', 'https://upstream.example'],
      ['access-control-allow-credentials', 'false'],
      ['Access-Control-Expose-Headers', 'X-Secret'],
      ['Vary', 'Accept'],
    ]
    for (const stage of [anyOrigin, listed]) {
      stage.auth.script = (_, reply) => reply.write(response('200 OK', own))
      const got = await stage.ask('GET', '/api/auth/x', [ORIGIN])
      assert.equal(got.get('access-control-allow-origin'), stage === listed ? LISTED : '*')
      assert.equal(got.get('access-control-allow-credentials'), stage === listed ? 'true' : null)
      assert.ok(!members(got, 'access-control-expose-headers').includes('x-secret'))
      assert.ok(members(got, 'vary').includes('accept'))
    }
    const foreign = await listed.ask('GET', '/api/auth/x', [FOREIGN])
    assert.equal(
      foreign.get('access-control-allow-origin'),
      null,
      'an upstream opens nothing the list closes',
    )
  })
})

describe('a preflight', () => {
  function preflight(method: string, headers: string | null = null): Field[] {
    const asked: Field[] = [['Access-Control-Request-Method', method]]
    return headers === null ? asked : [...asked, ['Access-Control-Request-Headers', headers]]
  }

  test('of a known route and method is 204, the asked headers repeated', async () => {
    for (const [stage, origin] of [
      [anyOrigin, '*'],
      [listed, LISTED],
    ] as const)
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']) {
        const headers = 'authorization, content-type, x-custom'
        const got = await stage.ask('OPTIONS', '/api/v1/ingest/x', [ORIGIN, ...preflight(method, headers)])
        assert.equal(got.status, 204)
        assert.equal(got.get('content-length'), null, 'RFC 9110 section 8.6')
        assert.equal(corsOf(got).origin, origin)
        assert.ok(members(got, 'access-control-allow-methods').includes(method.toLowerCase()))
        assert.deepEqual(members(got, 'access-control-allow-headers'), headers.split(', '))
        assert.equal(got.get('access-control-max-age'), '600')
      }
  })

  test('of an own endpoint is answered', async () => {
    const got = await anyOrigin.ask('OPTIONS', '/health', [ORIGIN, ...preflight('GET')])
    assert.deepEqual([got.status, corsOf(got).origin], [204, '*'])
  })

  test('asks for no token and never reaches the upstream', async () => {
    await anyOrigin.ask('OPTIONS', '/api/v1/query/x', [ORIGIN, ...preflight('POST', 'authorization')])
    assert.equal(anyOrigin.query.seen.length, 0)
  })

  test('from an unlisted origin is 204 and opens nothing', async () => {
    for (const stage of [listed, none]) {
      const got = await stage.ask('OPTIONS', '/api/v1/ingest/x', [
        FOREIGN,
        ...preflight('POST', 'authorization'),
      ])
      assert.equal(got.status, 204)
      assert.deepEqual(
        got.fields.filter(([name]) => /^access-control/i.test(name)),
        [],
      )
    }
  })

  test('of an unknown route is 404', async () => {
    assert.equal((await anyOrigin.ask('OPTIONS', '/nope', [ORIGIN, ...preflight('GET')])).status, 404)
  })

  test('of a method the route has not allows no such method', async () => {
    const got = await anyOrigin.ask('OPTIONS', '/api/v1/ingest/x', [ORIGIN, ...preflight('TRACE')])
    assert.ok([204, 405].includes(got.status), got.statusLine)
    assert.ok(!members(got, 'access-control-allow-methods').includes('trace'))
  })

  test('without Origin or without a method is an ordinary OPTIONS', async () => {
    for (const fields of [preflight('GET'), [ORIGIN]])
      assert.equal((await anyOrigin.ask('OPTIONS', '/api/v1/ingest/x', fields)).status, 405)
  })
})
