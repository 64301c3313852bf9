import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type Gateway, runGateway, startGateway } from '../support/gateway.ts'
import { allValues, type Field } from '../support/message.ts'
import { Origin, type Seen, type Told } from '../support/origin.ts'
import { assertProblem, assertStamps } from '../support/problem.ts'
import { RawClient, type RawResponse } from '../support/raw-client.ts'
import { methodOf, type RecordedCase, recording, requestBytes, targetOf } from '../support/recorded-case.ts'
import { type Expectation, expectationOf } from '../support/recorded-deviation.ts'
import { recordedUpstream } from '../support/recorded-upstream.ts'
import { until } from '../support/until.ts'

// Every exchange recorded from the original gateway, sent to ours. What may differ stands in
// support/recorded-deviation.ts, each with its section of the contract.

/** Configurations ours refuses to start with: no secret, an empty one, the published one, `none`. */
const REFUSED = ['emptysecret', 'algnone', 'defsecret']

/** Written by the gateway for each exchange, or hop by hop: never compared with a recording. */
const OWN_TO_CLIENT = [
  'date',
  'server',
  'x-process-time',
  'x-request-id',
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'trailer',
]
const OWN_TO_UPSTREAM = [
  'host',
  'x-company-id',
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x_company_id',
  'forwarded',
  'via',
  'transfer-encoding',
  'connection',
  'te',
  'trailer',
]

const recorded = recording()
const origins = new Map<string, Origin>()
const gateways = new Map<string, Gateway>()

before(async () => {
  for (const name of ['ingest', 'query', 'auth']) origins.set(name, await Origin.start(recordedUpstream))
})

after(async () => {
  for (const gateway of gateways.values()) await gateway[Symbol.asyncDispose]()
  for (const origin of origins.values()) await origin[Symbol.asyncDispose]()
})

test('the recording is here, or this says that it was skipped', (t) => {
  if (recorded === null)
    t.skip('204 recorded exchanges were skipped: the recording did not come with this checkout')
})

describe('a recorded exchange', () => {
  for (const each of recorded?.cases ?? [])
    test(`${each.config}: ${each.id}`, async () => {
      if (REFUSED.includes(each.config)) {
        const { code, output } = await runGateway(settingsOf(each.config))
        assert.equal(code, 2, output)
        return
      }
      const gateway = await gatewayOf(each.config)
      if (each.response.status === undefined) await leavesEarly(each, gateway)
      else await replays(each, gateway, expectationOf(each))
    })
})

async function replays(each: RecordedCase, gateway: Gateway, expected: Expectation): Promise<void> {
  const from = new Map([...origins].map(([name, origin]) => [name, origin.seen.length]))
  const client = await RawClient.connect(gateway.port)
  try {
    const response = await client.ask(requestBytes(each), methodOf(each))
    assert.equal(response.status, expected.status, `${response.statusLine} ${response.text}`)
    const seen = [...origins].flatMap(([name, origin]) => origin.seen.slice(from.get(name)))
    if (expected.forwarded) await assertSeen(each, expected, seen)
    else assert.deepEqual(seen, [], 'the upstream saw nothing')
    if (expected.code !== null) assertRefusal(each, expected, response)
    else await assertAnswer(each, expected, response, seen[0])
    assertCors(each, response)
    if (expected.status === 400 && each.request.raw !== undefined) await client.closed()
  } finally {
    client.leave()
  }
}

/** "runs to its end, not cancelled" was the original's fault: ours ends the upstream request at once. */
async function leavesEarly(each: RecordedCase, gateway: Gateway): Promise<void> {
  const origin = origins.get('ingest') as Origin // started in `before`
  const { length } = origin.seen
  const client = await RawClient.connect(gateway.port)
  await client.send(requestBytes(each))
  await until('the upstream to see it', () => origin.seen.length > length)
  const { open } = origin
  client.reset()
  await until('its upstream request to end', () => origin.open < open, 1_500)
}

