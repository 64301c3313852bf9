import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { assertProblem, assertStamps } from '../support/problem.ts'
import { RawClient, request } from '../support/raw-client.ts'
import { openStage, type Stage } from '../support/stage.ts'

let stage: Stage

before(async () => {
  stage = await openStage({ GATEWAY_PROJECT_NAME: 'Test "Gate"' })
})
after(() => stage[Symbol.asyncDispose]())

describe('an own endpoint', () => {
  test('GET / says that the gateway runs, whatever the query', async () => {
    for (const target of ['/', '/?x=1']) {
      const response = await stage.ask('GET', target)
      assert.equal(response.status, 200)
      assert.match(response.get('content-type') ?? '', /^application\/json/)
      assert.equal(response.text, JSON.stringify({ message: 'Test "Gate" is running!' }))
      assertStamps(response)
    }
  })

  test('GET /health names the service, and live and ready answer probes', async () => {
    const health = await stage.ask('GET', '/health')
    assert.deepEqual(health.json(), { status: 'healthy', service: 'Test "Gate"' })
    for (const path of ['/health/live', '/health/ready'])
      assert.equal((await stage.ask('GET', path)).status, 200)
  })

  test('HEAD gives the head of GET and no body', async () => {
    for (const path of [
      '/',
      '/health',
      '/health/live',
      '/health/ready',
      '/docs',
      '/redoc',
      '/openapi.json',
    ]) {
      const get = await stage.ask('GET', path)
      const head = await stage.ask('HEAD', path)
      assert.equal(head.status, 200, path)
      for (const name of ['content-length', 'content-type']) assert.equal(head.get(name), get.get(name), path)
    }
  })

  test('HEAD leaves the connection where the next response is its own', async () => {
    using client = await stage.connect()
    await client.send(Buffer.concat([request('HEAD', '/openapi.json'), request('GET', '/')]))
    assert.equal((await client.read('HEAD')).status, 200)
    assert.match((await client.read()).text, /is running/)
  })

  test('any other method is 405 with the methods that work', async () => {
    for (const path of ['/', '/health', '/health/live', '/health/ready', '/docs', '/redoc', '/openapi.json'])
      for (const method of ['POST', 'OPTIONS', 'DELETE', 'get', 'PROPFIND']) {
        const response = await stage.ask(method, path)
        assertProblem(response, 405, 'method_not_allowed', 'Method Not Allowed')
        const allowed = (response.get('allow') ?? '').split(', ')
        for (const name of ['GET', 'HEAD']) assert.ok(allowed.includes(name), `${method} ${path}: ${allowed}`)
      }
  })

  test('a refused body is not taken for the next request', async () => {
    using client = await stage.connect()
    const inner = request('GET', '/smuggled')
    const response = await client.ask(request('POST', '/', [], inner), 'POST')
    assert.equal(response.status, 405)
    if (response.get('connection') === 'close') {
      assert.equal((await client.closed()).length, 0)
      return
    }
    assert.match((await client.ask(request('GET', '/'))).text, /is running/)
  })

  test('what nobody serves is 404 before any token is asked for', async () => {
    for (const path of [
      '/nope',
      '/api/v1/other/x',
      '/API/V1/INGEST/x',
      '/health/nope',
      '/api/v1',
      '/api/v1/ingestx',
    ])
      assertProblem(await stage.ask('GET', path), 404, 'route_unknown', 'Not Found')
  })

  test('a slash too many is redirected to the endpoint, as it always was', async () => {
    const response = await stage.ask('GET', '/health/')
    assert.equal(response.status, 307)
    assert.equal(new URL(response.get('location') ?? '', 'http://gw.test/').href, 'http://gw.test/health')
  })
})

describe('the docs pages', () => {
  test('need nothing from the internet', async () => {
    for (const path of ['/docs', '/redoc']) {
      const page = await stage.ask('GET', path)
      assert.match(page.get('content-type') ?? '', /^text\/html/)
      const assets = [...page.text.matchAll(/(?:src|href)\s*=\s*["']([^"']+)["']/g)].map(
        (match) => match[1] ?? '',
      )
      const served = assets.filter((asset) => !asset.startsWith('data:'))
      assert.ok(served.length > 0, page.text)
      for (const asset of served) {
        assert.doesNotMatch(asset, /^(https?:)?\/\//, `${path} loads ${asset}`)
        const { pathname } = new URL(asset, `http://gw.test${path}`)
        const got = await stage.ask('GET', pathname)
        assert.equal(got.status, 200, `${path} → ${pathname}`)
        assert.ok(got.body.length > 0)
      }
    }
  })

  test('/openapi.json is OpenAPI 3.1 of the live routes', async () => {
    const document = (await stage.ask('GET', '/openapi.json')).json<{
      readonly openapi: string
      readonly info: { readonly title: string }
      readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    }>()
    assert.match(document.openapi, /^3\.1\./)
    assert.equal(document.info.title, 'Test "Gate"')
    const paths = Object.keys(document.paths)
    for (const prefix of ['/api/v1/ingest', '/api/v1/query', '/api/auth']) {
      const path = paths.find((each) => each.startsWith(`${prefix}/`))
      assert.ok(path !== undefined, `${prefix} in ${paths}`)
      const methods = Object.keys(document.paths[path] ?? {})
      for (const method of ['get', 'post', 'put', 'delete', 'patch'])
        assert.ok(methods.includes(method), path)
    }
    for (const path of ['/', '/health']) assert.ok(paths.includes(path))
  })
})

describe('the routes’ prefix', () => {
  test('follows API_V1_STR', async () => {
    await using other = await openStage({ GATEWAY_API_V1_STR: '/v9' })
    assert.equal((await other.askAs('GET', '/v9/ingest/x')).status, 200)
    assert.equal(other.ingest.last.target, '/v9/ingest/x')
    assertProblem(await other.askAs('GET', '/api/v1/ingest/x'), 404, 'route_unknown')
  })

  test('has no auth route where no auth service is configured', async () => {
    await using other = await openStage({ GATEWAY_AUTH_SERVICE_URL: '' })
    assertProblem(await other.ask('POST', '/api/auth/login', [], '{}'), 404, 'route_unknown')
    using client = await RawClient.connect(other.gateway.adminPort)
    const live = await client.ask(request('GET', '/live', [['Host', 'localhost']]))
    assert.equal(live.status, 200, 'the operator listener answers on a port of its own')
  })
})
