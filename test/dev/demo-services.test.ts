import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Config, JwtConfig } from '../../src/config/config.ts'
import { ownIssuer } from '../../src/config/default.ts'
import type { DemoService } from '../../src/dev/demo-service.ts'
import { TOKEN_LIFE_S, tokenIssuer } from '../../src/dev/demo-token.ts'
import { type DemoName, startDemoUpstreams } from '../../src/dev/demo-upstreams.ts'
import { within } from '../support/until.ts'

const NOW_S = 1_800_000_000
const clock = { wallMs: () => NOW_S * 1000 + 999, monotonicMs: () => 0 }
const jwt: JwtConfig = { key: 'k'.repeat(64), algorithm: 'HS256', clockSkewS: 0 }

const identity: Config['identity'] = { issuers: [ownIssuer(jwt)], apiKeys: null }

let services: ReadonlyMap<DemoName, DemoService>

before(async () => {
  services = await startDemoUpstreams(['ingest', 'query', 'auth'], {
    issue: tokenIssuer(identity, clock),
    tokenIntervalMs: 2,
  })
})

after(async () => {
  await Promise.all([...services.values()].map((service) => service.close()))
})

function urlOf(name: DemoName): string {
  return services.get(name)?.url ?? ''
}

async function ask(
  url: string,
  init: RequestInit = {},
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) })
  assert.equal(response.headers.get('content-type'), 'application/json')
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

function claimsOf(token: unknown): Record<string, unknown> {
  const [, payload = ''] = String(token).split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

describe('the demo ingest service', () => {
  test('reports size, hash and beginning of an upload, however it was framed', async () => {
    const upload = Buffer.alloc(3_000_000, 'abc')
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(upload.subarray(0, 1_000_001))
        controller.enqueue(upload.subarray(1_000_001))
        controller.close()
      },
    })
    const answer = await ask(`${urlOf('ingest')}/api/v1/ingest/files?x=1`, {
      method: 'PUT',
      body,
      duplex: 'half',
      headers: { 'X-Company-ID': 'acme' },
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.body['method'], 'PUT')
    assert.equal(answer.body['target'], '/api/v1/ingest/files?x=1')
    assert.equal(answer.body['tenant'], 'acme')
    assert.deepEqual(answer.body['body'], {
      bytes: 3_000_000,
      sha256: createHash('sha256').update(upload).digest('hex'),
      preview: upload.subarray(0, 256).toString(),
    })
  })

  test('echoes the fields it received, without the token', async () => {
    const { body } = await ask(urlOf('ingest'), {
      headers: { Authorization: 'Bearer top-secret', 'X-Trace': 'on' },
    })
    const headers = body['headers'] as Record<string, unknown>
    assert.equal(headers['x-trace'], 'on')
    assert.doesNotMatch(JSON.stringify(body), /top-secret/)
    assert.equal(body['tenant'], null)
  })

  test('survives a client that leaves in the middle of its upload', async () => {
    const { port } = new URL(urlOf('ingest'))
    const socket = connect(Number(port), '127.0.0.1')
    await within('the connection', new Promise<void>((resolve) => socket.once('connect', resolve)))
    socket.write('POST /x HTTP/1.1\r\nHost: demo\r\nContent-Length: 100\r\n\r\nhalf')
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    socket.destroy()
    await within('the end of the connection', closed)
    assert.equal((await ask(urlOf('ingest'))).status, 200)
  })
})