async function assertSeen(each: RecordedCase, expected: Expectation, seen: readonly Seen[]): Promise<void> {
  const request = seen[0]
  assert.ok(request !== undefined, 'the upstream saw the request')
  // A GET may be repeated where the connection it went out on was closed before any answer.
  const repeats = expected.status === 502 ? 2 : 1
  assert.ok(seen.length <= repeats, `the upstream saw it ${seen.length} times`)
  assert.equal(request.method, methodOf(each))
  const base = each.config === 'basepath' ? '/base' : ''
  const sent = targetOf(each).replace('http://gw.test', '')
  assert.equal(request.target, each.upstream_saw[0]?.target ?? base + sent)
  assert.deepEqual(request.all('x-company-id'), expected.tenant === null ? [] : [expected.tenant])
  assert.match(request.get('host') ?? '', /^127\.0\.0\.1:\d+$/)
  assert.deepEqual(
    lowered(request.fields, OWN_TO_UPSTREAM),
    lowered(clientFields(each), [...OWN_TO_UPSTREAM, ...hopByHop(each)]),
  )
  for (const name of ['keep-alive', 'proxy-connection', 'proxy-authorization', 'x-nominated'])
    assert.deepEqual(request.all(name), [])
  const recordedSeen = each.upstream_saw[0]
  if (recordedSeen?.body_sha256 === undefined) return
  const body = await request.body
  assert.deepEqual(
    [request.framing, body.length, body.sha256],
    [recordedSeen.framing, recordedSeen.body_len, recordedSeen.body_sha256],
  )
}

function assertRefusal(each: RecordedCase, expected: Expectation, response: RawResponse): void {
  if (methodOf(each) === 'HEAD') return
  const { code, detail, status } = expected
  const open = detail?.endsWith('…') ?? false
  const problem = assertProblem(response, status, code ?? '', open ? undefined : (detail ?? undefined))
  if (open) assert.ok(problem.detail.startsWith(detail?.slice(0, -1) ?? ''), problem.detail)
  const same = each.response.status === status
  if (same) assert.equal(response.get('www-authenticate'), recordedField(each, 'www-authenticate'))
  if (status === 405 && same) {
    const allowed = listed(response.get('allow'))
    for (const method of listed(recordedField(each, 'allow')))
      assert.ok(allowed.includes(method), allowed.join())
  }
}

async function assertAnswer(
  each: RecordedCase,
  expected: Expectation,
  response: RawResponse,
  seen: Seen | undefined,
): Promise<void> {
  if (expected.status >= 400 && !expected.forwarded) return
  assertStamps(response, given(each, 'x-request-id') ?? undefined)
  assert.equal(response.body.complete, each.response.complete ?? true)
  if (each.response.status !== expected.status) return
  const ours = lowered(response.fields, [...OWN_TO_CLIENT, ...CORS_FIELDS])
  const theirs = lowered(each.response.headers ?? [], [...OWN_TO_CLIENT, ...CORS_FIELDS])
  if (expected.forwarded) assert.deepEqual(ours, theirs)
  else if (expected.status === 307)
    assert.equal(absolute(response.get('location')), recordedField(each, 'location'))
  // Own pages may say more than the original's did (caching, content security), never less.
  else for (const [name, value] of theirs) assert.equal(response.get(name), value)
  if (each.id.startsWith('resp hop-by-hop')) {
    assert.deepEqual(
      [response.get('date'), response.get('server')],
      ['Tue, 01 Jan 2030 00:00:00 GMT', 'echo/1.0'],
    )
    for (const name of ['proxy-authenticate', 'x-hop']) assert.equal(response.get(name), null)
  }
  if (each.id === 'resp trailers') assert.deepEqual(response.body.trailers, [['X-Sum', '4']])
  if (each.id === 'resp eof-delimited') assert.equal(response.framing, 'chunked')
  if (response.get('content-encoding') === 'gzip')
    assert.deepEqual(JSON.parse(gunzipSync(response.body.bytes).toString()), { target: seen?.target })
  else if (seen !== undefined && !seen.target.includes('/t/') && seen.method !== 'HEAD')
    assert.equal(response.json<Told>().target, seen.target)
  else if (!expected.forwarded && response.get('content-type')?.startsWith('text/html'))
    assert.equal(/<!doctype html/i.test(response.text), methodOf(each) !== 'HEAD')
  else assert.equal(response.text, each.response.body?.text ?? '')
}

