import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import {
  type AdminResources,
  type AdminStatus,
  adminJson,
  READING,
} from '../../src/control/admin/admin-answer.ts'
import { AdminServer } from '../../src/control/admin/admin-server.ts'
import { StartRefusal } from '../../src/control/start-refusal.ts'

const PRODUCT = { name: 'nyro-gateway', version: '1.2.3', node: '26.0.0' }
const TOKEN = 'correct-horse-battery'

/** Stands for what the process has to show and to do. */
const RESOURCES: AdminResources = new Map([
  ['/config', { methods: READING, answer: () => adminJson(200, { name: 'test' }) }],
  ['/config/reload', { methods: ['POST'], answer: async () => adminJson(200, { changed: false }) }],
])

interface Reply {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

async function stage(t: TestContext, token: string | null = null, host = '127.0.0.1') {
  const state: { now: AdminStatus } = { now: { status: 'ready', threads: 2 } }
  const admin = await AdminServer.listen({
    admin: { host, port: 0, token },
    product: PRODUCT,
    status: () => state.now,
    resources: RESOURCES,
  })
  t.after(() => admin.close())
  const ask = async (method: string, path: string, headers: Record<string, string> = {}): Promise<Reply> => {
    const sent = request({ host: '127.0.0.1', port: admin.port, method, path, headers }).end()
    const [response] = await once(sent, 'response')
    let body = ''
    for await (const piece of response.setEncoding('utf8')) body += piece
    return { status: response.statusCode, headers: response.headers, body }
  }
  return { admin, state, ask }
}

test('liveness, readiness and version answer GET', async (t) => {
  const { ask } = await stage(t)
  const live = await ask('GET', '/live')
  assert.deepEqual([live.status, JSON.parse(live.body)], [200, { status: 'live' }])
  const ready = await ask('GET', '/ready?verbose')
  assert.deepEqual([ready.status, JSON.parse(ready.body)], [200, { status: 'ready', threads: 2 }])
  const version = await ask('GET', '/version')
  assert.deepEqual([version.status, JSON.parse(version.body)], [200, PRODUCT])
  assert.equal(version.headers['content-type'], 'application/json')
})

test('readiness follows the process and liveness does not', async (t) => {
  const { ask, state } = await stage(t)
  for (const status of ['starting', 'draining'] as const) {
    state.now = { status, threads: 0 }
    const ready = await ask('GET', '/ready')
    assert.deepEqual([ready.status, JSON.parse(ready.body)], [503, { status, threads: 0 }])
    assert.equal((await ask('GET', '/live')).status, 200)
  }
})

test('HEAD answers like GET without a body', async (t) => {
  const { ask } = await stage(t)
  const head = await ask('HEAD', '/version')
  const get = await ask('GET', '/version')
  assert.deepEqual([head.status, head.body], [200, ''])
  assert.equal(head.headers['content-length'], get.headers['content-length'])
})

test('another method is refused with what is allowed, another path is not found', async (t) => {
  const { ask } = await stage(t)
  const post = await ask('POST', '/live')
  assert.deepEqual([post.status, post.headers['allow']], [405, 'GET, HEAD'])
  const missing = await ask('GET', '/live/')
  assert.equal(missing.status, 404)
  assert.equal(missing.headers['content-type'], 'application/problem+json')
  assert.equal(JSON.parse(missing.body).status, 404)
})

// An operator listener within reach of others gives away the version to whoever asks, and, later, control of the
// process. Without the token nothing but the probes may answer, and a refusal must not tell which paths exist.
test('with a token configured everything but the probes needs it, and refusals tell nothing', async (t) => {
  const { ask } = await stage(t, TOKEN)
  for (const path of ['/live', '/ready']) assert.equal((await ask('GET', path)).status, 200)
  const refused: Reply[] = []
  const attempts = [
    '',
    TOKEN,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    'Bearer ',
    `Bearer ${TOKEN} ${TOKEN}`,
  ]
  for (const authorization of attempts) {
    for (const path of ['/version', '/nothing-here', '/live/../version', '//live']) {
      refused.push(await ask('GET', path, authorization === '' ? {} : { authorization }))
    }
  }
  for (const { status, headers, body } of refused) {
    assert.equal(status, 401)
    assert.equal(headers['www-authenticate'], 'Bearer')
    assert.equal(body, refused[0]?.body)
  }
  for (const authorization of [`Bearer ${TOKEN}`, `bearer   ${TOKEN}`]) {
    assert.equal((await ask('GET', '/version', { authorization })).status, 200)
  }
})

// DNS rebinding: a page at evil.example lets its name resolve to 127.0.0.1 and reads this listener from the
// operator's own browser, where the same-origin rule sees one origin. The browser sends the page's name as Host.
test('on loopback only loopback names are answered', async (t) => {
  const { ask, admin } = await stage(t)
  for (const host of [
    'evil.example',
    'evil.example:9901',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    'localhost@evil.example',
  ]) {
    const reply = await ask('GET', '/version', { host })
    assert.equal(reply.status, 421)
    assert.ok(!reply.body.includes(PRODUCT.version))
  }
  for (const host of [
    'localhost',
    `LOCALHOST:${admin.port}`,
    '127.0.0.1',
    `127.8.9.1:${admin.port}`,
    '[::1]',
    '[::1]:9901',
  ]) {
    assert.equal((await ask('GET', '/version', { host })).status, 200)
  }
})

test('on another address any name is answered', async (t) => {
  const { ask } = await stage(t, TOKEN, '0.0.0.0')
  assert.equal((await ask('GET', '/ready', { host: 'gateway.internal:9901' })).status, 200)
})

test('closing does not wait for clients that stay', async (t) => {
  const { admin, ask } = await stage(t)
  assert.equal((await ask('GET', '/live', { connection: 'keep-alive' })).headers['connection'], 'close')
  const idle = connect(admin.port, '127.0.0.1')
  await once(idle, 'connect')
  idle.write('GET /live HTTP/1.1\r\n')
  idle.on('error', () => {})
  const gone = new Promise((resolve) => idle.once('close', resolve))
  await admin.close()
  await gone
})

test('a port that is taken refuses the start, naming it', async (t) => {
  const { admin } = await stage(t)
  const second = AdminServer.listen({
    admin: { host: '127.0.0.1', port: admin.port, token: null },
    product: PRODUCT,
    status: () => ({ status: 'ready', threads: 1 }),
    resources: RESOURCES,
  })
  await assert.rejects(second, (error) => {
    assert.ok(error instanceof StartRefusal)
    assert.equal(
      error.message,
      `cannot listen on 127.0.0.1:${admin.port} (admin listener): another process holds this port`,
    )
    return true
  })
})

test('resources answer their own methods, at once or later', async (t) => {
  const { ask } = await stage(t)
  const config = await ask('GET', '/config?pretty')
  assert.deepEqual([config.status, JSON.parse(config.body)], [200, { name: 'test' }])
  const reload = await ask('POST', '/config/reload')
  assert.deepEqual([reload.status, JSON.parse(reload.body)], [200, { changed: false }])
  const read = await ask('GET', '/config/reload')
  assert.deepEqual([read.status, read.headers['allow']], [405, 'POST'])
})

test('a page in a browser of this machine cannot have anything done by it', async (t) => {
  const { ask } = await stage(t)
  const attack = await ask('POST', '/config/reload', { Origin: 'https://evil.example' })
  assert.equal(attack.status, 403)
})

test('resources are for who has the token', async (t) => {
  const { ask } = await stage(t, TOKEN)
  for (const [method, path] of [
    ['GET', '/config'],
    ['POST', '/config/reload'],
  ] as const) {
    assert.equal((await ask(method, path)).status, 401)
    assert.equal((await ask(method, path, { Authorization: `Bearer ${TOKEN}` })).status, 200)
  }
})
