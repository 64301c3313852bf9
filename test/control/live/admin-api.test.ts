import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminOpenapi } from '../../../src/control/admin/openapi.ts'
import { ControlStage } from '../../support/control-stage.ts'
import { until } from '../../support/until.ts'

interface Asked {
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** Members of the bodies that are looked at. */
interface Body {
  readonly member?: string
  readonly detail?: string
  readonly state?: string
  readonly upstreams?: readonly { readonly endpoints: readonly { readonly state: string }[] }[]
}

async function stage(t: ConstructorParameters<typeof ControlStage>[0]) {
  const control = new ControlStage(t)
  await control.supervisor.start()
  const origin = `http://127.0.0.1:${control.adminPort}`
  const ask = async (path: string, { method = 'GET', body, headers = {} }: Asked = {}) => {
    const response = await fetch(`${origin}${path}`, {
      method,
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    })
    const type = response.headers.get('content-type')
    const text = await response.text()
    const value = (type?.includes('json') ? JSON.parse(text) : {}) as Body
    return { status: response.status, value, type }
  }
  return { control, origin, ask }
}

test('every path of the OpenAPI document answers, and every schema it names is there', async (t) => {
  const { ask } = await stage(t)
  const document = JSON.parse(JSON.stringify(adminOpenapi('1'))) as {
    paths: Record<string, Record<string, unknown>>
    components: { schemas: Record<string, unknown> }
  }
  for (const [, name = ''] of JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)) {
    assert.ok(name in document.components.schemas, name)
  }
  const streams = ['/events']
  // A stage without a way to load a config anew.
  const absent = ['/config/reload']
  for (const [path, operations] of Object.entries(document.paths)) {
    if ([...streams, ...absent].includes(path)) continue
    const real = path.replace('{name}', 'ingest').replace('{target}', encodeURIComponent('127.0.0.1:9'))
    const { status } = await ask(real)
    assert.equal(status, 'get' in operations ? 200 : 405, path)
  }
  assert.deepEqual((await ask('/openapi.json')).value, JSON.parse(JSON.stringify(adminOpenapi('1.2.3'))))
})

test('an operator takes an endpoint out of service and back', async (t) => {
  const { ask, control } = await stage(t)
  const path = `/upstreams/ingest/endpoints/${encodeURIComponent('127.0.0.1:9')}`
  const state = async () => (await ask('/upstreams')).value.upstreams?.[0]?.endpoints[0]?.state
  assert.equal(await state(), 'enabled')
  for (const wanted of ['draining', 'disabled', 'enabled']) {
    const { status, value } = await ask(path, { method: 'POST', body: { state: wanted } })
    assert.deepEqual([status, value.state, await state()], [200, wanted, wanted])
  }
  assert.equal(control.events('Endpoint set by an operator').length, 3)
  const body = { state: 'draining' }
  assert.equal((await ask('/upstreams/other/endpoints/127.0.0.1:9', { method: 'POST', body })).status, 404)
  assert.equal((await ask('/upstreams/ingest/endpoints/127.0.0.1:8', { method: 'POST', body })).status, 404)
  assert.equal((await ask('/upstreams/ingest/endpoints/%E0', { method: 'POST', body })).status, 404)
  assert.equal((await ask('/upstreams/ingest', { method: 'POST', body })).status, 404)
})

test('the log level is set for control and shown, and stays what it was when it is not one', async (t) => {
  const { ask, control } = await stage(t)
  assert.deepEqual((await ask('/log-level')).value, { level: 'info' })
  assert.equal((await ask('/log-level', { method: 'PUT', body: { level: 'error' } })).status, 200)
  const path = `/upstreams/ingest/endpoints/${encodeURIComponent('127.0.0.1:9')}`
  await ask(path, { method: 'POST', body: { state: 'draining' } })
  assert.equal(control.events('Endpoint set by an operator').length, 0)
  assert.equal((await ask('/log-level', { method: 'PUT', body: { level: 'loud' } })).status, 400)
  assert.deepEqual((await ask('/log-level')).value, { level: 'error' })
  await ask('/log-level', { method: 'PUT', body: { level: 'info' } })
})

test('a wrong body is refused with problem+json that names the member', async (t) => {
  const { ask, origin } = await stage(t)
  const endpoint = `/upstreams/ingest/endpoints/${encodeURIComponent('127.0.0.1:9')}`
  const cases: [string, unknown, string][] = [
    ['PUT /log-level', {}, 'level'],
    ['PUT /log-level', [], 'level'],
    ['PUT /log-level', null, 'level'],
    ['PUT /log-level', { level: 1 }, 'level'],
    ['PUT /log-level', { level: 'x' }, 'level'],
    ['PUT /log-level', { level: 'info', Level: 'info' }, 'Level'],
    [`POST ${endpoint}`, {}, 'state'],
    [`POST ${endpoint}`, { state: 'gone' }, 'state'],
    ['POST /explain', [], 'method'],
    ['POST /explain', { method: 'GET' }, 'url'],
    ['POST /explain', { method: 'GET', url: '/', from: 'x' }, 'from'],
    ['POST /explain', { method: 'GET', url: '/', header: [] }, 'header'],
    ['POST /revocations', [], 'jti'],
    ['POST /revocations', {}, 'jti'],
    ['POST /revocations', { sub: 'x' }, 'sub'],
    ['POST /revocations', { subject: '' }, 'subject'],
    ['POST /revocations', { subject: 'x', tenant: 'y' }, 'tenant'],
    ['POST /revocations', { tenant: 'y', forS: '60' }, 'forS'],
    ['DELETE /revocations', { tenant: 1 }, 'tenant'],
    ['POST /drain', { delay: 1 }, 'delay'],
  ]
  for (const [where, body, member] of cases) {
    const [method = '', path = ''] = where.split(' ')
    const got = await ask(path, { method, body })
    const told = [got.status, got.type, got.value.member]
    assert.deepEqual(told, [400, 'application/problem+json', member], `${where} ${JSON.stringify(body)}`)
    assert.ok((got.value.detail ?? '').length > 10)
  }
  const broken = await fetch(`${origin}/log-level`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: '{',
  })
  assert.equal(broken.status, 400)
})

// CSRF: a page of another origin has its visitor's browser send what needs no preflight.
test('a browser may change something from the listener itself only, and only as JSON', async (t) => {
  const { ask, origin } = await stage(t)
  const body = { level: 'info' }
  const put = (headers: Record<string, string>) => ask('/log-level', { method: 'PUT', body, headers })
  assert.equal((await put({ Origin: origin })).status, 200)
  for (const other of ['http://localhost:3000', 'https://evil.example', 'null', `${origin}.evil.example`]) {
    assert.equal((await put({ Origin: other })).status, 403, other)
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    assert.equal((await put({ 'Content-Type': type })).status, 415, type)
  }
})

test('drain begins the orderly end, which an open stream is told of at once', async (t) => {
  const { ask, origin, control } = await stage(t)
  const stream = await fetch(`${origin}/events`)
  assert.equal(stream.headers.get('content-type'), 'text/event-stream')
  let text = ''
  const reading = (async () => {
    for await (const piece of stream.body ?? []) text += Buffer.from(piece).toString()
  })()
  await until('the beginning', () => text.includes('event: begin'))
  assert.equal((await ask('/drain', { method: 'POST' })).status, 202)
  await until('the word', () => text.includes('"status":"draining"'))
  await reading
  assert.equal(await control.supervisor.ended, 0)
})