const CORS_FIELDS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
  'vary',
]

/** Section 7: `*` without credentials; a listed origin reflected with them; nothing for others. */
function assertCors(each: RecordedCase, response: RawResponse): void {
  const origin = given(each, 'origin')
  if (each.config === 'prod' && response.status !== 400)
    assert.ok(listed(response.all('vary').join()).includes('Origin'), 'Vary: Origin on every response')
  // A browser takes any failed preflight for a no, whatever else it says.
  if (origin === null || (methodOf(each) === 'OPTIONS' && response.status === 405)) return
  const listedOrigin = each.config === 'prod' && origin === 'https://your-production-frontend.com'
  const allowed = each.config === 'prod' ? (listedOrigin ? origin : null) : '*'
  assert.equal(response.get('access-control-allow-origin'), allowed)
  assert.equal(response.get('access-control-allow-credentials'), listedOrigin ? 'true' : null)
  if (response.status !== 204 || allowed === null) return
  assert.equal(response.get('access-control-max-age'), '600')
  const asked = given(each, 'access-control-request-method') ?? ''
  assert.ok(listed(response.get('access-control-allow-methods')).includes(asked))
  assert.deepEqual(
    listed(response.get('access-control-allow-headers')),
    listed(given(each, 'access-control-request-headers')),
  )
}

/** The client's fields as they stood, the framing our own client adds included. */
function clientFields(each: RecordedCase): readonly Field[] {
  const [, ...lines] = requestBytes(each).toString('latin1').split('\r\n\r\n')[0]?.split('\r\n') ?? []
  return lines.map((line): Field => {
    const at = line.indexOf(':')
    return [line.slice(0, at), line.slice(at + 1).trim()]
  })
}

/** Fields that end at the gateway in this request; a nomination of Authorization or an owned field is ignored. */
function hopByHop(each: RecordedCase): string[] {
  const nominated = listed(given(each, 'connection')).map((name) => name.toLowerCase())
  const fixed = ['keep-alive', 'proxy-connection', 'proxy-authorization', 'upgrade', 'http2-settings']
  return [...fixed, ...nominated.filter((name) => name !== 'authorization')]
}

function given(each: RecordedCase, name: string): string | null {
  return allValues(each.request.headers ?? [], name)[0] ?? null
}

function recordedField(each: RecordedCase, name: string): string | null {
  return allValues(each.response.headers ?? [], name)[0] ?? null
}

function listed(value: string | null): string[] {
  return (value ?? '')
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
}

/** A reference as a client of gw.test resolves it (RFC 3986 section 5). */
function absolute(location: string | null): string {
  return new URL(location ?? '', 'http://gw.test/').href
}

function lowered(fields: readonly Field[], without: readonly string[]): Field[] {
  return fields
    .map(([name, value]): Field => [name.toLowerCase(), value])
    .filter(([name]) => !without.includes(name))
}

async function gatewayOf(config: string): Promise<Gateway> {
  const running = gateways.get(config)
  if (running !== undefined) return running
  const gateway = await startGateway(settingsOf(config))
  gateways.set(config, gateway)
  return gateway
}

/** As recorded, on our own ports; what was down then is a port nobody listens on. */
function settingsOf(config: string): Record<string, string> {
  const settings = Object.entries(recorded?.configs[config] ?? {}).map(([name, value]) => [
    name,
    value
      .replace('127.0.0.1:19101', `127.0.0.1:${origins.get('ingest')?.port}`)
      .replace('127.0.0.1:19102', `127.0.0.1:${origins.get('query')?.port}`)
      .replace('127.0.0.1:19103', `127.0.0.1:${origins.get('auth')?.port}`)
      .replace(/127\.0\.0\.1:1919\d/, '127.0.0.1:1'),
  ])
  // The recorded HS512 secret has 46 bytes: section 1 wants a word of consent for less than 64.
  const consent = config === 'hs512' ? { GATEWAY_JWT_ALLOW_WEAK_SECRET: 'true' } : {}
  return { ...Object.fromEntries(settings), ...consent }
}