describe('the demo query service', () => {
  test('answers a search in JSON, for the tenant the gateway stated', async () => {
    const { status, body } = await ask(`${urlOf('query')}/api/v1/query/search?q=REPORT`, {
      headers: { 'X-Company-ID': 'acme' },
    })
    assert.equal(status, 200)
    assert.equal(body['tenant'], 'acme')
    assert.equal(body['query'], 'REPORT')
    const results = body['results'] as { readonly title: string }[]
    assert.deepEqual(
      results.map((result) => result.title),
      ['Quarterly report'],
    )
  })

  test('streams events a piece at a time and says when it is done', async () => {
    const response = await fetch(`${urlOf('query')}/api/v1/query/stream`, {
      signal: AbortSignal.timeout(10_000),
    })
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    let pieces = 0
    let text = ''
    for await (const piece of response.body ?? []) {
      pieces += 1
      text += Buffer.from(piece).toString()
    }
    const events = text.trimEnd().split('\n\n')
    const tokens = events.filter((event) => event.startsWith('event: token\ndata: {"token":'))
    assert.ok(tokens.length > 10)
    assert.equal(events.at(-1), `event: done\ndata: {"tokens":${tokens.length}}`)
    assert.ok(pieces > 3, `arrived in ${pieces} pieces`)
  })

  test('says what there is to try elsewhere', async () => {
    const { status, body } = await ask(`${urlOf('query')}/api/v1/query`)
    assert.equal(status, 404)
    assert.match(String(body['error']), /\/search.*\/stream/)
  })
})

describe('the demo auth service', () => {
  function login(body: string | null, method = 'POST'): ReturnType<typeof ask> {
    return ask(`${urlOf('auth')}/api/auth/login`, { method, body })
  }

  test('issues a signed token for whom the body names, valid for twelve hours', async () => {
    const { status, body } = await login('{"username": "ana", "company_id": "globex"}')
    assert.equal(status, 200)
    assert.equal(body['token_type'], 'bearer')
    assert.equal(body['expires_in'], TOKEN_LIFE_S)
    const token = String(body['access_token'])
    assert.deepEqual(claimsOf(token), {
      sub: 'ana',
      company_id: 'globex',
      iat: NOW_S,
      exp: NOW_S + 12 * 3600,
    })
    const input = token.slice(0, token.lastIndexOf('.'))
    assert.equal(`${input}.${createHmac('sha256', jwt.key).update(input).digest('base64url')}`, token)
  })

  for (const body of [null, '{}']) {
    test(`takes the demo user of acme where the body is ${body}`, async () => {
      const answer = await login(body)
      const { sub, company_id } = claimsOf(answer.body['access_token'])
      assert.deepEqual({ sub, company_id }, { sub: 'demo-user', company_id: 'acme' })
    })
  }

  test('passes an integer company_id on as a number', async () => {
    const { body } = await login('{"company_id": 42}')
    assert.equal(claimsOf(body['access_token'])['company_id'], 42)
  })

  for (const body of [
    '{',
    '[]',
    'null',
    '"acme"',
    '{"company_id": 1.5}',
    '{"company_id": null}',
    '{"username": ""}',
  ]) {
    test(`answers 400 to ${body}`, async () => {
      assert.equal((await login(body)).status, 400)
    })
  }

  test('answers 413, 405 and 404 to what it does not serve', async () => {
    assert.equal((await login('x'.repeat(20_000))).status, 413)
    assert.equal((await login(null, 'GET')).status, 405)
    assert.equal((await ask(`${urlOf('auth')}/api/auth/logout`, { method: 'POST' })).status, 404)
  })
})

describe('demo tokens', () => {
  for (const [algorithm, bytes] of [
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ] as const) {
    test(`are signed with ${algorithm} where that is configured`, () => {
      const token =
        tokenIssuer(
          { issuers: [ownIssuer({ ...jwt, algorithm })], apiKeys: null },
          clock,
        )?.({ sub: 'a', company_id: 'b' }) ?? ''
      const [header = '', , signature = ''] = token.split('.')
      assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url').toString()), {
        alg: algorithm,
        typ: 'JWT',
      })
      assert.equal(Buffer.from(signature, 'base64url').length, bytes)
    })
  }

  test('are not to be had where a public key verifies', () => {
    assert.equal(
      tokenIssuer({ issuers: [ownIssuer({ ...jwt, algorithm: 'ES256' })], apiKeys: null }, clock),
      null,
    )
  })
})
